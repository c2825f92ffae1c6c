/**
 * Listens on a connection of its own. To stop, a client asks the server and waits for its answer, and that wait cannot be interrupted: a
 * server that hangs, or that a dead network is in front of, would keep its clients for ever. Here it keeps them for a second.
 */
import type { PgConnection } from "@effect/sql-pg"
import { Effect, Exit, Fiber, Scope } from "effect"
import type { SqlError } from "effect/sql"

/** Waited for the server when a connection is left, in milliseconds. Then it is closed without a word. */
const LEAVE_WAIT_MS = 1_000

type Connection = PgConnection.PgConnection

interface ListenOptions {
  readonly channel: string
  /** Done before it listens, which keeps the connection to itself. */
  readonly enter?: (connection: Connection) => Effect.Effect<unknown, SqlError.SqlError>
  /** Done when it listens no more. */
  readonly leave?: (connection: Connection) => Effect.Effect<unknown, SqlError.SqlError>
}

/** What arrives on the channel, until the scope closes. */
export const listenOn = Effect.fnUntraced(function*(
  connect: Effect.Effect<Connection, SqlError.SqlError, Scope.Scope>,
  { channel, enter = () => Effect.void, leave = () => Effect.void }: ListenOptions
) {
  const life = yield* Effect.acquireRelease(Scope.make(), (scope) => Scope.close(scope, Exit.void))
  const connection = yield* Scope.provide(connect, life)
  yield* enter(connection)
  const listening = yield* Scope.make()
  const left = Effect.andThen(Scope.close(listening, Exit.void), Effect.ignore(leave(connection)))
  yield* Effect.addFinalizer(() =>
    Effect.forkDetach(left).pipe(
      Effect.flatMap((leaving) => Effect.timeoutOption(Effect.interruptible(Fiber.await(leaving)), LEAVE_WAIT_MS)),
      // What still waits for an answer fails.
      Effect.andThen(Scope.close(life, Exit.void))
    )
  )
  return yield* Scope.provide(connection.listen(channel), listening)
})
