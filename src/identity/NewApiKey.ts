/**
 * What an API key may be, when it is made and when it is changed: the bounds of its name, expiry, spending limit and models.
 */
import { Effect, Schema } from "effect"
import { RateLimits } from "../domain/CallLimits.ts"
import type { UserId } from "../domain/Ids.ts"
import { parseIpRange } from "../domain/IpRange.ts"
import { AMOUNT_MAX } from "../domain/Money.ts"
import { ApiKeyRefused } from "./IdentityError.ts"
import type { LimitPeriod } from "../domain/LimitPeriod.ts"

const NAME_CHARACTERS_MAX = 100
const MODELS_MAX = 100
const MODEL_ID_LENGTH_MAX = 256
const NETWORKS_MAX = 100

/** What can be set of a key. What is absent or null does not limit it. */
export interface KeyTerms {
  /** What it is for, in at most 100 characters; may be empty. */
  readonly name: string
  readonly expiresAt?: Date | null
  /** What may be spent with it in each period, in USD micros. */
  readonly spendLimitMicros?: bigint | null
  /** What the limit is for; absent: for ever. */
  readonly spendLimitPeriod?: LimitPeriod
  /** What may be spent besides in a day, and in a month, in USD micros. */
  readonly dayLimitMicros?: bigint | null
  readonly monthLimitMicros?: bigint | null
  /** Ids of the only models it may use: 1 to 100 of them. */
  readonly allowedModels?: ReadonlyArray<string> | null
  /** Calls that begin in a minute. */
  readonly requestsPerMinute?: number | null
  /** Tokens of input and output in a minute. */
  readonly tokensPerMinute?: number | null
  /** Calls that are open at once. */
  readonly concurrentCalls?: number | null
  /** Addresses and ranges that it may be used from: 1 to 100 of them. */
  readonly allowedNetworks?: ReadonlyArray<string> | null
}

/** A key to be made. */
export interface NewApiKey extends KeyTerms {
  readonly userId: UserId
}

/** What is changed of a key; what is absent stays as it is. */
export interface KeyChange extends Partial<KeyTerms> {
  readonly paused?: boolean
}

/** A text of at most 100 characters, without control characters; may be empty. */
export const isKeyName = (text: string): boolean =>
  text.length <= 2 * NAME_CHARACTERS_MAX && Array.from(text).length <= NAME_CHARACTERS_MAX && !/\p{Cc}/u.test(text)

const areModels = (ids: ReadonlyArray<string>): boolean =>
  ids.length >= 1 && ids.length <= MODELS_MAX &&
  ids.every((id) => id !== "" && id.length <= MODEL_ID_LENGTH_MAX && !/\p{Cc}/u.test(id))

const areNetworks = (ranges: ReadonlyArray<string>): boolean =>
  ranges.length >= 1 && ranges.length <= NETWORKS_MAX && ranges.every((range) => parseIpRange(range) !== undefined)

const isAmount = (micros: bigint | null): boolean => micros === null || (micros >= 0n && micros <= AMOUNT_MAX)

const isRate = Schema.is(RateLimits)

/** What is wrong with the terms, if anything is. */
const flawOf = (terms: Partial<KeyTerms>, nowMs: number): ApiKeyRefused["reason"] | undefined => {
  const { allowedModels = null, allowedNetworks = null, expiresAt = null, name = "", spendLimitMicros = null } = terms
  const { concurrentCalls = null, requestsPerMinute = null, tokensPerMinute = null } = terms
  if (!isKeyName(name)) return "name"
  // An invalid date compares as false.
  if (expiresAt !== null && !(expiresAt.getTime() > nowMs)) return "expiry"
  if (!isAmount(spendLimitMicros)) return "spend_limit"
  if (!isAmount(terms.dayLimitMicros ?? null)) return "day_limit"
  if (!isAmount(terms.monthLimitMicros ?? null)) return "month_limit"
  if (!isRate({ concurrentCalls, requestsPerMinute, tokensPerMinute })) return "rates"
  if (allowedNetworks !== null && !areNetworks(allowedNetworks)) return "networks"
  return allowedModels === null || areModels(allowedModels) ? undefined : "models"
}

/** Fails for the first thing that is wrong. */
export const checkKeyTerms = (terms: Partial<KeyTerms>, nowMs: number): Effect.Effect<void, ApiKeyRefused> => {
  const reason = flawOf(terms, nowMs)
  return reason === undefined ? Effect.void : Effect.fail(new ApiKeyRefused({ reason }))
}
