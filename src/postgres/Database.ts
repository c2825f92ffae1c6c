/**
 * The PostgreSQL of this installation: an external one when the configuration names it, else the embedded one. Gives the
 * shared pool for ordinary work, whose sessions are bounded in time, and connections of one's own for everything else.
 */
import { PgClient, PgConnection } from "@effect/sql-pg"
import { Clock, Context, Effect, Layer, Option, type Redacted, type Scope } from "effect"
import type { SqlError } from "effect/sql/SqlError"
import { AppConfig } from "../config/Config.ts"
import { isDiskFull } from "./DiskSpace.ts"
import { CONNECTIONS_MIN, EmbeddedPostgres } from "./EmbeddedPostgres.ts"
import { POOL_CONNECTIONS_MAX } from "./PoolShares.ts"

const CONNECT_TIMEOUT_MS = 5_000
const KEEP_ALIVE_MS = 10_000
const STATEMENT_TIMEOUT_MS = 30_000
const LOCK_TIMEOUT_MS = 5_000
const IDLE_IN_TRANSACTION_TIMEOUT_MS = 10_000

/** The pool of a runner, and its connections of its own. */
const CONNECTIONS_PER_RUNNER = POOL_CONNECTIONS_MAX + 6

/** For commands, and those of the server itself. */
const CONNECTIONS_BESIDE = 20

/** Connections that so many runners may have, with what runs beside them. */
export const connectionsOf = (runners: number): number => CONNECTIONS_BESIDE + CONNECTIONS_PER_RUNNER * runners

/** What a connection of one's own is called and starts with. */
export interface ConnectOptions {
  /** Shown in `pg_stat_activity`. */
  readonly applicationName: string
  /** Session defaults, such as `statement_timeout` in milliseconds. */
  readonly startupParameters?: Readonly<Record<string, string>>
  /** Statements are sent without waiting for the answers of those before; PostgreSQL runs them in their order. */
  readonly multiplex?: boolean
}

export class Database extends Context.Service<Database, {
  readonly url: Redacted.Redacted<string>
  /** True when this installation runs the server itself. */
  readonly embedded: boolean
  /** Opens a connection that is nobody else's, closed with the scope. */
  connect(options: ConnectOptions): Effect.Effect<PgConnection.PgConnection, SqlError, Scope.Scope>
  /** When a statement on such a connection was last refused because PostgreSQL's disk is full, in ms; undefined: never. */
  diskFullMs(): number | undefined
}>()("realms/postgres/Database") {
  /** The database at a URL. Nothing is connected to until it is used. */
  static readonly layerOf = (url: Redacted.Redacted<string>, embedded = false) =>
    Layer.sync(Database, () => {
      let diskFullMs: number | undefined
      const note = (error: SqlError): Effect.Effect<void> =>
        isDiskFull(error)
          ? Effect.map(Clock.currentTimeMillis, (now) => {
            diskFullMs = now
          })
          : Effect.void
      return {
        url,
        embedded,
        connect: (options: ConnectOptions) =>
          Effect.map(
            PgConnection.make({ url, connectTimeout: CONNECT_TIMEOUT_MS, keepAlive: KEEP_ALIVE_MS, ...options }),
            (connection) => withErrorsNoted(connection, note)
          ),
        diskFullMs: () => diskFullMs
      }
    })

  /** The configured database; the embedded one runs as long as the layer does. */
  static readonly layer = Layer.unwrap(Effect.gen(function*() {
    const config = yield* AppConfig
    if (Option.isSome(config.database.url)) return Database.layerOf(config.database.url.value)
    return Layer.unwrap(
      Effect.map(
        EmbeddedPostgres.acquire(config.dataDir, Math.max(CONNECTIONS_MIN, connectionsOf(config.server.runners))),
        ({ url }) => Database.layerOf(url, true)
      )
    )
  }))
}

/** The same connection, whose refused statements are looked at. */
const withErrorsNoted = (
  connection: PgConnection.PgConnection,
  note: (error: SqlError) => Effect.Effect<void>
): PgConnection.PgConnection => ({
  [PgConnection.TypeId]: PgConnection.TypeId,
  config: connection.config,
  processId: connection.processId,
  pin: connection.pin,
  query: (...asked) => Effect.tapError(connection.query(...asked), note),
  queryValues: (...asked) => Effect.tapError(connection.queryValues(...asked), note),
  stream: connection.stream,
  listen: connection.listen,
  interrupt: connection.interrupt
})

/**
 * The pool: `PgClient` and `SqlClient` over {@link Database}. Columns keep their names. A statement, a wait for a lock and
 * an idle transaction each end by themselves.
 */
export const SqlLayer = Layer.unwrap(Effect.map(Database, ({ url }) =>
  PgClient.layer({
    url,
    applicationName: "realms",
    maxConnections: POOL_CONNECTIONS_MAX,
    connectTimeout: CONNECT_TIMEOUT_MS,
    keepAlive: KEEP_ALIVE_MS,
    startupParameters: {
      statement_timeout: String(STATEMENT_TIMEOUT_MS),
      lock_timeout: String(LOCK_TIMEOUT_MS),
      idle_in_transaction_session_timeout: String(IDLE_IN_TRANSACTION_TIMEOUT_MS)
    }
  })))
