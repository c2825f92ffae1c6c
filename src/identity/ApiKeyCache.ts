/**
 * What is known of API keys without asking the database, by the hash of the key. It is emptied as a whole by every
 * change, and an answer that was looked up before a change is not taken in after it.
 * @internal
 */
import type { ApiKeyIdentity } from "./ApiKey.ts"
import type { InvalidApiKey } from "./IdentityError.ts"
import { LruMap } from "./LruMap.ts"

/** Valid keys remembered, at most. */
export const KEYS_CACHED_MAX = 50_000

/** Unknown keys remembered, at most: a client with a wrong key asks often, a thousand wrong keys are an attack. */
export const UNKNOWN_KEYS_CACHED_MAX = 1_000

/** A valid key's identity, or why the key is known not to be valid. */
export type CachedAnswer = ApiKeyIdentity | InvalidApiKey["reason"]

export class ApiKeyCache {
  private readonly valid: LruMap<string, ApiKeyIdentity>
  private readonly invalid: LruMap<string, InvalidApiKey["reason"]>
  private generation = 0

  constructor(validMax = KEYS_CACHED_MAX, invalidMax = UNKNOWN_KEYS_CACHED_MAX) {
    this.valid = new LruMap(validMax)
    this.invalid = new LruMap(invalidMax)
  }

  /** The identity of a valid key; undefined when it is not known, or expired at `nowMs`. */
  identity(hash: string, nowMs: number): ApiKeyIdentity | undefined {
    const identity = this.valid.get(hash)
    if (identity === undefined) return undefined
    if (identity.expiresAtMs === null || identity.expiresAtMs > nowMs) return identity
    this.valid.delete(hash)
    return undefined
  }

  /** Why a key is known not to be valid; undefined when that is not known. */
  refusal(hash: string): InvalidApiKey["reason"] | undefined {
    return this.invalid.get(hash)
  }

  /** To be taken before a lookup starts, and given to {@link put} with its answer. */
  ticket(): number {
    return this.generation
  }

  /** Takes an answer in, unless something has changed since the ticket was taken. */
  put(ticket: number, hash: string, answer: CachedAnswer): void {
    if (ticket !== this.generation) return
    if (typeof answer === "string") this.invalid.set(hash, answer)
    else this.valid.set(hash, answer)
  }

  /** Forgets everything, and whatever is being looked up now. */
  drop(): void {
    this.generation++
    this.valid.clear()
    this.invalid.clear()
  }
}
