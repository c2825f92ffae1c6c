/**
 * What is said about passwords wherever one is chosen, and to whoever has tried too often.
 */
import type { PasswordRefused, TooManyAttempts } from "../../../identity/IdentityError.ts"
import { type FormRefused, refuse } from "../Answer.ts"
import { type PageContext, sayOf } from "../PageContext.ts"

/** Why a new password may not be. */
export const passwordProblem = (context: PageContext, { reason }: PasswordRefused): string => {
  const say = sayOf(context, "password")
  return reason === "short" ? say("short") : say("long")
}

const SECONDS_PER_MINUTE = 60

/** Tells how long to wait, in whole minutes. */
export const refuseBusy = (context: PageContext, { retryAfterSeconds }: TooManyAttempts): FormRefused =>
  refuse({ form: context.say("problem.busy", { minutes: Math.ceil(retryAfterSeconds / SECONDS_PER_MINUTE) }) }, 429)
