/**
 * The embedded PostgreSQL of a data folder, shared by every process that uses that folder: the first one in starts the
 * server, the last one out stops it, and one that is left behind by a kill is taken over. Each user holds a shared
 * advisory lock for as long as it lives, so the server itself knows whether anybody is left; starting and stopping
 * exclude each other by a lock file.
 */
import { Deferred, Effect, Exit, Option, Queue, Redacted, Result, Schedule, Scope } from "effect"
import { EmbeddedPostgresError } from "./EmbeddedPostgresError.ts"
import {
  ensureCluster,
  install,
  openHome,
  type PostgresFacts,
  type PostgresHome,
  type PostgresInstallation
} from "./PostgresCluster.ts"
import { listenOn } from "./ListenOn.ts"
import { findPostmaster } from "./Postmaster.ts"
import { connectTo, ensureRunning, stopServer } from "./PostgresServer.ts"
import { withStartLock } from "./StartLock.ts"

/** Advisory lock that every user of the server shares; the stopper takes it alone. */
const USERS_LOCK = "7224150619238401"

const START_LOCK_WAIT_MS = 180_000
const STOP_LOCK_WAIT_MS = 60_000
const HOLD_WAIT_MS = 15_000
const RECONNECT_MS = 250

/** Connections of a server, at the least: those of one process that serves, and of commands beside it. */
export const CONNECTIONS_MIN = 100

/** Where the users' lock is: advisory locks are a database's own, and this one is never dropped. */
const USERS_DATABASE = "postgres"

/** Holds the users' lock on a connection until that connection dies. */
const holdOnce = Effect.fnUntraced(function*(facts: PostgresFacts, held: Deferred.Deferred<void>) {
  // Nothing is ever sent there: the queue is how the end of the connection is heard of.
  const queue = yield* listenOn(
    connectTo(facts, { database: USERS_DATABASE, applicationName: "realms-user" }),
    {
      channel: "realms_user",
      enter: (connection) => connection.query(`SELECT pg_advisory_lock_shared(${USERS_LOCK})`, [], false),
      leave: (connection) => connection.query(`SELECT pg_advisory_unlock_shared(${USERS_LOCK})`, [], false)
    }
  )
  yield* Deferred.succeed(held, undefined)
  return yield* Effect.forever(Queue.take(queue))
}, Effect.scoped)

/**
 * Holds the users' lock until the scope closes, over lost connections; returns when it is first held. When a connection is
 * lost later, `revive` sees to it that the server runs: one that crashed or was killed is started again.
 */
const hold = Effect.fnUntraced(function*(facts: PostgresFacts, revive: Effect.Effect<void>) {
  const held = yield* Deferred.make<void>()
  const keep = holdOnce(facts, held).pipe(
    Effect.tapError(() => Effect.flatMap(Deferred.isDone(held), (was) => was ? revive : Effect.void))
  )
  yield* Effect.forkScoped(Effect.retry(keep, Schedule.spaced(RECONNECT_MS)))
  yield* Deferred.await(held).pipe(Effect.timeout(HOLD_WAIT_MS))
})

/** True when no process holds the users' lock. */
const isUnused = Effect.fnUntraced(function*(facts: PostgresFacts) {
  const connection = yield* connectTo(facts, { database: USERS_DATABASE, applicationName: "realms-stop" })
  const { rows } = yield* connection.query(`SELECT pg_try_advisory_lock(${USERS_LOCK}) AS alone`, [], false)
  return rows[0]?.["alone"] === true
}, Effect.scoped)

/**
 * Gives up the use, and stops the server if that was the last one. Under the start lock throughout: nobody can come in
 * between the look and the stop, and of two that leave together the second still holds its use when the first looks.
 */
const leave = (home: PostgresHome, facts: PostgresFacts, use: Scope.Closeable) =>
  Effect.gen(function*() {
    yield* Scope.close(use, Exit.void)
    const unused = yield* Effect.result(isUnused(facts))
    if (Result.isSuccess(unused)) return unused.success ? yield* stopServer(home) : undefined
    // Without an answer there is no server to stop, or nobody knows whether others use it.
    if (Option.isSome(yield* findPostmaster(home.clusterDir))) {
      yield* Effect.logWarning("PostgreSQL was left running: it does not answer")
    }
  }).pipe(
    withStartLock(home, STOP_LOCK_WAIT_MS),
    Effect.catch((error) => Effect.logWarning(`PostgreSQL was left running: ${error.message}`)),
    Effect.ensuring(Scope.close(use, Exit.void))
  )

const urlOf = ({ database, password, port, user }: PostgresFacts): Redacted.Redacted<string> =>
  Redacted.make(`postgres://${user}:${encodeURIComponent(Redacted.value(password))}@127.0.0.1:${port}/${database}`)

const enter = (installation: PostgresInstallation) =>
  Effect.uninterruptibleMask((restore) =>
    Effect.gen(function*() {
      const { home } = installation
      const facts = yield* restore(ensureCluster(installation))
      const running = yield* restore(ensureRunning(installation, facts))
      const use = yield* Scope.make()
      yield* Effect.addFinalizer(() => leave(home, running.facts, use))
      const revive = ensureRunning(installation, running.facts).pipe(
        withStartLock(home, START_LOCK_WAIT_MS),
        Effect.asVoid,
        Effect.catch((error) => Effect.logError(`PostgreSQL is gone and could not be started again: ${error.message}`))
      )
      yield* restore(Scope.provide(hold(running.facts, revive), use)).pipe(
        Effect.mapError(() =>
          new EmbeddedPostgresError({
            dataDir: home.dataDir,
            message: `PostgreSQL was started but could not be used within ${
              HOLD_WAIT_MS / 1000
            } seconds; see ${home.logPath}.`
          })
        )
      )
      return { url: urlOf(running.facts), adopted: running.adopted }
    })
  )

/**
 * Uses the PostgreSQL of `dataDir` until the scope closes, starting it - for so many connections - if it does not run. `adopted` says that
 * it ran. Fails with {@link EmbeddedPostgresError}, whose message says what to do.
 */
const acquire = Effect.fn("EmbeddedPostgres.acquire")(function*(dataDir: string, connectionsMax = CONNECTIONS_MIN) {
  const home = yield* openHome(dataDir)
  const installation = yield* install(home, connectionsMax)
  return yield* withStartLock(home, START_LOCK_WAIT_MS)(enter(installation))
})

export { hasCluster } from "./PostgresCluster.ts"

export const EmbeddedPostgres = { acquire }
