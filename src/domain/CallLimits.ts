/**
 * Limits of calls: how many in a minute, how many tokens in a minute, how many at once, and what may be spent. A key has its own; a user
 * has those that an administrator set, else those of a running plan, else the defaults of the settings.
 */
import { Result, Schema } from "effect"
import type { LimitPeriod } from "./LimitPeriod.ts"

/** The largest limit of calls, or of tokens, in a minute. */
export const RATE_MAX = 1_000_000_000

/** The largest limit of calls at once. */
export const CONCURRENT_MAX = 1_000_000

const limitUpTo = (max: number) => Schema.Int.pipe(Schema.check(Schema.isBetween({ minimum: 1, maximum: max })))

/** The limits that a row, a form or a command has. Null: not limited by it. */
export const rateLimitFields = {
  requestsPerMinute: Schema.NullOr(limitUpTo(RATE_MAX)),
  tokensPerMinute: Schema.NullOr(limitUpTo(RATE_MAX)),
  concurrentCalls: Schema.NullOr(limitUpTo(CONCURRENT_MAX))
} as const

export const RateLimits = Schema.Struct(rateLimitFields)
export interface RateLimits extends Schema.Schema.Type<typeof RateLimits> {}

export const noRateLimits: RateLimits = { requestsPerMinute: null, tokensPerMinute: null, concurrentCalls: null }

/** What calls that begin in a period may be charged, in USD micros. */
export interface SpendLimit {
  readonly period: LimitPeriod
  readonly micros: bigint
}

/** Everything that limits a key. */
export interface KeyLimits extends RateLimits {
  readonly spend: ReadonlyArray<SpendLimit>
}

export const noKeyLimits: KeyLimits = { ...noRateLimits, spend: [] }

/** Each limit from the first that has one. */
export const firstLimits = (first: RateLimits, second: RateLimits): RateLimits => ({
  requestsPerMinute: first.requestsPerMinute ?? second.requestsPerMinute,
  tokensPerMinute: first.tokensPerMinute ?? second.tokensPerMinute,
  concurrentCalls: first.concurrentCalls ?? second.concurrentCalls
})

const larger = (first: number | null, second: number | null): number | null =>
  first === null || second === null ? first ?? second : Math.max(first, second)

/** Of two plans that run at once, the better of each limit that they set. */
export const largerLimits = (first: RateLimits, second: RateLimits): RateLimits => ({
  requestsPerMinute: larger(first.requestsPerMinute, second.requestsPerMinute),
  tokensPerMinute: larger(first.tokensPerMinute, second.tokensPerMinute),
  concurrentCalls: larger(first.concurrentCalls, second.concurrentCalls)
})

export const isUnlimited = (limits: RateLimits): boolean =>
  limits.requestsPerMinute === null && limits.tokensPerMinute === null && limits.concurrentCalls === null

/** Each limit with its name in forms. */
export const rateNames = {
  requestsPerMinute: "requests_per_minute",
  tokensPerMinute: "tokens_per_minute",
  concurrentCalls: "concurrent_calls"
} as const satisfies Readonly<Record<keyof RateLimits, string>>

export const rateKinds = ["requestsPerMinute", "tokensPerMinute", "concurrentCalls"] as const

export type RateKind = typeof rateKinds[number]

export const rateMaxOf = (kind: RateKind): number => kind === "concurrentCalls" ? CONCURRENT_MAX : RATE_MAX

/** A limit as it is typed; undefined for what is no whole number from 1 up. */
export const parseRate = (text: string, max: number): number | undefined =>
  /^\d{1,10}$/.test(text) && Number(text) >= 1 && Number(text) <= max ? Number(text) : undefined

/** The limits that a form says, each blank for none; fails with those that are wrong. */
export const readRateLimits = (fields: URLSearchParams): Result.Result<RateLimits, ReadonlyArray<RateKind>> => {
  const read = (kind: RateKind): number | null | undefined => {
    const text = (fields.get(rateNames[kind]) ?? "").trim()
    return text === "" ? null : parseRate(text, rateMaxOf(kind))
  }
  const [requestsPerMinute, tokensPerMinute, concurrentCalls] = [
    read("requestsPerMinute"),
    read("tokensPerMinute"),
    read("concurrentCalls")
  ]
  return requestsPerMinute === undefined || tokensPerMinute === undefined || concurrentCalls === undefined
    ? Result.fail(rateKinds.filter((kind) => read(kind) === undefined))
    : Result.succeed({ requestsPerMinute, tokensPerMinute, concurrentCalls })
}
