/**
 * API keys as their rows say: as the gateway knows a valid one, and as its user sees it. The key itself is in neither.
 */
import { Schema } from "effect"
import type { BlockList } from "node:net"
import { isUnlimited, type KeyLimits, rateLimitFields, type SpendLimit } from "../domain/CallLimits.ts"
import { ApiKeyId, UserId } from "../domain/Ids.ts"
import { ipRanges } from "../domain/IpRange.ts"
import { Micros, minimum } from "../domain/Money.ts"
import { Millis, Row, RowWith } from "../domain/Row.ts"
import { LimitPeriod } from "../domain/LimitPeriod.ts"

const AllowedModels = Schema.NullOr(Schema.Array(Schema.String))

const AllowedNetworks = Schema.NullOr(Schema.Array(Schema.String))

/** What may be spent with a key, in USD micros. Null: it has no such limit. */
const spendLimitFields = {
  /** In each period of `spendLimitPeriod`. */
  spendLimitMicros: Schema.NullOr(Micros),
  spendLimitPeriod: LimitPeriod,
  /** Besides, in a day and in a month. */
  dayLimitMicros: Schema.NullOr(Micros),
  monthLimitMicros: Schema.NullOr(Micros)
} as const

export const SpendLimits = Schema.Struct(spendLimitFields)
export interface SpendLimits extends Schema.Schema.Type<typeof SpendLimits> {}

/** The limits of a key, one for a period: of two, the smaller. */
export const spendLimitsOf = (key: SpendLimits): ReadonlyArray<SpendLimit> => {
  const { dayLimitMicros, monthLimitMicros, spendLimitMicros, spendLimitPeriod } = key
  const limits = new Map<LimitPeriod, bigint>()
  const add = (period: LimitPeriod, micros: bigint | null) => {
    if (micros !== null) limits.set(period, minimum(limits.get(period) ?? micros, micros))
  }
  add(spendLimitPeriod, spendLimitMicros)
  add("day", dayLimitMicros)
  add("month", monthLimitMicros)
  return Array.from(limits, ([period, micros]) => ({ period, micros }))
}

/** A valid key as its row says. */
export const StoredIdentity = Row({
  keyId: ApiKeyId,
  userId: UserId,
  /** Null: it does not expire. */
  expiresAtMs: Schema.NullOr(Millis),
  ...spendLimitFields,
  ...rateLimitFields,
  /** Null: every model. */
  allowedModels: AllowedModels,
  /** Null: from everywhere. */
  allowedNetworks: AllowedNetworks
}, { keyId: "id", expiresAtMs: "expires_at" })

/** Whose key it is, and what it may do. */
export interface ApiKeyIdentity {
  readonly keyId: ApiKeyId
  readonly userId: UserId
  /** Null: it does not expire. */
  readonly expiresAtMs: number | null
  /** Null: it has none of its own. */
  readonly limits: KeyLimits | null
  /** Null: every model. */
  readonly allowedModels: ReadonlyArray<string> | null
  /** Null: from everywhere. */
  readonly networks: BlockList | null
}

export const identityOf = (row: typeof StoredIdentity.Type): ApiKeyIdentity => {
  const { allowedModels, allowedNetworks, expiresAtMs, keyId, userId } = row
  const { concurrentCalls, requestsPerMinute, tokensPerMinute } = row
  const rates = { concurrentCalls, requestsPerMinute, tokensPerMinute }
  const spend = spendLimitsOf(row)
  return {
    keyId,
    userId,
    expiresAtMs,
    limits: spend.length === 0 && isUnlimited(rates) ? null : { ...rates, spend },
    allowedModels,
    networks: allowedNetworks === null ? null : ipRanges(allowedNetworks)
  }
}

/** A key as its user may see it. */
export const ListedApiKey = Row({
  id: ApiKeyId,
  name: Schema.String,
  /** Its beginning and last characters. */
  hint: Schema.String,
  createdAt: Schema.Date,
  expiresAt: Schema.NullOr(Schema.Date),
  revokedAt: Schema.NullOr(Schema.Date),
  /** Up to a minute behind; null: never. */
  lastUsedAt: Schema.NullOr(Schema.Date),
  /** Null: it is not paused. */
  pausedAt: Schema.NullOr(Schema.Date),
  ...spendLimitFields,
  ...rateLimitFields,
  allowedModels: AllowedModels,
  /** Addresses and ranges that it may be used from. Null: from everywhere. */
  allowedNetworks: AllowedNetworks
})
export interface ListedApiKey extends Schema.Schema.Type<typeof ListedApiKey> {}

/** What a key may do, under the names that the API has for it. */
export const termFactsOf = (key: ListedApiKey) => ({
  spend_limit_micros: key.spendLimitMicros,
  spend_limit_period: key.spendLimitPeriod,
  day_limit_micros: key.dayLimitMicros,
  month_limit_micros: key.monthLimitMicros,
  requests_per_minute: key.requestsPerMinute,
  tokens_per_minute: key.tokensPerMinute,
  concurrent_calls: key.concurrentCalls,
  allowed_models: key.allowedModels,
  allowed_networks: key.allowedNetworks
})

/** The same with what was spent, open holds included, in USD micros. */
export const SpendingApiKey = RowWith(ListedApiKey, {
  /** Ever. */
  spentMicros: Micros,
  /** In the period of its limit that runs now. */
  spentOfLimitMicros: Micros
})
export interface SpendingApiKey extends Schema.Schema.Type<typeof SpendingApiKey> {}
