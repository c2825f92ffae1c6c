/**
 * What is said about passwords wherever one is chosen, and to whoever has tried too often.
 */
import type { PasswordRefused, TooManyAttempts } from "../../../identity/IdentityError.ts"
import { type FormRefused, refuse } from "../Answer.ts"
import { sayOf, type Visit } from "../Visit.ts"
import { defineMessages } from "./Messages.ts"

export const passwordText = defineMessages({
  "rules": "8 to 256 characters. A few unrelated words make a good one.",
  "short": "Too short: a password has at least 8 characters.",
  "long": "Too long: a password has at most 256 characters."
}, {
  "rules": "8 至 256 个字符。几个互不相关的词连起来就很好。",
  "short": "太短：密码至少需要 8 个字符。",
  "long": "太长：密码最多 256 个字符。"
})

/** Why a new password may not be. */
export const passwordProblem = (visit: Visit, { reason }: PasswordRefused): string => {
  const say = sayOf(visit, passwordText)
  return reason === "short" ? say("short") : say("long")
}

const SECONDS_PER_MINUTE = 60

/** Tells how long to wait, in whole minutes. */
export const refuseBusy = (visit: Visit, { retryAfterSeconds }: TooManyAttempts): FormRefused =>
  refuse({ form: visit.say("problem.busy", { minutes: Math.ceil(retryAfterSeconds / SECONDS_PER_MINUTE) }) }, 429)
