/**
 * The folder's layer: the database of the configuration, migrated, with the pool and connections of one's own.
 */
import * as NodeServices from "@effect/platform-node/NodeServices"
import { Layer } from "effect"
import { Database, SqlLayer } from "./Database.ts"
import { runMigrations } from "./Migrations.ts"

/** The database as it is found, not migrated. */
export const UnmigratedLayer = SqlLayer.pipe(Layer.provideMerge(Database.layer), Layer.provideMerge(NodeServices.layer))

export const PostgresLayer = Layer.effectDiscard(runMigrations).pipe(Layer.provideMerge(UnmigratedLayer))
