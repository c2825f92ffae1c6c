/**
 * What several pages say: of roles, of passwords, to those who have tried too often, and where one person is not enough.
 */
import { Effect } from "effect"
import type { Capability } from "../../../domain/ModelTerms.ts"
import type { PasswordRefused, TooManyAttempts } from "../../../identity/IdentityError.ts"
import type { Role } from "../../../identity/Roles.ts"
import type { ConfirmationRefused } from "../../../platform/SecondPerson.ts"
import { refuse } from "../Answer.ts"
import { type PageContext, sayOf } from "../PageContext.ts"
import { sayIn } from "./Texts.ts"

/** Written out, so that each text is found as used. */
export const roleNames = ({ language }: Pick<PageContext, "language">): Readonly<Record<Role, string>> => {
  const say = sayIn(language, "role")
  return { user: say("user"), support: say("support"), finance: say("finance"), root: say("administrator") }
}

export const roleHints = ({ language }: Pick<PageContext, "language">): Readonly<Record<Role, string>> => {
  const say = sayIn(language, "role")
  return {
    user: say("user.hint"),
    support: say("support.hint"),
    finance: say("finance.hint"),
    root: say("root.hint")
  }
}

/** What a model can do. */
export const capabilityNames = ({ language }: Pick<PageContext, "language">): Readonly<Record<Capability, string>> => {
  const say = sayIn(language, "capability")
  return {
    tools: say("tools"),
    structured_output: say("structured_output"),
    vision: say("vision"),
    files: say("files"),
    embeddings: say("embeddings")
  }
}

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

export const refusalText = (context: PageContext, reason: ConfirmationRefused["reason"]): string => {
  const say = sayOf(context, "confirmation")
  return {
    nobody: say("nobody"),
    role: say("role"),
    same: say("same"),
    closed: say("closed"),
    expired: say("expired"),
    changed: say("changed"),
    many: say("many")
  }[reason]
}
