/**
 * The calls of one user, one by one: pages for people and a stream for files, newest first. A page looks at a bounded number
 * of rows however rarely its filter matches, and says where to go on; nothing is held open between two pages.
 */
import { Context, Effect, Layer, Option, Stream } from "effect"
import { SqlClient } from "effect/sql"
import { isUuid } from "../domain/Ids.ts"
import { type CallItem, type CallRow, type CallState, itemColumns, toItem } from "./CallItem.ts"
import { bounded, UsageRefused, type UsageUnavailable } from "./UsageError.ts"
import { ID_SLACK_MS, type UsageFilter } from "./UsageFilter.ts"

export interface CallFilter extends UsageFilter {
  readonly state?: CallState | undefined
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
export const LOOKED_ROWS_MAX = 8_000

/**
 * $1 user, $2 and $3 range in ms, $4 cursor, $5 page size and one more, $6-$9 filter, $10 rows looked at. The ids looked at come from
 * the index of the user's calls, in order, and their rows are read only until the page is full. A page that is not tells the last row looked at,
 * unless those were all. Tombstones of requests that never got a hold have no endpoint, and are no calls.
 */
const looked =
  `SELECT id FROM usage_events WHERE (user_id, id) < ($1, least(realms_uuid_at_v1($3::bigint + ${ID_SLACK_MS}), $4::uuid))
      AND (user_id, id) >= ($1, realms_uuid_at_v1($2::bigint - ${ID_SLACK_MS}))`

const pageSql = `
  WITH found AS MATERIALIZED (
    SELECT e.* FROM (${looked} ORDER BY user_id DESC, id DESC LIMIT $10) i
      CROSS JOIN LATERAL (SELECT l.* FROM usage_events l WHERE l.id = i.id OFFSET 0) e
      WHERE reserved_at >= to_timestamp($2::bigint / 1000.0) AND reserved_at < to_timestamp($3::bigint / 1000.0)
        AND endpoint <> '' AND ($6::text IS NULL OR model = $6) AND ($7::bigint IS NULL OR key_id = $7)
        AND ($8::text IS NULL OR funding = $8) AND ($9::text IS NULL OR state = $9)
      LIMIT $5
  )
  SELECT (${looked} AND (SELECT count(*) FROM found) < $5 ORDER BY user_id DESC, id DESC OFFSET $10 - 1 LIMIT 1)
      AS looked_to,
    ${itemColumns}
  FROM (SELECT) one LEFT JOIN found e ON true LEFT JOIN api_keys k ON k.id = e.key_id AND k.user_id = $1
  ORDER BY e.id DESC`

/** Without a call in it, it is the only row of its page. */
type PageRow = { readonly looked_to: string | null } & (CallRow | { readonly id: null })

const toPage = (rows: ReadonlyArray<PageRow>, size: number): CallPage => {
  const found = rows.flatMap((row) => row.id === null ? [] : [toItem(row)])
  const items = found.slice(0, size)
  const next = (found.length > size ? items.at(-1)?.id : rows[0]?.looked_to) ?? undefined
  return { items, next, exhausted: next === undefined }
}

/** Above every id. */
const CURSOR_FIRST = "ffffffff-ffff-ffff-ffff-ffffffffffff"

const make = Effect.gen(function*() {
  const sql = yield* SqlClient.SqlClient

  const read = Effect.fnUntraced(function*(userId: bigint, filter: CallFilter, cursor: string, size: number) {
    if (!isUuid(cursor)) return yield* new UsageRefused({ reason: "bad_cursor" })
    if (filter.fromMs >= filter.toMs) return yield* new UsageRefused({ reason: "empty_range" })
    const rows = yield* bounded(sql.unsafe<PageRow>(pageSql, [
      userId,
      Math.trunc(filter.fromMs),
      Math.trunc(filter.toMs),
      cursor,
      size + 1,
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
