/**
 * The receipt of one call: what was held, used, priced and charged, as its row says. Only its own user sees it.
 */
import { Context, Effect, Layer } from "effect"
import { SqlClient, type SqlError } from "effect/sql"
import { isUuid } from "../domain/Ids.ts"

/** A receipt with snake_case fields; amounts in micros as decimal strings. */
export type Receipt = Readonly<Record<string, string | number | boolean | null>>

export class Receipts extends Context.Service<Receipts, {
  /** Undefined when the user has no such call. */
  find(userId: bigint, id: string): Effect.Effect<Receipt | undefined, SqlError.SqlError>
}>()("realms/gateway/Receipts") {
  static readonly layer = Layer.effect(
    Receipts,
    Effect.gen(function*() {
      const sql = yield* SqlClient.SqlClient
      const find = Effect.fn("Receipts.find")(function*(userId: bigint, id: string) {
        if (!isUuid(id)) return undefined
        const [row] = yield* sql.unsafe<Readonly<Record<string, unknown>>>(receiptSql, [id, userId])
        return row === undefined ? undefined : encode(row)
      })
      return Receipts.of({ find })
    })
  )
}

const receiptSql = `
  SELECT id, state, endpoint, model, upstream_model, channel, stream, funding, subscription_id, reserved_micros,
    cost_micros, charged_micros, input_tokens, cached_input_tokens, cache_write_tokens, output_tokens, usage_source,
    usage_flagged, late, input_micros_per_1m, cached_input_micros_per_1m, cache_write_micros_per_1m, output_micros_per_1m,
    billing_multiplier_micros, plan_multiplier_micros, status, reason, latency_ms, ttft_ms, reserved_at, settled_at
  FROM usage_events WHERE id = $1 AND user_id = $2`

const counts = new Set(["input_tokens", "cached_input_tokens", "cache_write_tokens", "output_tokens"])

const encode = (row: Readonly<Record<string, unknown>>): Receipt => {
  const receipt: Record<string, string | number | boolean | null> = {}
  for (const [name, value] of Object.entries(row)) {
    if (typeof value === "bigint") receipt[name] = counts.has(name) ? Number(value) : value.toString()
    else if (value instanceof Date) receipt[name] = value.toISOString()
    else if (typeof value === "string" || typeof value === "number" || typeof value === "boolean") receipt[name] = value
    else receipt[name] = null
  }
  return { object: "usage", request_id: String(row.id), ...receipt }
}
