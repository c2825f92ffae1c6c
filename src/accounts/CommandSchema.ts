/**
 * The commands of an account and their answers, as they leave the process: to a file, and to another runner. A field that another
 * version adds is optional there, and dropped here.
 *
 * @internal
 */
import { Schema } from "effect"
import { ApiKeyId, ChannelId, idFromText, SubscriptionId } from "../domain/Ids.ts"

const Usage = Schema.Struct({
  inputTokens: Schema.Number,
  cachedInputTokens: Schema.Number,
  cacheWriteTokens: Schema.Number,
  outputTokens: Schema.Number,
  tools: Schema.optionalKey(Schema.Struct({ webSearch: Schema.Number, fileSearch: Schema.Number }))
})

const References = Schema.Struct({
  channelId: idFromText(ChannelId),
  responseId: Schema.String,
  itemIds: Schema.Array(Schema.String),
  inputTokens: Schema.Number,
  outputTokens: Schema.Number
})

const Outcome = Schema.Struct({
  usage: Usage,
  usageFlags: Schema.optionalKey(Schema.Array(
    Schema.Literals(["input_clamped", "output_clamped", "total_unexplained", "above_context", "limit_ignored"])
  )),
  excessTokens: Schema.optionalKey(Schema.Number),
  references: Schema.optionalKey(References),
  usageSource: Schema.NullOr(Schema.Literals(["upstream", "estimated"])),
  usageFlagged: Schema.Boolean,
  status: Schema.NullOr(Schema.Number),
  reason: Schema.NullOr(Schema.String),
  channel: Schema.NullOr(Schema.String),
  upstreamModel: Schema.NullOr(Schema.String),
  latencyMs: Schema.NullOr(Schema.Number),
  ttftMs: Schema.NullOr(Schema.Number)
})

const CommitSchema = Schema.TaggedStruct("Commit", { id: Schema.String, outcome: Outcome, atMs: Schema.Number })
const VoidSchema = Schema.TaggedStruct("Void", { id: Schema.String, outcome: Outcome })

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
  tiers: Schema.optionalKey(Schema.Array(Schema.Struct({ ...prices, aboveInputTokens: Schema.Number }))),
  tools: Schema.optionalKey(
    Schema.Struct({ webSearchMicros: Schema.NullOr(Amount), fileSearchMicros: Schema.NullOr(Amount) })
  )
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
  tokensMin: Schema.Number,
  tokensDefault: Schema.optionalKey(Schema.Number),
  tokensMax: Schema.Number,
  halfAvailable: Schema.optionalKey(Schema.Boolean),
  counted: Schema.optionalKey(Schema.Boolean),
  openHoldsMax: Schema.optionalKey(Schema.Number),
  leaseSeconds: Schema.Number,
  atMs: Schema.Number
})

const ExtendSchema = Schema.TaggedStruct("Extend", {
  id: Schema.String,
  numerator: Amount,
  outputTokens: Schema.Number,
  atMs: Schema.Number
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
  outputTokens: Schema.Number,
  reservedAtMs: Schema.Number,
  counted: Schema.optionalKey(Schema.Boolean)
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
