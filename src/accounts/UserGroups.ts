/**
 * Groups as users, plans and batches of codes name them: which can be chosen, which one a user has, and how a user gets one by a code.
 * These are parts of transactions that others open.
 */
import { Effect, Schema } from "effect"
import type { SqlClient, SqlError } from "effect/sql"
import type { UserId } from "../domain/Ids.ts"
import { Row } from "../domain/Row.ts"
import { rowOf, rowsOf } from "../postgres/Rows.ts"
import { announceAccount } from "./Ledger.ts"

type Sql = SqlClient.SqlClient

/** A group by its code, with its multiplier, scaled by 10^6. */
export const GroupChoice = Row({ code: Schema.String, name: Schema.String, multiplierMicros: Schema.BigInt })
export interface GroupChoice extends Schema.Schema.Type<typeof GroupChoice> {}

/** Groups to choose from, at most. */
export const CHOICES_MAX = 200

/** Those that are not disabled, by name, and always `own`, which stays possible where it is chosen already. */
export const groupChoices = (
  sql: Sql,
  own: string | null
): Effect.Effect<ReadonlyArray<GroupChoice>, SqlError.SqlError> =>
  rowsOf(
    GroupChoice,
    sql`SELECT code, name, multiplier_micros FROM (
        SELECT * FROM user_groups WHERE disabled_at IS NULL OR code = ${own}::text
          ORDER BY code IS NOT DISTINCT FROM ${own}::text DESC, name, id LIMIT ${CHOICES_MAX}
      ) g ORDER BY name, id`
  )

/** Whether a user, a plan or a batch may name this group: it is enabled, or was named before. None (null) always may. */
export const mayName = (
  sql: Sql,
  code: string | null,
  before: string | null = null
): Effect.Effect<boolean, SqlError.SqlError> =>
  code === before || code === null
    ? Effect.succeed(true)
    : Effect.map(
      sql`SELECT FROM user_groups WHERE code = ${code} AND disabled_at IS NULL`,
      (rows) => rows.length > 0
    )

/** The group whose prices apply to calls that the balance pays for; undefined: the user has none, and pays the models' prices. */
export const balanceGroup = (
  sql: Sql,
  userId: UserId
): Effect.Effect<GroupChoice | undefined, SqlError.SqlError> =>
  rowOf(
    GroupChoice,
    sql`SELECT g.code, g.name, g.multiplier_micros FROM users u
      JOIN user_groups g ON g.code = coalesce(u.group_code, u.redeemed_group_code) WHERE u.id = ${userId}`
  )

/** Gives a user the group of a code that they redeem. Open calls keep their prices. */
export const giveRedeemedGroup = (
  sql: Sql,
  userId: UserId,
  code: string
): Effect.Effect<void, SqlError.SqlError> =>
  Effect.andThen(
    sql`UPDATE users SET redeemed_group_code = ${code} WHERE id = ${userId}`,
    announceAccount(sql, userId)
  )
