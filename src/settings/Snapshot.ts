/**
 * A value read from the database as a whole and kept in memory while messages from other processes arrive. A message on
 * one of its topics drops it, and so does the listener going down or coming up; while it is down nothing is kept, and
 * every reader asks the database.
 */
import { Effect, Fiber, FiberSet, type Scope } from "effect"
import type { SqlError } from "effect/sql"
import { Notifications, type Topic } from "../platform/Notifications.ts"
import { type DatabaseUnavailable, databaseUnavailable, withinDatabaseWait } from "../postgres/DatabaseUnavailable.ts"

export interface Snapshot<A> {
  /** Forgets what is in memory: for the process that has just made a change. */
  drop(): void
  /** The value when it is in memory and current, at once. */
  cached(): A | undefined
  /** The value from memory, else from the database. Readers that come while it is being loaded share the load. */
  readonly get: Effect.Effect<A, DatabaseUnavailable>
}

export interface SnapshotOptions<A> {
  /** Messages on these say that the value has changed. */
  readonly topics: ReadonlyArray<Topic>
  readonly load: Effect.Effect<A, SqlError.SqlError>
}

/** Starts to follow; nothing is read before someone asks. */
export const makeSnapshot = <A>(
  options: SnapshotOptions<A>
): Effect.Effect<Snapshot<A>, never, Notifications | Scope.Scope> =>
  Effect.gen(function*() {
    const notifications = yield* Notifications
    // Loads run in fibers of their own: not ended with the reader that happened to be first, not part of its transaction.
    const run = yield* FiberSet.makeRuntime<never, A, DatabaseUnavailable>()
    let generation = 0
    let value: A | undefined
    let loading: Fiber.Fiber<A, DatabaseUnavailable> | undefined

    const drop = () => {
      generation++
      value = undefined
      // It may have read what was there before the change: those who wait for it came before the change, later ones do not.
      loading = undefined
    }
    yield* notifications.subscribe({
      onMessage: (topic) => {
        if (options.topics.includes(topic)) drop()
      },
      onDown: drop,
      onUp: drop
    })

    const load = Effect.mapError(withinDatabaseWait(options.load), databaseUnavailable)
    const loadShared = (): Fiber.Fiber<A, DatabaseUnavailable> => {
      if (loading !== undefined) return loading
      const started = generation
      const settled = (loaded: A | undefined) => {
        if (generation !== started) return
        loading = undefined
        if (notifications.isUp()) value = loaded
      }
      const fiber = run(load.pipe(
        Effect.tap((loaded) => Effect.sync(() => settled(loaded))),
        Effect.onError(() => Effect.sync(() => settled(undefined)))
      ))
      if (fiber.pollUnsafe() === undefined && generation === started) loading = fiber
      return fiber
    }

    const cached = () => notifications.isUp() ? value : undefined
    const get = Effect.suspend(() => {
      // While messages may be missed, a load under way may be older than the change this reader should see.
      if (!notifications.isUp()) return load
      return value === undefined ? Fiber.join(loadShared()) : Effect.succeed(value)
    })
    return { cached, drop, get }
  })
