/**
 * How much pages may take at once, so that calls keep their share: of database connections, which pages and calls have in
 * common, and of one user's patience - a user who asks for many pages at once is told to come back.
 */
import { Context, Effect, Layer, Schema, Semaphore } from "effect"
import type { UserId } from "../../domain/Ids.ts"

/** Pages at work at once. The pool has ten connections, and calls need some. */
const PAGES_AT_WORK_MAX = 5

/** Pages of one user at work and waiting, at most: a browser asks for a page and its charts. */
export const PAGES_OF_USER_MAX = 12

/** A user asks for too many pages at once. */
export class TooManyPages extends Schema.TaggedError<TooManyPages>()("TooManyPages", {}) {}

export class PageTurns extends Context.Service<PageTurns, {
  /** Runs the work of a page when it is its turn. Visitors who are not signed in share nobody's bound. */
  take<A, E, R>(userId: UserId | undefined, work: Effect.Effect<A, E, R>): Effect.Effect<A, E | TooManyPages, R>
}>()("realms/http/console/PageTurns") {
  static readonly layer = Layer.effect(
    PageTurns,
    Effect.gen(function*() {
      const turns = yield* Semaphore.make(PAGES_AT_WORK_MAX)
      const open = new Map<UserId, number>()
      const enter = (userId: UserId) =>
        Effect.suspend(() => {
          const count = open.get(userId) ?? 0
          if (count >= PAGES_OF_USER_MAX) return Effect.fail(new TooManyPages())
          open.set(userId, count + 1)
          return Effect.void
        })
      const leave = (userId: UserId) =>
        Effect.sync(() => {
          const count = open.get(userId) ?? 0
          if (count <= 1) open.delete(userId)
          else open.set(userId, count - 1)
        })
      return PageTurns.of({
        take: (userId, work) =>
          userId === undefined
            ? turns.withPermits(1)(work)
            : Effect.acquireUseRelease(enter(userId), () => turns.withPermits(1)(work), () => leave(userId))
      })
    })
  )
}
