/**
 * Users by the thousand, each with a balance and a key, written beside the server.
 */
import { Effect } from "effect"
import type { SqlClient } from "effect/sql"
import type { UserId } from "../../src/domain/Ids.ts"

const KEY_DIGITS = 40

/** The key of the user with a number, from 1. */
export const keyOfUser = (number: number): string => `sk-${String(number).padStart(KEY_DIGITS, "0")}`

export const keysOfUsers = (count: number): ReadonlyArray<string> =>
  Array.from({ length: count }, (_, index) => keyOfUser(index + 1))

/** 1,000 USD each. */
const BALANCE_MICROS = 1_000_000_000

/** Makes users with a key each, and nothing to spend; answers the first id and the last: they ascend without gaps. */
export const makeUsersWithKeys = (sql: SqlClient.SqlClient, from: number, to: number) =>
  Effect.gen(function*() {
    const made = yield* sql<{ id: UserId }>`
      INSERT INTO users (email) SELECT 'growth' || i || '@example.com'
        FROM generate_series(${from}::integer + 1, ${to}::integer) i ORDER BY i RETURNING id`
    const ids = made.map(({ id }) => id)
    const first = ids.reduce((least, id) => id < least ? id : least)
    const last = ids.reduce((most, id) => id > most ? id : most)
    yield* sql`INSERT INTO api_keys (user_id, key_hash, hint)
      SELECT u.id, sha256(convert_to('sk-' || lpad((u.id - ${first}::bigint + ${from}::integer + 1)::text, ${KEY_DIGITS}::integer, '0'),
          'UTF8')), 'sk-…' || u.id
        FROM users u WHERE u.id BETWEEN ${first} AND ${last} ORDER BY u.id`
    return { first, last }
  })

/** Makes the users with the numbers above `from`, up to `to`; answers the id of the first: they ascend without gaps. */
export const makeUsers = (sql: SqlClient.SqlClient, from: number, to: number) =>
  sql.withTransaction(Effect.gen(function*() {
    const { first, last } = yield* makeUsersWithKeys(sql, from, to)
    yield* sql`INSERT INTO user_balances (user_id, usd_micros)
      SELECT u.id, ${BALANCE_MICROS} FROM users u WHERE u.id BETWEEN ${first} AND ${last}`
    yield* sql`INSERT INTO ledger_entries (user_id, seq, kind, amount_micros, usd_after, owed_after, ref_type, ref_id, actor)
      SELECT u.id, 1, 'adjustment', ${BALANCE_MICROS}, ${BALANCE_MICROS}, 0, 'adjustment', 'growth-' || u.id, 'bench'
        FROM users u WHERE u.id BETWEEN ${first} AND ${last}`
    return first
  }))
