/**
 * The one way in which tests wait for what no event tells them: they ask, and a bound makes a test fail that would hang.
 */
import { Effect } from "effect"

/** Between two questions, at first; then twice as long each time, up to the other: those who answer have other work. */
const POLL_MS = 5
const POLL_MS_MAX = 40
const WAIT_MS_MAX = 60_000

/** Asks until the answer is the one waited for, and gives it. */
export const eventually = <A, E, R>(
  what: string,
  ask: Effect.Effect<A, E, R>,
  isIt: (answer: A) => boolean
): Effect.Effect<A, E, R> =>
  Effect.suspend(() => {
    let pollMs = POLL_MS
    const pause = Effect.suspend(() => {
      const nowMs = pollMs
      pollMs = Math.min(2 * pollMs, POLL_MS_MAX)
      return Effect.sleep(nowMs)
    })
    return ask.pipe(
      Effect.tap((answer) => isIt(answer) ? Effect.void : pause),
      Effect.repeat({ until: isIt }),
      Effect.timeoutOrElse({
        duration: WAIT_MS_MAX,
        orElse: () => Effect.die(new Error(`waited in vain until ${what}`))
      })
    )
  })

/** Waits until something is so. */
export const until = <E = never, R = never>(
  what: string,
  condition: (() => boolean) | Effect.Effect<boolean, E, R>
): Effect.Effect<void, E, R> =>
  Effect.asVoid(
    eventually(what, typeof condition === "function" ? Effect.sync(condition) : condition, (holds) => holds)
  )
