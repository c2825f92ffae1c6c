/**
 * What the limits of an account have used: by each key that has limits, and by all of the user's calls together. A call is judged before
 * it is held, and what it takes is written in the batch of its hold. Pure.
 *
 * @internal
 */
import type { ApiKeyId } from "../domain/Ids.ts"
import { firstLimits, largerLimits, noRateLimits, type RateLimits, type SpendLimit } from "../domain/CallLimits.ts"
import type { RateReport } from "../domain/RateReport.ts"
import { type LimitPeriod, periodEnd, periodStartMs } from "../domain/LimitPeriod.ts"
import { RateLimited, SpendLimitReached } from "./AccountError.ts"
import type { AccountState, Command, Reservation, Reserve } from "./AccountState.ts"
import { isRunning } from "./Affordability.ts"
import { costUs, MINUTE_US, rateState, tighter, US_PER_MS, waitMs } from "./CallRates.ts"

/** The place of all calls of a user, beside those of keys. No key has this id. */
export const WHOLE_ACCOUNT = 0n

/** What calls of a key were charged or hold that began in one period, in micros. */
export interface Spent {
  readonly period: LimitPeriod
  readonly startMs: number
  readonly micros: bigint
}

/** What is used of the limits of a key, or of the user. Moments in microseconds since the epoch. */
export interface CallUse {
  readonly requestsUs: number
  readonly tokensUs: number
  /** Open reservations. */
  readonly open: number
  readonly spent: ReadonlyArray<Spent>
}

/** By the key's id, and under {@link WHOLE_ACCOUNT}. */
export type CallUses = ReadonlyMap<bigint, CallUse>

export const noUses: CallUses = new Map()

export const unused: CallUse = { requestsUs: 0, tokensUs: 0, open: 0, spent: [] }

/** What moves of the rates of one place, in microseconds. */
export interface RateTake {
  readonly keyId: bigint
  readonly requestsUs: number
  readonly tokensUs: number
}

/** A limit on what is spent, and the period that a call counts in. */
export interface SpendTake extends SpendLimit {
  readonly startMs: number
}

/** What a call takes of limits besides its hold. */
export interface LimitsTaken {
  readonly rates: ReadonlyArray<RateTake>
  readonly spend: ReadonlyArray<SpendTake>
  /** Open calls of the key, at most; null: not limited. */
  readonly openMax: number | null
}

/** What a call's tokens were estimated at, and the limits that they count in: its usage corrects them. */
export interface CountedTokens {
  readonly tokens: number
  /** Tokens in a minute; null: not limited. */
  readonly keyPerMinute: number | null
  readonly userPerMinute: number | null
}

/** Those that an administrator gave the user, else those of running plans, else the defaults. */
export const userLimits = (state: AccountState, defaults: RateLimits, atMs: number): RateLimits => {
  let planned = noRateLimits
  for (const subscription of state.subscriptions) {
    if (subscription.rates !== undefined && isRunning(subscription, atMs)) {
      planned = largerLimits(planned, subscription.rates)
    }
  }
  return firstLimits(firstLimits(state.ownLimits, planned), defaults)
}

/** The user's open calls, at most; undefined: not limited. */
export const openHoldsMaxOf = (command: Reserve, user: RateLimits): number | undefined => {
  const { concurrentCalls } = user
  if (concurrentCalls === null) return command.openHoldsMax
  return command.openHoldsMax === undefined ? concurrentCalls : Math.min(command.openHoldsMax, concurrentCalls)
}

/** What the tokens of a call cost until its usage is known: at most all of the limit. */
const estimateUs = (tokens: number, perMinute: number | null): number =>
  perMinute === null ? 0 : Math.min(costUs(tokens, perMinute), MINUTE_US)

interface Place {
  readonly keyId: bigint
  readonly limits: RateLimits
}

const placesOf = (keyId: ApiKeyId | null, key: RateLimits, user: RateLimits): ReadonlyArray<Place> => [
  ...keyId === null ? [] : [{ keyId, limits: key }],
  { keyId: WHOLE_ACCOUNT, limits: user }
]

const isRated = ({ requestsPerMinute, tokensPerMinute }: RateLimits): boolean =>
  requestsPerMinute !== null || tokensPerMinute !== null

/** What a call takes of the rates of each place. */
const ratesOf = (places: ReadonlyArray<Place>, tokens: number): ReadonlyArray<RateTake> =>
  places.filter(({ limits }) => isRated(limits)).map(({ keyId, limits }) => ({
    keyId,
    requestsUs: limits.requestsPerMinute === null ? 0 : costUs(1, limits.requestsPerMinute),
    tokensUs: estimateUs(tokens, limits.tokensPerMinute)
  }))

/** Where the limits stand, of each kind the one that leaves least. */
const reportOf = (uses: CallUses, places: ReadonlyArray<Place>, nowUs: number): RateReport => {
  let requests: RateReport["requests"]
  let tokens: RateReport["tokens"]
  for (const { keyId, limits: { requestsPerMinute, tokensPerMinute } } of places) {
    const use = uses.get(keyId) ?? unused
    if (requestsPerMinute !== null) {
      requests = tighter(requests, rateState(use.requestsUs, requestsPerMinute, nowUs))
    }
    if (tokensPerMinute !== null) tokens = tighter(tokens, rateState(use.tokensUs, tokensPerMinute, nowUs))
  }
  return { ...requests === undefined ? {} : { requests }, ...tokens === undefined ? {} : { tokens } }
}

/** A call of this key that every place has room for, or the first that has none. */
const refusalOf = (uses: CallUses, places: ReadonlyArray<Place>, tokens: number, nowUs: number) => {
  for (const { keyId, limits } of places) {
    const use = uses.get(keyId) ?? unused
    const { concurrentCalls, requestsPerMinute, tokensPerMinute } = limits
    const refused = (limit: RateLimited["limit"], max: number, retryMs: number) =>
      new RateLimited({
        of: keyId === WHOLE_ACCOUNT ? "user" : "key",
        limit,
        max,
        retryMs,
        report: reportOf(uses, places, nowUs)
      })
    // Of the user, reservations are counted apart.
    if (keyId !== WHOLE_ACCOUNT && concurrentCalls !== null && use.open >= concurrentCalls) {
      return refused("calls", concurrentCalls, OPEN_RETRY_MS)
    }
    if (requestsPerMinute !== null) {
      const wait = waitMs(use.requestsUs, costUs(1, requestsPerMinute), nowUs)
      if (wait > 0) return refused("requests", requestsPerMinute, wait)
    }
    if (tokensPerMinute !== null) {
      const wait = waitMs(use.tokensUs, estimateUs(tokens, tokensPerMinute), nowUs)
      if (wait > 0) return refused("tokens", tokensPerMinute, wait)
    }
  }
  return undefined
}

/** When a call may be tried again that met the bound of open calls, in milliseconds. */
const OPEN_RETRY_MS = 1_000

/** Judged: what the call takes, and what its client and its settlement are told of it. */
export interface Judged {
  readonly taken: LimitsTaken
  readonly counted: CountedTokens | undefined
  readonly report: RateReport
}

/** Whether rates and open calls leave room for a call; undefined: nothing limits it. */
export const judge = (state: AccountState, command: Reserve, user: RateLimits): Judged | RateLimited | undefined => {
  const { atMs, keyId, limits } = command
  if (limits === undefined) return undefined
  const { key, tokens } = limits
  if (!isRated(key) && !isRated(user) && key.concurrentCalls === null && key.spend.length === 0) return undefined
  const nowUs = atMs * US_PER_MS
  const places = placesOf(keyId, key, user)
  const refused = refusalOf(state.uses, places, tokens, nowUs)
  if (refused !== undefined) return refused
  const rates = ratesOf(places, tokens)
  const spend = keyId === null || !command.billingEnabled
    ? []
    : key.spend.map((limit) => ({ ...limit, startMs: periodStartMs(limit.period, atMs) }))
  return {
    taken: { rates, spend, openMax: keyId === null ? null : key.concurrentCalls },
    counted: key.tokensPerMinute === null && user.tokensPerMinute === null
      ? undefined
      : { tokens, keyPerMinute: key.tokensPerMinute, userPerMinute: user.tokensPerMinute },
    report: reportOf(afterRates(state.uses, rates, nowUs), places, nowUs)
  }
}

/** What the key's calls were charged or hold of one period. */
const spentIn = (use: CallUse | undefined, { period, startMs }: Pick<SpendTake, "period" | "startMs">): bigint =>
  use?.spent.find((spent) => spent.period === period && spent.startMs === startMs)?.micros ?? 0n

/** The limit that leaves least, with what it leaves, which is negative where more was spent; undefined: there is none. */
const tightest = (use: CallUse | undefined, spend: ReadonlyArray<SpendTake>) => {
  let found: { readonly limit: SpendTake; readonly spentMicros: bigint; readonly roomMicros: bigint } | undefined
  for (const limit of spend) {
    const spentMicros = spentIn(use, limit)
    const roomMicros = limit.micros - spentMicros
    if (found === undefined || roomMicros < found.roomMicros) found = { limit, spentMicros, roomMicros }
  }
  return found
}

/** What the key's spend limits leave, in micros; undefined: it has none. */
export const spendRoom = (uses: CallUses, keyId: bigint | null, spend: ReadonlyArray<SpendTake>): bigint | undefined =>
  keyId === null ? undefined : tightest(uses.get(keyId), spend)?.roomMicros

/** Why the key's spend limits refuse a call that needs this much. */
export const spendRefusal = (
  uses: CallUses,
  keyId: bigint | null,
  { atMs, neededMicros, spend }: {
    readonly spend: ReadonlyArray<SpendTake>
    readonly neededMicros: bigint
    readonly atMs: number
  }
): SpendLimitReached => {
  const found = tightest(keyId === null ? undefined : uses.get(keyId), spend)
  const period = found?.limit.period ?? "total"
  return new SpendLimitReached({
    limitMicros: found?.limit.micros ?? 0n,
    period,
    spentMicros: found?.spentMicros ?? 0n,
    roomMicros: found?.roomMicros ?? 0n,
    neededMicros,
    resetsAtMs: periodEnd(period, atMs)?.getTime() ?? null
  })
}

const withUse = (uses: CallUses, keyId: bigint, change: (use: CallUse) => CallUse): CallUses =>
  new Map(uses).set(keyId, change(uses.get(keyId) ?? unused))

/** A rate that calls and tokens have moved. */
const moved = (fullUs: number, us: number, nowUs: number): number => us === 0 ? fullUs : Math.max(fullUs, nowUs) + us

const afterRates = (uses: CallUses, rates: ReadonlyArray<RateTake>, nowUs: number): CallUses =>
  rates.reduce((after, { keyId, requestsUs, tokensUs }) =>
    withUse(after, keyId, (use) => ({
      ...use,
      requestsUs: moved(use.requestsUs, requestsUs, nowUs),
      tokensUs: moved(use.tokensUs, tokensUs, nowUs)
    })), uses)

/** What was spent with an amount more in the periods that a moment lies in; `opened` are limits whose period may have no sum yet. */
const spentWith = (
  spent: ReadonlyArray<Spent>,
  { atMs, micros, opened }: {
    readonly micros: bigint
    readonly atMs: number
    readonly opened: ReadonlyArray<SpendTake>
  }
): ReadonlyArray<Spent> => {
  const missing = opened.filter((limit) =>
    !spent.some(({ period, startMs }) => period === limit.period && startMs === limit.startMs)
  ).map(({ period, startMs }): Spent => ({ period, startMs, micros: 0n }))
  return [
    ...spent.filter(({ period, startMs }) => !missing.some((one) => one.period === period && one.startMs > startMs)),
    ...missing
  ].map((one) =>
    one.startMs === periodStartMs(one.period, atMs)
      ? { period: one.period, startMs: one.startMs, micros: one.micros + micros }
      : one
  )
}

/** After a call was held. `known`: the key's open reservations as far as they are known here. */
export const usesAfterHold = (
  uses: CallUses,
  reservation: Reservation,
  { known, taken }: { readonly taken: LimitsTaken | undefined; readonly known: () => number }
): CallUses => {
  const { keyId, reservedAtMs, reservedMicros } = reservation
  if (taken === undefined && (keyId === undefined || !uses.has(keyId))) return uses
  const rated = taken === undefined ? uses : afterRates(uses, taken.rates, reservedAtMs * US_PER_MS)
  if (keyId === undefined) return rated
  const open = uses.has(keyId) ? undefined : known()
  return withUse(rated, keyId, (use) => ({
    ...use,
    open: (open ?? use.open) + 1,
    spent: spentWith(use.spent, { micros: reservedMicros, atMs: reservedAtMs, opened: taken?.spend ?? [] })
  }))
}

/** After a hold was raised, or ended (`ended` is 1), with a change of what its call holds or was charged. */
export const usesAfterChange = (
  uses: CallUses,
  { keyId, reservedAtMs }: Pick<Reservation, "keyId" | "reservedAtMs">,
  { ended, micros, rates }: {
    readonly micros: bigint
    readonly ended: 0 | 1
    readonly rates: ReadonlyArray<RateTake>
  }
): CallUses => {
  const corrected = rates.reduce(
    (after, rate) =>
      withUse(after, rate.keyId, (use) => ({ ...use, tokensUs: Math.max(0, use.tokensUs + rate.tokensUs) })),
    uses
  )
  if (keyId === undefined || !corrected.has(keyId)) return corrected
  return withUse(corrected, keyId, (use) => ({
    ...use,
    open: Math.max(0, use.open - ended),
    spent: spentWith(use.spent, { micros, atMs: reservedAtMs, opened: [] })
  }))
}

/** What the usage of a call corrects of the estimate that was taken. */
export const correctionsOf = (
  keyId: bigint | undefined,
  counted: CountedTokens | undefined,
  usedTokens: number
): ReadonlyArray<RateTake> => {
  if (counted === undefined) return noTakes
  const { keyPerMinute, tokens, userPerMinute } = counted
  const correction = (place: bigint | undefined, perMinute: number | null): ReadonlyArray<RateTake> => {
    if (place === undefined || perMinute === null) return noTakes
    const tokensUs = costUs(usedTokens, perMinute) - estimateUs(tokens, perMinute)
    return tokensUs === 0 ? noTakes : [{ keyId: place, requestsUs: 0, tokensUs }]
  }
  return [...correction(keyId, keyPerMinute), ...correction(WHOLE_ACCOUNT, userPerMinute)]
}

const noTakes: ReadonlyArray<RateTake> = []

/** The keys of calls that want a place among the open calls of their key. */
export const countedKeys = (commands: ReadonlyArray<Command>): ReadonlyArray<ApiKeyId> => {
  const keyIds = new Set<ApiKeyId>()
  for (const command of commands) {
    if (command._tag !== "Reserve" || command.keyId === null || command.limits === undefined) continue
    if (command.limits.key.concurrentCalls !== null) keyIds.add(command.keyId)
  }
  return Array.from(keyIds)
}
