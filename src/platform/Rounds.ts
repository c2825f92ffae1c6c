/**
 * Work that a server does again and again in the background. A round that fails, or dies, waits for the next one. The log says it when
 * rounds begin to fail, when they fail in another way, every ten minutes, and when they succeed again: a database that is away for an
 * hour does not fill the log, and a defect behind it is seen.
 */
import { Cause, Clock, Effect, Schedule } from "effect"

export interface Rounds {
  /** What the log says when a round has failed. */
  readonly failure: string
  /** From the end of one round to the start of the next, in milliseconds. */
  readonly everyMs: number
}

/** A failure that goes on is logged again after so long, in milliseconds. */
const LOG_AGAIN_MS = 600_000

interface Failing {
  readonly isDefect: boolean
  readonly loggedMs: number
}

/** Does `round` at once and then again and again until it is interrupted. */
export const inRounds = <E, R>(round: Effect.Effect<unknown, E, R>, { everyMs, failure }: Rounds) =>
  Effect.suspend(() => {
    let failing: Failing | undefined
    const succeeded = Effect.suspend(() => {
      if (failing === undefined) return Effect.void
      failing = undefined
      return Effect.logInfo("it works again", { after: failure })
    })
    const failed = Effect.fnUntraced(function*(cause: Cause.Cause<E>) {
      // An interrupt that comes from inside is not ours: something that the round used ended it.
      const isDefect = Cause.hasDies(cause) || Cause.hasInterruptsOnly(cause)
      const nowMs = yield* Clock.currentTimeMillis
      if (failing !== undefined && failing.isDefect === isDefect && nowMs - failing.loggedMs < LOG_AGAIN_MS) return
      failing = { isDefect, loggedMs: nowMs }
      const log = isDefect ? Effect.logError : Effect.logWarning
      yield* log(`${failure}; tried again every ${everyMs / 1000} seconds`, cause)
    })
    return round.pipe(
      Effect.andThen(succeeded),
      Effect.catchCause(failed),
      Effect.repeat(Schedule.spaced(everyMs))
    )
  })
