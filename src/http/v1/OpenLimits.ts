/**
 * What each key or user has open, so that one of them cannot take all of the process.
 *
 * @internal
 */
import type { ApiKeyId, UserId } from "../../domain/Ids.ts"

export class OpenLimits<Id extends ApiKeyId | UserId> {
  private readonly open = new Map<Id, number>()
  private readonly openMax: number

  /** `openMax`: of each key or user. */
  constructor(openMax: number) {
    this.openMax = openMax
  }

  /** Counts one more; false when there are too many. */
  enter(id: Id): boolean {
    const count = this.open.get(id) ?? 0
    if (count >= this.openMax) return false
    this.open.set(id, count + 1)
    return true
  }

  leave(id: Id): void {
    const count = this.open.get(id) ?? 0
    if (count <= 1) this.open.delete(id)
    else this.open.set(id, count - 1)
  }
}
