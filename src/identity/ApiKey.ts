/**
 * API keys as their rows say: as the gateway knows a valid one, and as its user sees it. The key itself is in neither.
 */
import { Schema } from "effect"
import { ApiKeyId, UserId } from "../domain/Ids.ts"
import { Micros } from "../domain/Money.ts"
import { Millis, Row, RowWith } from "../domain/Row.ts"
import { LimitPeriod } from "./LimitPeriod.ts"

const AllowedModels = Schema.NullOr(Schema.Array(Schema.String))

/** Whose key it is, and what it may do. */
export const ApiKeyIdentity = Row({
  keyId: ApiKeyId,
  userId: UserId,
  /** Null: it does not expire. */
  expiresAtMs: Schema.NullOr(Millis),
  /** What may be spent with it in each period of its limit, in USD micros. Null: it has no limit of its own. */
  spendLimitMicros: Schema.NullOr(Micros),
  /** Null: every model. */
  allowedModels: AllowedModels
}, { keyId: "id", expiresAtMs: "expires_at" })
export interface ApiKeyIdentity extends Schema.Schema.Type<typeof ApiKeyIdentity> {}

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
  spendLimitMicros: Schema.NullOr(Micros),
  /** What the limit is for. */
  spendLimitPeriod: LimitPeriod,
  allowedModels: AllowedModels
})
export interface ListedApiKey extends Schema.Schema.Type<typeof ListedApiKey> {}

/** The same with what was spent, open holds included, in USD micros. */
export const SpendingApiKey = RowWith(ListedApiKey, {
  /** Ever. */
  spentMicros: Micros,
  /** In the period of its limit that runs now. */
  spentOfLimitMicros: Micros
})
export interface SpendingApiKey extends Schema.Schema.Type<typeof SpendingApiKey> {}
