/**
 * The receipt of one call: what was held, used, priced and charged, as its row says. Only its own user sees it.
 */
import { Context, Effect, Layer, Option, Schema } from "effect"
import { SqlClient, type SqlError } from "effect/sql"
import { chargedOf } from "../accounts/Charged.ts"
import { PriceExtras, priceSnapshotOf } from "../accounts/PriceExtras.ts"
import { isUuid } from "../domain/Ids.ts"
import { pricesAt, type PriceSnapshot } from "../domain/Price.ts"
import type { DatabaseUnavailable } from "../postgres/DatabaseUnavailable.ts"
import { type CallItem, type CallRow, itemColumns, toItem } from "./CallItem.ts"
import { bounded } from "./UsageRefused.ts"

/** A receipt with snake_case fields; amounts in micros as decimal strings. */
export type Receipt = Readonly<Record<string, string | number | boolean | null>>

/** A receipt for a page: the call, and what it was computed from. */
export interface CallReceipt extends CallItem {
  readonly channel: string | null
  readonly upstreamModel: string | null
  /** True when the upstream's numbers were impossible and were clamped. */
  readonly usageFlagged: boolean
  /** Codes of what was wrong with the reported usage. */
  readonly usageFlags: ReadonlyArray<string>
  /** Input tokens that the upstream reported above the call's ceiling, which were not charged; null: none. */
  readonly excessTokens: number | null
  /** The hold was a counted bound, below the call's ceiling. */
  readonly counted: boolean
  /** The unit prices used, which are those of the tier of the call's input. */
  readonly price: PriceSnapshot
  /** Multipliers scaled by 10^6. */
  readonly billingMultiplier: bigint
  readonly planMultiplier: bigint
  readonly settledAtMs: number | null
}

export class Receipts extends Context.Service<Receipts, {
  /** The receipt as the API gives it; undefined when the user has no such call. */
  find(userId: bigint, id: string): Effect.Effect<Receipt | undefined, SqlError.SqlError>
  /** The same as a value; undefined when the user has no such call. */
  receipt(userId: bigint, id: string): Effect.Effect<CallReceipt | undefined, DatabaseUnavailable>
}>()("realms/usage/Receipts") {
  static readonly layer = Layer.effect(
    Receipts,
    Effect.gen(function*() {
      const sql = yield* SqlClient.SqlClient
      const find = Effect.fn("Receipts.find")(function*(userId: bigint, id: string) {
        if (!isUuid(id)) return undefined
        const [row] = yield* sql.unsafe<ApiRow>(receiptSql, [id, userId])
        return row === undefined ? undefined : encode(row)
      })
      const receipt = Effect.fn("Receipts.receipt")(function*(userId: bigint, id: string) {
        if (!isUuid(id)) return undefined
        const [row] = yield* bounded(sql.unsafe<ReceiptRow>(callReceiptSql, [id, userId]))
        return row === undefined ? undefined : toReceipt(row)
      })
      return Receipts.of({ find, receipt })
    })
  )
}

const receiptSql = `
  SELECT id, state, endpoint, model, upstream_model, channel, stream, funding, subscription_id, reserved_micros,
    cost_micros, ${
  chargedOf("usage_events")
} AS charged_micros, input_tokens, cached_input_tokens, cache_write_tokens, output_tokens, web_search_calls,
    file_search_calls, usage_source, usage_flagged, usage_flags, excess_tokens, counted, late, price_extras, input_micros_per_1m, cached_input_micros_per_1m, cache_write_micros_per_1m, output_micros_per_1m,
    billing_multiplier_micros, plan_multiplier_micros, status, reason, latency_ms, ttft_ms, reserved_at, settled_at
  FROM usage_events WHERE id = $1 AND user_id = $2`

/** Of a row `e` of `usage_events` and its key `k`, if it has one. */
export const receiptColumns =
  `${itemColumns}, e.channel, e.upstream_model, e.usage_flagged, e.usage_flags, e.excess_tokens, e.counted, e.price_extras,
    e.input_micros_per_1m, e.cached_input_micros_per_1m, e.cache_write_micros_per_1m, e.output_micros_per_1m, e.billing_multiplier_micros, e.plan_multiplier_micros, e.settled_at`

const callReceiptSql = `
  SELECT ${receiptColumns}
  FROM usage_events e LEFT JOIN api_keys k ON k.id = e.key_id AND k.user_id = e.user_id
  WHERE e.id = $1 AND e.user_id = $2`

/** The columns of `receiptColumns`. */
export interface ReceiptRow extends CallRow {
  readonly channel: string | null
  readonly upstream_model: string | null
  readonly usage_flagged: boolean
  readonly usage_flags: string | null
  readonly excess_tokens: bigint | null
  readonly counted: boolean
  readonly price_extras: unknown
  readonly input_micros_per_1m: bigint
  readonly cached_input_micros_per_1m: bigint
  readonly cache_write_micros_per_1m: bigint | null
  readonly output_micros_per_1m: bigint
  readonly billing_multiplier_micros: bigint
  readonly plan_multiplier_micros: bigint
  readonly settled_at: Date | null
}

const decodeExtras = Schema.decodeUnknownOption(PriceExtras)

type PricedRow = Pick<
  ReceiptRow,
  | "price_extras"
  | "input_micros_per_1m"
  | "cached_input_micros_per_1m"
  | "cache_write_micros_per_1m"
  | "output_micros_per_1m"
  | "input_tokens"
  | "cached_input_tokens"
  | "cache_write_tokens"
>

/** The snapshot, its unit prices those of the tier that the call's input has reached. */
const usedPrice = (row: PricedRow): PriceSnapshot => {
  const snapshot = priceSnapshotOf({
    inputMicrosPer1m: row.input_micros_per_1m,
    cachedInputMicrosPer1m: row.cached_input_micros_per_1m,
    cacheWriteMicrosPer1m: row.cache_write_micros_per_1m,
    outputMicrosPer1m: row.output_micros_per_1m
  }, Option.getOrNull(decodeExtras(row.price_extras)))
  const input = (row.input_tokens ?? 0n) + (row.cached_input_tokens ?? 0n) + (row.cache_write_tokens ?? 0n)
  const { cacheWriteMicrosPer1m, cachedInputMicrosPer1m, inputMicrosPer1m, outputMicrosPer1m } = pricesAt(
    snapshot,
    Number(input)
  )
  return { ...snapshot, inputMicrosPer1m, cachedInputMicrosPer1m, cacheWriteMicrosPer1m, outputMicrosPer1m }
}

export const toReceipt = (row: ReceiptRow): CallReceipt => ({
  ...toItem(row),
  channel: row.channel,
  upstreamModel: row.upstream_model,
  usageFlagged: row.usage_flagged,
  usageFlags: row.usage_flags === null ? [] : row.usage_flags.split(" "),
  excessTokens: row.excess_tokens === null ? null : Number(row.excess_tokens),
  counted: row.counted,
  price: usedPrice(row),
  billingMultiplier: row.billing_multiplier_micros,
  planMultiplier: row.plan_multiplier_micros,
  settledAtMs: row.settled_at?.getTime() ?? null
})

const counts = new Set(["input_tokens", "cached_input_tokens", "cache_write_tokens", "output_tokens", "excess_tokens"])

type ApiRow = PricedRow & Readonly<Record<string, unknown>>

const encode = ({ price_extras, ...columns }: ApiRow): Receipt => {
  const receipt: Record<string, string | number | boolean | null> = {}
  const price = usedPrice({ price_extras, ...columns })
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
