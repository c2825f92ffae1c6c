/**
 * The commands of an account and their answers, as they leave the process: to a file, and to another runner. A field that another
 * version adds is optional there, and dropped here.
 *
 * @internal
 */
import { Schema } from "effect"
import { rateLimitFields, RateLimits } from "../domain/CallLimits.ts"
import { ApiKeyId, ChannelId, idFromText, SubscriptionId } from "../domain/Ids.ts"
import { LimitPeriod } from "../domain/LimitPeriod.ts"
import { RateReport } from "../domain/RateReport.ts"

const Usage = Schema.Struct({
  inputTokens: Schema.Int,
  cachedInputTokens: Schema.Int,
  cacheWriteTokens: Schema.Int,
  outputTokens: Schema.Int,
  tools: Schema.optionalKey(Schema.Struct({ webSearch: Schema.Int, fileSearch: Schema.Int }))
})

const References = Schema.Struct({
  channelId: idFromText(ChannelId),
  responseId: Schema.String,
  itemIds: Schema.Array(Schema.String),
  inputTokens: Schema.Int,
  outputTokens: Schema.Int
})

const Outcome = Schema.Struct({
  usage: Usage,
  usageFlags: Schema.optionalKey(Schema.Array(
    Schema.Literals(["input_clamped", "output_clamped", "total_unexplained", "above_context", "limit_ignored"])
  )),
  excessTokens: Schema.optionalKey(Schema.Int),
  references: Schema.optionalKey(References),
  usageSource: Schema.NullOr(Schema.Literals(["upstream", "estimated"])),
  usageFlagged: Schema.Boolean,
  status: Schema.NullOr(Schema.Finite),
  reason: Schema.NullOr(Schema.String),
  channel: Schema.NullOr(Schema.String),
  upstreamModel: Schema.NullOr(Schema.String),
  latencyMs: Schema.NullOr(Schema.Finite),
  ttftMs: Schema.NullOr(Schema.Finite)
})

/** What a call's tokens were estimated at; its settlement corrects that. */
const Tokens = Schema.optionalKey(Schema.Struct({
  tokens: Schema.Int,
  keyPerMinute: Schema.NullOr(Schema.Int),
  userPerMinute: Schema.NullOr(Schema.Int)
}))

const CommitSchema = Schema.TaggedStruct("Commit", {
  id: Schema.String,
  outcome: Outcome,
  tokens: Tokens,
  atMs: Schema.Finite
})
const VoidSchema = Schema.TaggedStruct("Void", { id: Schema.String, outcome: Outcome, tokens: Tokens })

export const SettlementCommand = Schema.Union([CommitSchema, VoidSchema])

/** Decimal text: JSON has no such numbers. */
const Amount = Schema.BigIntFromString

const prices = {
  inputMicrosPer1m: Amount,
  cachedInputMicrosPer1m: Amount,
  cacheWriteMicrosPer1m: Schema.NullOr(Amount),
  outputMicrosPer1m: Amount
}

const Price = Schema.Struct({
  ...prices,
  tiers: Schema.optionalKey(Schema.Array(Schema.Struct({ ...prices, aboveInputTokens: Schema.Int }))),
  tools: Schema.optionalKey(
    Schema.Struct({ webSearchMicros: Schema.NullOr(Amount), fileSearchMicros: Schema.NullOr(Amount) })
  )
})

const SpendLimits = Schema.Array(Schema.Struct({ period: LimitPeriod, micros: Amount }))

const ReserveLimits = Schema.Struct({
  tokens: Schema.Int,
  key: Schema.Struct({ ...rateLimitFields, spend: SpendLimits }),
  user: RateLimits
})

const ReserveSchema = Schema.TaggedStruct("Reserve", {
  id: Schema.String,
  keyId: Schema.NullOr(idFromText(ApiKeyId)),
  endpoint: Schema.String,
  model: Schema.String,
  stream: Schema.Boolean,
  price: Price,
  billingMultiplier: Amount,
  billingEnabled: Schema.Boolean,
  payAsYouGo: Schema.Boolean,
  baseNumerator: Amount,
  tokenNumerator: Amount,
  tokensMin: Schema.Int,
  tokensDefault: Schema.optionalKey(Schema.Int),
  tokensMax: Schema.Int,
  halfAvailable: Schema.optionalKey(Schema.Boolean),
  counted: Schema.optionalKey(Schema.Boolean),
  openHoldsMax: Schema.optionalKey(Schema.Int),
  limits: Schema.optionalKey(ReserveLimits),
  claim: Schema.optionalKey(Schema.Struct({ keyHash: Schema.String, bodyHash: Schema.String })),
  leaseSeconds: Schema.Int,
  atMs: Schema.Finite
})

const ExtendSchema = Schema.TaggedStruct("Extend", {
  id: Schema.String,
  numerator: Amount,
  outputTokens: Schema.Int,
  spend: Schema.optionalKey(SpendLimits),
  atMs: Schema.Finite
})

/** What one runner asks of another: everything but the sweeper's own. */
export const SentCommand = Schema.Union([ReserveSchema, ExtendSchema, CommitSchema, VoidSchema])

const ReservationSchema = Schema.Struct({
  id: Schema.String,
  funding: Schema.Literals(["balance", "subscription", "free"]),
  subscriptionId: Schema.NullOr(idFromText(SubscriptionId)),
  price: Price,
  billingMultiplier: Amount,
  planMultiplier: Amount,
  groupMultiplier: Amount,
  reservedMicros: Amount,
  outputTokens: Schema.Int,
  reservedAtMs: Schema.Finite,
  counted: Schema.optionalKey(Schema.Boolean),
  keyId: Schema.optionalKey(idFromText(ApiKeyId)),
  tokens: Tokens,
  report: Schema.optionalKey(RateReport)
})

const SettlementSchema = Schema.Struct({
  state: Schema.Literals(["reserved", "committed", "voided", "expired"]),
  costMicros: Amount,
  chargedMicros: Amount,
  late: Schema.Boolean
})

export const SentAnswer = Schema.Union([
  Schema.TaggedStruct("Reservation", { reservation: ReservationSchema }),
  Schema.TaggedStruct("Settlement", { settlement: SettlementSchema })
])
