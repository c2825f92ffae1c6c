/**
 * The API keys of a user with what each has spent, page by page: those that are in use, of which there are few, in any order, and all
 * that there ever were by their ids. Everything is read by index, and a page costs the same however many keys there are.
 */
import { Context, Effect, Layer } from "effect"
import { SqlClient } from "effect/sql"
import type { ApiKeyId, UserId } from "../domain/Ids.ts"
import { type DatabaseUnavailable, orUnavailable } from "../postgres/DatabaseUnavailable.ts"
import { type IdPage, rowOf, rowsOf } from "../postgres/Rows.ts"
import { SpendingApiKey } from "./ApiKey.ts"
import { countLiveKeys, LISTED_SQL, LIVE_KEYS_MAX, LIVE_SQL } from "./ApiKeyStore.ts"
import { foldedTotalSql, spentSql, unfoldedSql } from "./KeySpentSql.ts"

/** Orders of the keys in use: newest first, by name, most spent first, or last used first. */
export const keyOrders = ["newest", "name", "spent", "used"] as const
export type KeyOrder = typeof keyOrders[number]

/** Keys that a user may have in use, at most. */
export const KEYS_MAX = LIVE_KEYS_MAX

export interface LivePage {
  /** Part of a name or of a hint. */
  readonly text?: string | undefined
  readonly order: KeyOrder
  readonly limit: number
  /** How many come before. */
  readonly skipped: number
}

export interface KeyPage extends IdPage {
  readonly text?: string | undefined
  /** Only those that are revoked or expired. */
  readonly isEnded?: boolean
}

export class KeyList extends Context.Service<KeyList, {
  /** How many of the user's keys are neither revoked nor expired. */
  countLive(userId: UserId): Effect.Effect<number, DatabaseUnavailable>
  /** Keys that are neither revoked nor expired. */
  live(userId: UserId, page: LivePage): Effect.Effect<ReadonlyArray<SpendingApiKey>, DatabaseUnavailable>
  /** Newest first. */
  page(userId: UserId, page: KeyPage): Effect.Effect<ReadonlyArray<SpendingApiKey>, DatabaseUnavailable>
  /** Undefined: the user has no such key. */
  find(userId: UserId, id: ApiKeyId): Effect.Effect<SpendingApiKey | undefined, DatabaseUnavailable>
}>()("realms/identity/KeyList") {
  static readonly layer = Layer.effect(KeyList)(Effect.gen(function*() {
    const sql = yield* SqlClient.SqlClient
    return KeyList.of({
      countLive: Effect.fn("KeyList.countLive")((userId) => orUnavailable(countLiveKeys(sql, userId))),
      live: Effect.fn("KeyList.live")((userId, { limit, order, skipped, text }) =>
        orUnavailable(
          rowsOf(SpendingApiKey, sql.unsafe(liveSql[order], [userId, text ?? null, limit, skipped]))
        )
      ),
      page: Effect.fn("KeyList.page")((userId, { before, isEnded = false, limit, text }) =>
        orUnavailable(
          rowsOf(SpendingApiKey, sql.unsafe(pageSql, [userId, text ?? null, limit, before ?? null, isEnded]))
        )
      ),
      find: Effect.fn("KeyList.find")((userId, id) =>
        orUnavailable(rowOf(SpendingApiKey, sql.unsafe(oneSql, [userId, id])))
      )
    })
  }))
}

const OWN = "k.user_id = $1::bigint AND k.kind = 'call'"

const FOUND = `($2::text IS NULL OR strpos(lower(k.name), lower($2::text)) > 0 OR strpos(k.hint, $2::text) > 0)`

/** Rows that were chosen, with what each has spent. */
const spendingSql = (chosen: string, key?: string): string => `
  SELECT k.*, (${foldedTotalSql("k.id")} + coalesce(r.total, 0))::bigint AS spent_micros,
      ${spentSql("k", "r")} AS spent_of_limit_micros
    FROM (${chosen}) k
    LEFT JOIN (${unfoldedSql({ user: "$1::bigint", ...key === undefined ? {} : { key } })}) r ON r.key_id = k.id`

const orders: Readonly<Record<KeyOrder, string>> = {
  newest: "k.id DESC",
  name: "lower(k.name), k.id DESC",
  spent: "spent_micros DESC, k.id DESC",
  used: "k.last_used_at DESC NULLS LAST, k.id DESC"
}

const liveSqlBy = (order: KeyOrder): string =>
  `${spendingSql(`SELECT ${LISTED_SQL} FROM api_keys k WHERE ${OWN} AND ${LIVE_SQL} AND ${FOUND}`)}
    ORDER BY ${orders[order]} LIMIT $3::integer OFFSET $4::integer`

const liveSql: Readonly<Record<KeyOrder, string>> = {
  newest: liveSqlBy("newest"),
  name: liveSqlBy("name"),
  spent: liveSqlBy("spent"),
  used: liveSqlBy("used")
}

const pageSql = `${
  spendingSql(`SELECT ${LISTED_SQL} FROM api_keys k WHERE ${OWN} AND ${FOUND}
      AND ($4::bigint IS NULL OR k.id < $4::bigint) AND NOT ($5::boolean AND ${LIVE_SQL})
    ORDER BY k.user_id DESC, k.id DESC LIMIT $3::integer`)
} ORDER BY k.id DESC`

const oneSql = spendingSql(`SELECT ${LISTED_SQL} FROM api_keys k WHERE ${OWN} AND k.id = $2::bigint`, "$2::bigint")
