/**
 * The calls of one user, one by one: pages for people and a stream for files, newest first. A page looks at a bounded number
 * of rows however rarely its filter matches, and says where to go on; nothing is held open between two pages.
 */
import { Context, Effect, Layer, Option, Stream } from "effect"
import { SqlClient } from "effect/sql"
import { isUuid } from "../domain/Ids.ts"
import { bounded, UsageRefused, type UsageUnavailable } from "./UsageError.ts"
import { ID_SLACK_MS, type UsageFilter } from "./UsageFilter.ts"

export type CallState = "reserved" | "committed" | "voided" | "expired"

export interface CallFilter extends UsageFilter {
  readonly state?: CallState | undefined
}

/** A call as its row says. Amounts in micros, times in ms; what is not known yet is null. */
export interface CallItem {
  /** The request id. */
  readonly id: string
  readonly atMs: number
  readonly endpoint: string
  readonly model: string
  readonly keyId: bigint | null
  readonly keyName: string | null
  readonly keyHint: string | null
  readonly state: CallState
  readonly funding: "balance" | "subscription" | "free"
  readonly subscriptionId: bigint | null
  readonly reservedMicros: bigint
  readonly costMicros: bigint | null
  readonly chargedMicros: bigint | null
  readonly inputTokens: number | null
  readonly cachedInputTokens: number | null
  readonly cacheWriteTokens: number | null
  readonly outputTokens: number | null
  readonly usageSource: "upstream" | "estimated" | null
  readonly late: boolean
  readonly stream: boolean
  readonly status: number | null
  readonly reason: string | null
  readonly latencyMs: number | null
  readonly ttftMs: number | null
}

export interface CallPage {
  /** Newest first. May be short, even empty, while there is more. */
  readonly items: ReadonlyArray<CallItem>
  /** The cursor of what comes after; undefined at the end. */
  readonly next: string | undefined
  /** True when nothing comes after this page. */
  readonly exhausted: boolean
}

export class CallList extends Context.Service<CallList, {
  /** 50 calls at most, after `cursor`, which is the `next` of another page of the same filter. */
  page(
    userId: bigint,
    filter: CallFilter,
    cursor?: string
  ): Effect.Effect<CallPage, UsageRefused | UsageUnavailable>
  /** All calls that the filter matches, newest first, read as they are taken. A call may change while they are. */
  rows(userId: bigint, filter: CallFilter): Stream.Stream<CallItem, UsageRefused | UsageUnavailable>
}>()("realms/usage/CallList") {
  static readonly layer = Layer.effect(CallList, Effect.suspend(() => make))
}

const PAGE_ITEMS = 50
const STREAM_ITEMS = 1_000

/** Rows that one page looks at, at most. */
export const LOOKED_ROWS_MAX = 20_000

/**
 * $1 user, $2 and $3 range in ms, $4 cursor, $5 page size, $6-$9 filter, $10 rows looked at. The rows looked at are a subquery
 * with a limit of its own, read in order and only until the page is full. A page that is not tells the last row looked at,
 * unless those were all. Tombstones of requests that never got a hold have no endpoint, and are no calls.
 */
const inRange = `user_id = $1 AND id < least(realms_uuid_at_v1($3::bigint + ${ID_SLACK_MS}), $4::uuid)
      AND id >= realms_uuid_at_v1($2::bigint - ${ID_SLACK_MS})`

const pageSql = `
  WITH found AS MATERIALIZED (
    SELECT * FROM (SELECT * FROM usage_events WHERE ${inRange} ORDER BY id DESC LIMIT $10) e
      WHERE reserved_at >= to_timestamp($2::bigint / 1000.0) AND reserved_at < to_timestamp($3::bigint / 1000.0)
        AND endpoint <> '' AND ($6::text IS NULL OR model = $6) AND ($7::bigint IS NULL OR key_id = $7)
        AND ($8::text IS NULL OR funding = $8) AND ($9::text IS NULL OR state = $9)
      ORDER BY id DESC LIMIT $5
  )
  SELECT (SELECT id FROM usage_events WHERE (SELECT count(*) FROM found) < $5 AND ${inRange}
      ORDER BY id DESC OFFSET $10 - 1 LIMIT 1) AS looked_to,
    e.id, floor(extract(epoch FROM e.reserved_at) * 1000)::float8 AS at_ms, e.endpoint, e.model, e.key_id, k.name AS key_name,
    k.hint AS key_hint, e.state, e.funding, e.subscription_id, e.reserved_micros, e.cost_micros, e.charged_micros,
    e.input_tokens, e.cached_input_tokens, e.cache_write_tokens, e.output_tokens, e.usage_source, e.late, e.stream, e.status,
    e.reason, e.latency_ms, e.ttft_ms
  FROM (SELECT) one LEFT JOIN found e ON true LEFT JOIN api_keys k ON k.id = e.key_id AND k.user_id = $1
  ORDER BY e.id DESC`

interface CallRow {
  readonly looked_to: string | null
  /** Null in the only row of a page without calls. */
  readonly id: string | null
  readonly at_ms: number
  readonly endpoint: string
  readonly model: string
  readonly key_id: bigint | null
  readonly key_name: string | null
  readonly key_hint: string | null
  readonly state: CallState
  readonly funding: CallItem["funding"]
  readonly subscription_id: bigint | null
  readonly reserved_micros: bigint
  readonly cost_micros: bigint | null
  readonly charged_micros: bigint | null
  readonly input_tokens: bigint | null
  readonly cached_input_tokens: bigint | null
  readonly cache_write_tokens: bigint | null
  readonly output_tokens: bigint | null
  readonly usage_source: CallItem["usageSource"]
  readonly late: boolean
  readonly stream: boolean
  readonly status: number | null
  readonly reason: string | null
  readonly latency_ms: number | null
  readonly ttft_ms: number | null
}

const count = (tokens: bigint | null): number | null => tokens === null ? null : Number(tokens)

const toItem = (row: CallRow, id: string): CallItem => ({
  id,
  atMs: row.at_ms,
  endpoint: row.endpoint,
  model: row.model,
  keyId: row.key_id,
  keyName: row.key_name,
  keyHint: row.key_hint,
  state: row.state,
  funding: row.funding,
  subscriptionId: row.subscription_id,
  reservedMicros: row.reserved_micros,
  costMicros: row.cost_micros,
  chargedMicros: row.charged_micros,
  inputTokens: count(row.input_tokens),
  cachedInputTokens: count(row.cached_input_tokens),
  cacheWriteTokens: count(row.cache_write_tokens),
  outputTokens: count(row.output_tokens),
  usageSource: row.usage_source,
  late: row.late,
  stream: row.stream,
  status: row.status,
  reason: row.reason,
  latencyMs: row.latency_ms,
  ttftMs: row.ttft_ms
})

const toPage = (rows: ReadonlyArray<CallRow>, size: number): CallPage => {
  const items = rows.flatMap((row) => row.id === null ? [] : [toItem(row, row.id)])
  const next = (items.length === size ? items.at(-1)?.id : rows[0]?.looked_to) ?? undefined
  return { items, next, exhausted: next === undefined }
}

/** Above every id. */
const CURSOR_FIRST = "ffffffff-ffff-ffff-ffff-ffffffffffff"

const make = Effect.gen(function*() {
  const sql = yield* SqlClient.SqlClient

  const read = Effect.fnUntraced(function*(userId: bigint, filter: CallFilter, cursor: string, size: number) {
    if (!isUuid(cursor)) return yield* new UsageRefused({ reason: "bad_cursor" })
    if (filter.fromMs >= filter.toMs) return yield* new UsageRefused({ reason: "empty_range" })
    const rows = yield* bounded(sql.unsafe<CallRow>(pageSql, [
      userId,
      Math.trunc(filter.fromMs),
      Math.trunc(filter.toMs),
      cursor,
      size,
      filter.model ?? null,
      filter.keyId ?? null,
      filter.funding ?? null,
      filter.state ?? null,
      LOOKED_ROWS_MAX
    ]))
    return toPage(rows, size)
  })

  return CallList.of({
    page: Effect.fn("CallList.page")(function*(userId: bigint, filter: CallFilter, cursor?: string) {
      return yield* read(userId, filter, cursor ?? CURSOR_FIRST, PAGE_ITEMS)
    }),
    rows: (userId, filter) =>
      Stream.paginate(CURSOR_FIRST, (cursor) =>
        Effect.map(
          read(userId, filter, cursor, STREAM_ITEMS),
          (page) => [page.items, Option.fromUndefinedOr(page.next)] as const
        ))
  })
})
