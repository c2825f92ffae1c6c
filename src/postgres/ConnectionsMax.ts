/**
 * Whether PostgreSQL takes the connections that are asked for: one that runs already was started for fewer, or by somebody else.
 */
import { Effect } from "effect"
import { SqlClient } from "effect/sql"
import { connectionsOf } from "./Database.ts"
import { countOf } from "./Rows.ts"

/** Says when so many runners may open more connections than PostgreSQL takes. */
export const warnOfFewConnections = Effect.fnUntraced(function*(runners: number) {
  const sql = yield* SqlClient.SqlClient
  const wanted = connectionsOf(runners)
  const taken = yield* countOf(sql`SELECT current_setting('max_connections')::bigint AS count`)
  if (taken >= wanted) return
  yield* Effect.logWarning("PostgreSQL takes fewer connections than the runners may open: raise its max_connections", {
    max_connections: taken,
    wanted
  })
})
