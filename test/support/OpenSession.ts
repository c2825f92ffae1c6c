/**
 * A session that a test opens for somebody who has not signed in.
 */
import { Effect } from "effect"
import type { SqlClient } from "effect/sql"
import type { UserId } from "../../src/domain/Ids.ts"
import { insertSession } from "../../src/identity/SessionStore.ts"
import { inTransaction } from "../../src/postgres/Transaction.ts"

export const openSession = (
  sql: SqlClient.SqlClient,
  userId: UserId,
  client = { address: "127.0.0.1", userAgent: "test" }
) =>
  inTransaction(
    sql,
    // By the rules of every login: so they are counted.
    Effect.andThen(sql`SELECT FROM users WHERE id = ${userId} FOR NO KEY UPDATE`, insertSession(sql, userId, client))
  )
