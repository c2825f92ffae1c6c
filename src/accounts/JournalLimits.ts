/**
 * What a batch takes of limits, as the journal's functions read it: one JSON array for a batch, and none where nothing is limited.
 *
 * @internal
 */
import type { UserId } from "../domain/Ids.ts"
import { US_PER_MS } from "./CallRates.ts"
import type { SpendTake } from "./CallUses.ts"
import type { Event } from "./Decision.ts"

/**
 * A user `u` and a key `k`, which is 0 for all of the user's keys, and one of: `m` micros toward the limit `l` of the period `p` that
 * began at `s` (ms); of a call `id` at `at` (µs) the parts `rq` and `tk` of a minute (µs), or a correction `c` (µs) of the tokens' part;
 * one more open call of at most `o`. In the order in which they were decided.
 */
export interface LimitItem {
  readonly u: string
  readonly k: string
  readonly id?: string
  readonly p?: string
  readonly s?: number
  readonly l?: string
  readonly m?: string
  readonly at?: number
  readonly rq?: number
  readonly tk?: number
  readonly o?: number
  readonly c?: number
}

const addSpend = (
  items: Array<LimitItem>,
  place: Pick<LimitItem, "u" | "k">,
  { micros, spend }: { readonly spend: ReadonlyArray<SpendTake>; readonly micros: bigint }
): void => {
  for (const limit of spend) {
    items.push({ ...place, p: limit.period, s: limit.startMs, l: String(limit.micros), m: String(micros) })
  }
}

export const reserveLimits = (
  items: Array<LimitItem>,
  userId: UserId,
  { reservation, taken }: Extract<Event, { _tag: "Reserved" }>
): void => {
  if (taken === undefined) return
  const user = String(userId)
  const at = reservation.reservedAtMs * US_PER_MS
  for (const { keyId, requestsUs, tokensUs } of taken.rates) {
    items.push({ u: user, k: String(keyId), id: reservation.id, at, rq: requestsUs, tk: tokensUs })
  }
  const { keyId, reservedMicros } = reservation
  if (keyId === undefined) return
  const place = { u: user, k: String(keyId) }
  addSpend(items, place, { spend: taken.spend, micros: reservedMicros })
  if (taken.openMax !== null) items.push({ ...place, o: taken.openMax })
}

export const extensionLimits = (
  items: Array<LimitItem>,
  userId: UserId,
  { moreMicros, reservation, spend }: Extract<Event, { _tag: "Extended" }>
): void => {
  if (reservation.keyId === undefined) return
  addSpend(items, { u: String(userId), k: String(reservation.keyId) }, { spend, micros: moreMicros })
}

export const settlementLimits = (
  items: Array<LimitItem>,
  userId: UserId,
  { id, rates }: Extract<Event, { _tag: "Settled" }>
): void => {
  for (const { keyId, tokensUs } of rates) items.push({ u: String(userId), k: String(keyId), id, c: tokensUs })
}
