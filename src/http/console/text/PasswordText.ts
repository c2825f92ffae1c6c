/**
 * What is said about passwords where one is chosen, and to those who have tried too often.
 */
import { Effect } from "effect"
import type { PasswordRefused, TooManyAttempts } from "../../../identity/IdentityError.ts"
import { refuse } from "../Answer.ts"
import { type PageContext, sayOf } from "../PageContext.ts"

/** Refuses a form for the new password in this field. */
export const refusePassword = (context: PageContext, field: string) => ({ reason }: PasswordRefused) => {
  const say = sayOf(context, "password")
  return Effect.fail(refuse({ [field]: reason === "short" ? say("short") : say("long") }))
}

const SECONDS_PER_MINUTE = 60

/** Says how long to wait, in whole minutes. */
export const refuseBusy = (context: PageContext) => ({ retryAfterSeconds }: TooManyAttempts) =>
  Effect.fail(
    refuse({ form: context.say("problem.busy", { minutes: Math.ceil(retryAfterSeconds / SECONDS_PER_MINUTE) }) }, 429)
  )
