/**
 * The receipt of one call: what was held, used, priced and charged, as its row says. Only its own user sees it.
 */
import { Context, Effect, Layer, Option, Schema, SchemaTransformation, Struct } from "effect"
import { SqlClient, type SqlError } from "effect/sql"
import { chargedOf } from "../accounts/Charged.ts"
import { PriceExtras, priceSnapshotOf } from "../accounts/PriceExtras.ts"
import { isUuid, type UserId } from "../domain/Ids.ts"
import { Micros } from "../domain/Money.ts"
import { pricesAt, type PriceSnapshot } from "../domain/Price.ts"
import { Count, Millis, Row, RowWith } from "../domain/Row.ts"
import type { DatabaseUnavailable } from "../postgres/DatabaseUnavailable.ts"
import { rowOf } from "../postgres/Rows.ts"
import { CallItem, itemColumns } from "./CallItem.ts"
import { bounded } from "./UsageRefused.ts"

/** A receipt with snake_case fields; amounts in micros as decimal strings. */
export type Receipt = Readonly<Record<string, string | number | boolean | null>>

/** Words with spaces between them; null: none. */
const Words = Schema.NullOr(Schema.String).pipe(
  Schema.decodeTo(
    Schema.Array(Schema.String),
    SchemaTransformation.transform<ReadonlyArray<string>, string | null>({
      decode: (text) => text === null ? [] : text.split(" "),
      encode: (words) => words.length === 0 ? null : words.join(" ")
    })
  )
)

/** A call, and what its charge was computed from besides its prices. */
const ReceiptItem = RowWith(CallItem, {
  channel: Schema.NullOr(Schema.String),
  upstreamModel: Schema.NullOr(Schema.String),
  /** True when the upstream's numbers were impossible and were clamped. */
  usageFlagged: Schema.Boolean,
  /** Codes of what was wrong with the reported usage. */
  usageFlags: Words,
  /** Input tokens that the upstream reported above the call's ceiling, which were not charged; null: none. */
  excessTokens: Schema.NullOr(Count),
  /** The hold was a counted bound, below the call's ceiling. */
  counted: Schema.Boolean,
  /** Multipliers scaled by 10^6. */
  billingMultiplier: Schema.BigInt,
  planMultiplier: Schema.BigInt,
  groupMultiplier: Schema.BigInt,
  settledAtMs: Schema.NullOr(Millis)
}, {
  billingMultiplier: "billing_multiplier_micros",
  planMultiplier: "plan_multiplier_micros",
  groupMultiplier: "group_multiplier_micros",
  settledAtMs: "settled_at"
})

/** A receipt for a page. */
export interface CallReceipt extends Schema.Schema.Type<typeof ReceiptItem> {
  /** The unit prices used, which are those of the tier of the call's input. */
  readonly price: PriceSnapshot
}

/** The prices of a call's row. */
const CallPrices = Row({
  inputMicrosPer1m: Micros,
  cachedInputMicrosPer1m: Micros,
  cacheWriteMicrosPer1m: Schema.NullOr(Micros),
  outputMicrosPer1m: Micros,
  /** As it is stored: what this version cannot read adds nothing. */
  priceExtras: Schema.Unknown
})

/** The columns of `receiptColumns`. */
export const PricedReceipt = RowWith(ReceiptItem, CallPrices.fields)

export class Receipts extends Context.Service<Receipts, {
  /** The receipt as the API gives it; undefined when the user has no such call. */
  find(userId: UserId, id: string): Effect.Effect<Receipt | undefined, SqlError.SqlError>
  /** The same as a value; undefined when the user has no such call. */
  receipt(userId: UserId, id: string): Effect.Effect<CallReceipt | undefined, DatabaseUnavailable>
}>()("realms/usage/Receipts") {
  static readonly layer = Layer.effect(Receipts)(Effect.gen(function*() {
    const sql = yield* SqlClient.SqlClient
    const find = Effect.fn("Receipts.find")(function*(userId: UserId, id: string) {
      if (!isUuid(id)) return undefined
      const columns = yield* rowOf(Columns, sql.unsafe(receiptSql, [id, userId]))
      return columns === undefined ? undefined : encode(columns, yield* Effect.orDie(decodePriced(columns)))
    })
    const receipt = Effect.fn("Receipts.receipt")(function*(userId: UserId, id: string) {
      if (!isUuid(id)) return undefined
      const row = yield* bounded(rowOf(PricedReceipt, sql.unsafe(callReceiptSql, [id, userId])))
      return row === undefined ? undefined : toReceipt(row)
    })
    return Receipts.of({ find, receipt })
  }))
}

const receiptSql = `
  SELECT id, state, endpoint, model, upstream_model, channel, stream, funding, subscription_id, reserved_micros,
    cost_micros, ${
  chargedOf("calls")
} AS charged_micros, input_tokens, cached_input_tokens, cache_write_tokens, output_tokens, web_search_calls,
    file_search_calls, usage_source, usage_flagged, usage_flags, excess_tokens, counted, late, price_extras, input_micros_per_1m, cached_input_micros_per_1m, cache_write_micros_per_1m, output_micros_per_1m,
    billing_multiplier_micros, plan_multiplier_micros, group_multiplier_micros, status, reason, latency_ms, ttft_ms, reserved_at, settled_at
  FROM calls WHERE id = $1 AND user_id = $2`

/** Of a row `e` of `calls` and its key `k`, if it has one. */
export const receiptColumns =
  `${itemColumns}, e.channel, e.upstream_model, e.usage_flagged, e.usage_flags, e.excess_tokens, e.counted, e.price_extras,
    e.input_micros_per_1m, e.cached_input_micros_per_1m, e.cache_write_micros_per_1m, e.output_micros_per_1m, e.billing_multiplier_micros, e.plan_multiplier_micros,
    e.group_multiplier_micros, e.settled_at`

const callReceiptSql = `
  SELECT ${receiptColumns}
  FROM calls e LEFT JOIN api_keys k ON k.id = e.key_id AND k.user_id = e.user_id
  WHERE e.id = $1 AND e.user_id = $2`

const decodeExtras = Schema.decodeUnknownOption(PriceExtras)

/** What the prices of a call depend on. */
const PricedCall = RowWith(
  CallPrices,
  Struct.pick(CallItem.fields, ["inputTokens", "cachedInputTokens", "cacheWriteTokens"])
)

/** The snapshot, its unit prices those of the tier that the call's input has reached. */
const usedPrice = (call: typeof PricedCall.Type): PriceSnapshot => {
  const snapshot = priceSnapshotOf({
    inputMicrosPer1m: call.inputMicrosPer1m,
    cachedInputMicrosPer1m: call.cachedInputMicrosPer1m,
    cacheWriteMicrosPer1m: call.cacheWriteMicrosPer1m,
    outputMicrosPer1m: call.outputMicrosPer1m
  }, Option.getOrNull(decodeExtras(call.priceExtras)))
  const input = (call.inputTokens ?? 0) + (call.cachedInputTokens ?? 0) + (call.cacheWriteTokens ?? 0)
  const { cacheWriteMicrosPer1m, cachedInputMicrosPer1m, inputMicrosPer1m, outputMicrosPer1m } = pricesAt(
    snapshot,
    input
  )
  return { ...snapshot, inputMicrosPer1m, cachedInputMicrosPer1m, cacheWriteMicrosPer1m, outputMicrosPer1m }
}

export const toReceipt = (row: typeof PricedReceipt.Type): CallReceipt => ({
  ...Struct.omit(row, [
    "inputMicrosPer1m",
    "cachedInputMicrosPer1m",
    "cacheWriteMicrosPer1m",
    "outputMicrosPer1m",
    "priceExtras"
  ]),
  price: usedPrice(row)
})

const counts = new Set(["input_tokens", "cached_input_tokens", "cache_write_tokens", "output_tokens", "excess_tokens"])

/** The columns of `receiptSql` by their names, under which the API gives them. */
const Columns = Schema.Record(Schema.String, Schema.Unknown)

const decodePriced = Schema.decodeUnknownEffect(PricedCall)

const encode = ({ price_extras: _, ...columns }: typeof Columns.Type, call: typeof PricedCall.Type): Receipt => {
  const receipt: Record<string, string | number | boolean | null> = {}
  const price = usedPrice(call)
  const used = {
    input_micros_per_1m: price.inputMicrosPer1m,
    cached_input_micros_per_1m: price.cachedInputMicrosPer1m,
    cache_write_micros_per_1m: price.cacheWriteMicrosPer1m,
    output_micros_per_1m: price.outputMicrosPer1m,
    web_search_micros: price.tools?.webSearchMicros ?? null,
    file_search_micros: price.tools?.fileSearchMicros ?? null
  }
  for (const [name, value] of Object.entries<unknown>({ ...columns, ...used })) {
    if (typeof value === "bigint") receipt[name] = counts.has(name) ? Number(value) : value.toString()
    else if (value instanceof Date) receipt[name] = value.toISOString()
    else if (typeof value === "string" || typeof value === "number" || typeof value === "boolean") receipt[name] = value
    else receipt[name] = null
  }
  return { object: "usage", request_id: String(columns["id"]), ...receipt }
}
