/**
 * Deliveries that are under way beside one another, a bounded number of them. A slow one has its place until it ends, and the others go
 * on. Of each webhook there is one at a time: a receiver that hangs has one place. Nothing that goes wrong with one keeps its place.
 * @internal
 */
import { Effect, Fiber, FiberSet, type Scope, Semaphore } from "effect"
import type { SqlError } from "effect/sql"
import type { DueDelivery } from "./DeliveryStore.ts"

/** Deliveries of a lane under way at once, at most. */
const AT_ONCE_MAX = 8

export interface NoticeLane {
  /** Begins what is due and has a place, and waits for none of it. */
  readonly look: Effect.Effect<void, SqlError.SqlError>
  /** Waits until nothing is under way. */
  readonly idle: Effect.Effect<void>
  /** Deliveries that were tried so far, and those among them that were not taken. */
  readonly tried: () => number
  readonly missed: () => number
}

export interface LaneWork {
  /** Takes deliveries that are due, but for those of the endpoints in `busy`. */
  readonly claim: (
    limit: number,
    busy: ReadonlyArray<bigint>
  ) => Effect.Effect<ReadonlyArray<DueDelivery>, SqlError.SqlError>
  /** Answers whether it was taken. */
  readonly deliver: (delivery: DueDelivery) => Effect.Effect<boolean>
  /**
   * When the scope ends, what is under way is waited for so long, in milliseconds; the rest, and what is being taken at that moment, is
   * taken again after its lease.
   */
  readonly stopMs: number
}

export const makeLane = Effect.fnUntraced(function*(
  { claim, deliver, stopMs }: LaneWork
): Effect.fn.Return<NoticeLane, never, Scope.Scope> {
  const underWay = yield* FiberSet.make<void>()
  // One at a time: the next one sees what this one has taken.
  const claiming = yield* Semaphore.make(1)
  const busy = new Set<bigint>()
  let [tried, missed, isStopping] = [0, 0, false]
  yield* Effect.addFinalizer(() => {
    isStopping = true
    // In a fiber of its own: this one has been interrupted.
    const waited = Effect.timeoutOption(FiberSet.awaitEmpty(underWay), stopMs)
    return Effect.flatMap(Effect.forkDetach(waited), Fiber.await)
  })

  const take = (limit: number) =>
    claiming.withPermits(1)(Effect.tap(
      Effect.suspend(() => isStopping ? Effect.succeed([]) : claim(limit, [...busy])),
      (taken) =>
        Effect.sync(() => {
          for (const { endpointId } of taken) if (endpointId !== null) busy.add(endpointId)
        })
    ))

  /** Whatever becomes of it, its endpoint is not busy afterwards. */
  const attempt = (delivery: DueDelivery) =>
    deliver(delivery).pipe(
      Effect.catchCause((cause) =>
        Effect.as(Effect.logError("a delivery broke off", { delivery: delivery.uid }, cause), false)
      ),
      Effect.map((isTaken) => {
        tried += 1
        if (!isTaken) missed += 1
      }),
      Effect.ensuring(Effect.sync(() => {
        if (delivery.endpointId !== null) busy.delete(delivery.endpointId)
      }))
    )

  /** Delivers one, and then what has become due meanwhile. */
  const work = Effect.fnUntraced(function*(first: DueDelivery) {
    let delivery: DueDelivery | undefined = first
    while (delivery !== undefined) {
      yield* attempt(delivery)
      // What cannot be claimed is for the next look, which says why.
      const [next]: ReadonlyArray<DueDelivery> = yield* Effect.catchCause(take(1), () => Effect.succeed([]))
      delivery = next
    }
  })

  const look = Effect.gen(function*() {
    const places = AT_ONCE_MAX - (yield* FiberSet.size(underWay))
    if (places === 0) return
    const due = yield* take(places)
    yield* Effect.forEach(due, (delivery) => FiberSet.run(underWay, work(delivery)), { discard: true })
  })

  return { look, idle: FiberSet.awaitEmpty(underWay), tried: () => tried, missed: () => missed }
})
