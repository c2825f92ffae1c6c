/**
 * Open calls per key, so that one key cannot take all of the process; and what else is counted by whom it is of.
 *
 * @internal
 */
import type { ApiKeyId, UserId } from "../../domain/Ids.ts"

export class KeyLimits<Id extends ApiKeyId | UserId = ApiKeyId> {
  private readonly open = new Map<Id, number>()
  private readonly callsPerKeyMax: number

  constructor(callsPerKeyMax: number) {
    this.callsPerKeyMax = callsPerKeyMax
  }

  /** Counts a call; false when the key has too many open. */
  enter(keyId: Id): boolean {
    const count = this.open.get(keyId) ?? 0
    if (count >= this.callsPerKeyMax) return false
    this.open.set(keyId, count + 1)
    return true
  }

  leave(keyId: Id): void {
    const count = this.open.get(keyId) ?? 0
    if (count <= 1) this.open.delete(keyId)
    else this.open.set(keyId, count - 1)
  }
}
