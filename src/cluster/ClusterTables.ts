/**
 * The tables in which Effect Cluster keeps the runners. They are its own, made by its own migrations, after ours.
 */
import { SqlRunnerStorage } from "effect/cluster"
import { Effect, Layer } from "effect"
import { SqlClient } from "effect/sql"

/** What their names begin with. */
export const CLUSTER_TABLES_PREFIX = "cluster"

/** Advisory lock held while they are made: of several servers that start at once one does it. */
const TABLES_LOCK = "7224150619238413"

/** Makes the tables, or what is missing of them. */
export const makeClusterTables = Effect.gen(function*() {
  const sql = yield* SqlClient.SqlClient
  const made = Layer.build(SqlRunnerStorage.layerMigrations({ prefix: CLUSTER_TABLES_PREFIX }))
  yield* sql.withTransaction(
    Effect.andThen(sql.unsafe(`SELECT pg_advisory_xact_lock(${TABLES_LOCK})`), Effect.scoped(made))
  )
})
