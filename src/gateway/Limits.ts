/**
 * What limits the calls of a key, and where its limits stand, in the headers that OpenAI's clients read.
 */
import type { ReserveLimits } from "../accounts/AccountState.ts"
import type { RateReport } from "../domain/RateReport.ts"
import type { LimitsConfig } from "../config/Config.ts"
import { firstLimits, type KeyLimits, type RateLimits } from "../domain/CallLimits.ts"
import type { ApiKeyIdentity } from "../identity/ApiKeys.ts"

/** The limits of the settings: of keys, and of users, of whom nothing else is said. */
export interface LimitDefaults {
  readonly key: KeyLimits
  readonly user: RateLimits
}

const made = new WeakMap<LimitsConfig, LimitDefaults>()

/** The limits of the settings, in the shape that decisions take. They are the same object until the settings change. */
export const limitDefaultsOf = (config: LimitsConfig): LimitDefaults => {
  const known = made.get(config)
  if (known !== undefined) return known
  const defaults = {
    key: {
      requestsPerMinute: config.keyRequestsPerMinute,
      tokensPerMinute: config.keyTokensPerMinute,
      concurrentCalls: config.keyConcurrentCalls,
      spend: []
    },
    user: {
      requestsPerMinute: config.userRequestsPerMinute,
      tokensPerMinute: config.userTokensPerMinute,
      concurrentCalls: config.userConcurrentCalls
    }
  }
  made.set(config, defaults)
  return defaults
}

/** Each key's limits with the defaults that they were made with. */
const merged = new WeakMap<ApiKeyIdentity, { readonly defaults: KeyLimits; readonly limits: KeyLimits }>()

const keyLimitsOf = (defaults: KeyLimits, key: ApiKeyIdentity): KeyLimits => {
  if (key.limits === null) return defaults
  const known = merged.get(key)
  if (known !== undefined && known.defaults === defaults) return known.limits
  const limits = { ...firstLimits(key.limits, defaults), spend: key.limits.spend }
  merged.set(key, { defaults, limits })
  return limits
}

/** `tokens`: what the call counts as until its usage is known. */
export const limitsOf = (defaults: LimitDefaults, key: ApiKeyIdentity, tokens: number): ReserveLimits => ({
  tokens,
  key: keyLimitsOf(defaults.key, key),
  user: defaults.user
})

/** A time as OpenAI writes it, such as `6m0s` or `120ms`. */
const duration = (ms: number): string => {
  if (ms < MS_PER_SECOND) return `${ms}ms`
  const seconds = Math.ceil(ms / MS_PER_SECOND)
  return seconds < SECONDS_PER_MINUTE
    ? `${seconds}s`
    : `${Math.floor(seconds / SECONDS_PER_MINUTE)}m${seconds % SECONDS_PER_MINUTE}s`
}

const MS_PER_SECOND = 1_000
const SECONDS_PER_MINUTE = 60

/** The `x-ratelimit-*` headers of a call. */
export const rateHeaders = ({ requests, tokens }: RateReport): ReadonlyArray<readonly [name: string, value: string]> =>
  ([["requests", requests], ["tokens", tokens]] as const).flatMap(([of, state]) =>
    state === undefined ? [] : [
      [`x-ratelimit-limit-${of}`, String(state.limit)] as const,
      [`x-ratelimit-remaining-${of}`, String(state.remaining)] as const,
      [`x-ratelimit-reset-${of}`, duration(state.resetMs)] as const
    ]
  )
