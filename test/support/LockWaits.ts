/** For tests of races: whether somebody waits for a lock yet. */
import { Effect } from "effect"
import { SqlClient } from "effect/sql"
import { countOf } from "../../src/postgres/Rows.ts"
import { until } from "./Until.ts"

/** Until a backend of the database waits for a lock: the race is on. */
export const someoneWaits = Effect.flatMap(SqlClient.SqlClient, (sql) =>
  until(
    "somebody waits for a lock",
    Effect.map(
      countOf(sql`SELECT count(*) FROM pg_stat_activity
        WHERE datname = current_database() AND wait_event_type = 'Lock'`),
      (count) => count > 0
    )
  ))
