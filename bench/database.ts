/**
 * The database of an installation, for benches that write rows by the thousand: the embedded PostgreSQL of its folder, beside the
 * server that may use it.
 */
import * as NodeServices from "@effect/platform-node/NodeServices"
import { PgClient } from "@effect/sql-pg"
import { Effect } from "effect"
import { SqlClient } from "effect/sql"
import { EmbeddedPostgres } from "../src/postgres/EmbeddedPostgres.ts"

/** Runs statements in the database of a data folder, one after the other and as long as they take. */
export const inDatabase = <A, E>(
  dataDir: string,
  work: (sql: SqlClient.SqlClient) => Effect.Effect<A, E>
): Promise<A> =>
  Effect.runPromise(
    Effect.gen(function*() {
      const { url } = yield* EmbeddedPostgres.acquire(dataDir)
      const layer = PgClient.layer({ url, applicationName: "realms-bench", maxConnections: 1 })
      return yield* Effect.provide(Effect.flatMap(SqlClient.SqlClient, work), layer)
    }).pipe(Effect.scoped, Effect.provide(NodeServices.layer))
  )
