/**
 * How pages of calls are read, one user's or everybody's: newest first, by ids from an index, in order, whose rows are read
 * only until the page is full. A page looks at a bounded number of rows however rarely its filter matches. Calls that were refused
 * before they had a hold are in the list, too, where the filter asks for them.
 *
 * @internal
 */
import { Effect, Option, Schema, Stream } from "effect"
import type { SqlClient } from "effect/sql"
import { isUuid, type UserId } from "../domain/Ids.ts"
import { Row } from "../domain/Row.ts"
import { rowOf, rowsOf } from "../postgres/Rows.ts"
import { itemColumns, type ListedState } from "./CallItem.ts"
import { ID_SLACK_MS, type UsageFilter } from "./UsageFilter.ts"
import { bounded, UsageRefused } from "./UsageRefused.ts"

/** What the answer to a call was: by its status, none at all, or any reason besides that it was answered. */
export const statusClasses = ["2xx", "4xx", "5xx", "none", "trouble"] as const
export type StatusClass = typeof statusClasses[number]

export interface CallFilter extends UsageFilter {
  readonly state?: ListedState | undefined
  readonly status?: StatusClass | undefined
  /** With those that were refused, which have no payer. */
  readonly refused?: boolean | undefined
}

/** What only root asks for. */
export interface WideCallFilter extends CallFilter {
  /** Undefined: everybody's. */
  readonly userId?: UserId | undefined
  readonly channel?: string | undefined
}

export interface CallPage<Item> {
  /** Newest first. May be short, even empty, while there is more. */
  readonly items: ReadonlyArray<Item>
  /** The cursor of what comes after; undefined at the end. */
  readonly next: string | undefined
  /** True when nothing comes after this page. */
  readonly exhausted: boolean
}

const PAGE_ITEMS = 50
const STREAM_ITEMS = 1_000

/** Rows that one page looks at, at most. */
export const LOOKED_ROWS_MAX = 5_000

/** Above every id. */
const CURSOR_FIRST = "ffffffff-ffff-ffff-ffff-ffffffffffff"

/** What a list shows of a call, and is narrowed by, in the order of its rows. */
const columnNames =
  `id, user_id, key_id, endpoint, model, reserved_at, state, funding, subscription_id, reserved_micros,
    cost_micros, charged_micros, late_charged_micros, input_tokens, cached_input_tokens, cache_write_tokens, output_tokens,
    web_search_calls, file_search_calls, usage_source, late, stream, status, reason, latency_ms, ttft_ms, channel`

/** The same of a refused call. */
const refusedColumns =
  `id, user_id, key_id, endpoint, model, at, 'refused', NULL, NULL, 0, NULL, NULL, 0, NULL, NULL, NULL, NULL,
    NULL, NULL, NULL, false, false, status, code, NULL, NULL, NULL`

/** Ids of the range and of what is before the cursor. */
const idFrom = `realms_uuid_at_v1($1::bigint - ${ID_SLACK_MS})`
const idBefore = `least(realms_uuid_at_v1($2::bigint + ${ID_SLACK_MS}), $3::uuid)`

/**
 * The ids of calls, newest first, as they are taken: $13's, or everybody's. Of a few columns, and without conditions of their own,
 * the planner can merge the indexes of the tables; one without calls of the state asked for is not opened.
 */
const scopes = {
  user: `realms_call_ids_v1($13, ${idFrom}, ${idBefore}, $8, $12, $9::integer)`,
  everybody: `(SELECT user_id, id, place FROM (
      SELECT user_id, id, 'ended' AS place FROM usage_events
      UNION ALL SELECT user_id, id, 'open' FROM open_holds
      UNION ALL SELECT user_id, id, 'refused' FROM refused_calls
    ) c
    WHERE id < ${idBefore} AND id >= ${idFrom}
      AND ($8::text IS NULL OR place = CASE $8 WHEN 'reserved' THEN 'open' WHEN 'refused' THEN 'refused' ELSE 'ended' END)
      AND ($12::boolean OR place <> 'refused')
    ORDER BY id DESC LIMIT $9)`
} as const

/**
 * $1 and $2 range in ms, $3 cursor, $4 page size and one more, $5-$8 filter, $9 rows looked at, $10-$12 filter. A page that
 * is not full tells the last row looked at, unless those were all. Tombstones of requests that never got a hold have no
 * endpoint, and are no calls.
 */
export const callPageSql = (scope: keyof typeof scopes, columns = "", joins = ""): string => `
  WITH found AS MATERIALIZED (
    SELECT e.* FROM ${scopes[scope]} i
      CROSS JOIN LATERAL (
        SELECT ${columnNames} FROM usage_events l WHERE l.id = i.id AND i.place = 'ended'
        UNION ALL SELECT ${columnNames} FROM open_calls l WHERE l.id = i.id AND i.place = 'open'
        UNION ALL SELECT ${refusedColumns} FROM refused_calls l
          WHERE l.user_id = i.user_id AND l.id = i.id AND i.place = 'refused'
      ) e
      WHERE reserved_at >= to_timestamp($1::bigint / 1000.0) AND reserved_at < to_timestamp($2::bigint / 1000.0)
        AND endpoint <> '' AND ($5::text IS NULL OR model = $5) AND ($6::bigint IS NULL OR key_id = $6)
        AND ($7::text IS NULL OR funding = $7) AND ($8::text IS NULL OR state = $8)
        AND ($10::text IS NULL OR channel = $10)
        AND CASE $11::text WHEN 'trouble' THEN reason IS NOT NULL WHEN 'none' THEN status IS NULL
          ELSE $11 IS NULL OR left(status::text, 1) = left($11, 1) END
      LIMIT $4
  )
  SELECT (SELECT id FROM ${scopes[scope]} i WHERE (SELECT count(*) FROM found) < $4 OFFSET $9 - 1 LIMIT 1)
    AS looked_to, ${itemColumns} ${columns}
  FROM (SELECT) one LEFT JOIN found e ON true LEFT JOIN api_keys k ON k.id = e.key_id AND k.user_id = e.user_id ${joins}
  ORDER BY e.id DESC`

/** Of every row of a page. */
const PageEnd = Row({ lookedTo: Schema.NullOr(Schema.String) })

/** Without a call in it, it is the only row of its page. */
const isEmpty = Schema.is(Schema.Struct({ id: Schema.Null }))

/** Reads pages of a scope; `item` knows the columns asked for besides those of every call. */
export const callReader = <Item extends Schema.ConstraintDecoder<{ readonly id: string }>>(
  sql: SqlClient.SqlClient,
  item: Item,
  { columns, joins }: { readonly columns?: string; readonly joins?: string } = {}
) => {
  const texts = {
    user: callPageSql("user", columns, joins),
    everybody: callPageSql("everybody", columns, joins)
  }

  const page = Effect.fnUntraced(function*(filter: WideCallFilter, cursor: string, size: number) {
    if (!isUuid(cursor)) return yield* new UsageRefused({ reason: "bad_cursor" })
    if (filter.fromMs >= filter.toMs) return yield* new UsageRefused({ reason: "empty_range" })
    const rows = yield* bounded(
      sql.unsafe(texts[filter.userId === undefined ? "everybody" : "user"], [
        Math.trunc(filter.fromMs),
        Math.trunc(filter.toMs),
        cursor,
        size + 1,
        filter.model ?? null,
        filter.keyId ?? null,
        filter.funding ?? null,
        filter.state ?? null,
        LOOKED_ROWS_MAX,
        filter.channel ?? null,
        filter.status ?? null,
        filter.refused ?? false,
        ...(filter.userId === undefined ? [] : [filter.userId])
      ])
    )
    const found = yield* rowsOf(item, Effect.succeed(rows.filter((row) => !isEmpty(row))))
    const end = yield* rowOf(PageEnd, Effect.succeed(rows.slice(0, 1)))
    const items = found.slice(0, size)
    const next = (found.length > size ? items.at(-1)?.id : end?.lookedTo) ?? undefined
    return { items, next, exhausted: next === undefined } satisfies CallPage<Item["Type"]>
  })

  return {
    page: (filter: WideCallFilter, cursor: string | undefined) => page(filter, cursor ?? CURSOR_FIRST, PAGE_ITEMS),
    rows: (filter: WideCallFilter) =>
      Stream.paginate(CURSOR_FIRST, (cursor) =>
        Effect.map(
          page(filter, cursor, STREAM_ITEMS),
          ({ items, next }) => [items, Option.fromUndefinedOr(next)] as const
        ))
  }
}
