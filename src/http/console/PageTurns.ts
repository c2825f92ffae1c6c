/**
 * How many pages may be at work at once. Pages and calls share the database's connections, and calls must keep theirs. A user who asks
 * for too many pages at once is asked to come back later.
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
  /** Runs the work of a page when it is its turn. Anonymous visitors are not limited. */
  take<A, E, R>(userId: UserId | undefined, work: Effect.Effect<A, E, R>): Effect.Effect<A, E | TooManyPages, R>
}>()("realms/http/console/PageTurns") {
  static readonly layer = Layer.effect(PageTurns)(Effect.gen(function*() {
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
  }))
}
