/**
 * Work that a server does again and again in the background. A round that fails, or dies, waits for the next one. That it fails is
 * logged once, and once more when a round succeeds again: a database that is away for an hour does not fill the log.
 */
import { Cause, Effect, Schedule } from "effect"

export interface Rounds {
  /** What the log says when a round has failed. */
  readonly failure: string
  /** From the end of one round to the start of the next, in milliseconds. */
  readonly everyMs: number
}

/** Does `round` at once and then again and again until it is interrupted. */
export const inRounds = <E, R>(round: Effect.Effect<unknown, E, R>, { everyMs, failure }: Rounds) =>
  Effect.suspend(() => {
    let isFailing = false
    const succeeded = Effect.suspend(() => {
      if (!isFailing) return Effect.void
      isFailing = false
      return Effect.logInfo("it works again", { after: failure })
    })
    const failed = (cause: Cause.Cause<E>) =>
      Effect.suspend(() => {
        if (isFailing) return Effect.void
        isFailing = true
        const log = Cause.hasDies(cause) ? Effect.logError : Effect.logWarning
        return log(`${failure}; tried again every ${everyMs / 1000} seconds`, cause)
      })
    return round.pipe(
      Effect.andThen(succeeded),
      Effect.catchCauseIf((cause) => !Cause.hasInterruptsOnly(cause), failed),
      Effect.repeat(Schedule.spaced(everyMs))
    )
  })
