/**
 * A call's receipt as the gateway writes it, taken apart for a page.
 */
import { Effect, Schema } from "effect"
import type { Receipt } from "../../../../gateway/Receipts.ts"

const Amount = Schema.BigIntFromString
const OptionalAmount = Schema.NullOr(Amount)
const OptionalText = Schema.NullOr(Schema.String)
const OptionalNumber = Schema.NullOr(Schema.Number)

const CallReceipt = Schema.Struct({
  request_id: Schema.String,
  state: Schema.Literals(["reserved", "committed", "voided", "expired"]),
  endpoint: Schema.String,
  model: Schema.String,
  stream: Schema.Boolean,
  funding: Schema.Literals(["balance", "subscription", "free"]),
  reserved_micros: Amount,
  cost_micros: OptionalAmount,
  charged_micros: OptionalAmount,
  input_tokens: OptionalNumber,
  cached_input_tokens: OptionalNumber,
  cache_write_tokens: OptionalNumber,
  output_tokens: OptionalNumber,
  usage_source: Schema.NullOr(Schema.Literals(["upstream", "estimated"])),
  late: Schema.Boolean,
  input_micros_per_1m: Amount,
  cached_input_micros_per_1m: Amount,
  cache_write_micros_per_1m: OptionalAmount,
  output_micros_per_1m: Amount,
  billing_multiplier_micros: Amount,
  plan_multiplier_micros: Amount,
  status: OptionalNumber,
  reason: OptionalText,
  latency_ms: OptionalNumber,
  ttft_ms: OptionalNumber,
  reserved_at: Schema.DateTimeUtcFromString
})
export type CallReceipt = typeof CallReceipt.Type

const decode = Schema.decodeUnknownEffect(CallReceipt)

/** A receipt that is not as the gateway writes it is a defect. */
export const readReceipt = (receipt: Receipt): Effect.Effect<CallReceipt> => Effect.orDie(decode(receipt))
