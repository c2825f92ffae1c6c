/**
 * Open calls per key, so that one key cannot take all of the process.
 *
 * @internal
 */

/** Calls open at once with one key, at most. */
export const CALLS_PER_KEY_MAX = 4_000

export class KeyLimits {
  private readonly open = new Map<bigint, number>()

  /** Counts a call; false when the key has too many open. */
  enter(keyId: bigint): boolean {
    const count = this.open.get(keyId) ?? 0
    if (count >= CALLS_PER_KEY_MAX) return false
    this.open.set(keyId, count + 1)
    return true
  }

  leave(keyId: bigint): void {
    const count = this.open.get(keyId) ?? 0
    if (count <= 1) this.open.delete(keyId)
    else this.open.set(keyId, count - 1)
  }
}
