/**
 * SIGHUP, heard as long as the scope lives. Unheard, it would end the process at once, with its calls unsettled.
 */
import { Effect, Queue } from "effect"

/** Answers an effect that waits for the next SIGHUP. Several that come before it is asked count as one. */
export const hearHangUps = Effect.gen(function*() {
  const hangUps = yield* Queue.sliding<undefined>(1)
  const onHangUp = () => void Queue.offerUnsafe(hangUps, undefined)
  yield* Effect.acquireRelease(
    Effect.sync(() => process.on("SIGHUP", onHangUp)),
    () => Effect.sync(() => process.removeListener("SIGHUP", onHangUp))
  )
  return Queue.take(hangUps)
})
