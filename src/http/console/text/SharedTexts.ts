/**
 * What several pages say: of roles, of passwords, to those who have tried too often, and where one person is not enough.
 */
import { Effect } from "effect"
import { capabilities, type Capability } from "../../../domain/ModelTerms.ts"
import type { PasswordRefused, TooManyAttempts } from "../../../identity/IdentityError.ts"
import { type Role, roles } from "../../../identity/Roles.ts"
import type { ConfirmationRefused } from "../../../platform/SecondPerson.ts"
import { refuse, refusing } from "../Answer.ts"
import type { Input } from "../kit/Inputs.tsx"
import { type PageContext, sayOf } from "../PageContext.ts"
import { sayEach, sayIn } from "./Texts.ts"

export const roleNames = ({ language }: Pick<PageContext, "language">): Readonly<Record<Role, string>> =>
  sayEach(sayIn(language, "role"), roles)

/** What a model can do. */
export const capabilityNames = ({ language }: Pick<PageContext, "language">): Readonly<Record<Capability, string>> =>
  sayEach(sayIn(language, "capability"), capabilities)

/** Refuses a form for the new password in this field. */
export const refusePassword = (context: PageContext, field: string) => ({ reason }: PasswordRefused) => {
  const say = sayOf(context, "password")
  return Effect.fail(refuse({ [field]: reason === "short" ? say("short") : say("long") }))
}

const SECONDS_PER_MINUTE = 60

const minutesOf = ({ retryAfterSeconds }: TooManyAttempts) => ({
  minutes: Math.ceil(retryAfterSeconds / SECONDS_PER_MINUTE)
})

/** Says how long to wait, in whole minutes. */
export const refuseBusy = (context: PageContext) => (error: TooManyAttempts) =>
  Effect.fail(refuse({ form: context.say("problem.busy", minutesOf(error)) }, 429))

/** Asks for a code of the second factor. */
export const codeInput = (
  context: PageContext,
  { autofocus = false, label, name = "code", required = true }: {
    readonly autofocus?: boolean
    readonly required?: boolean
    readonly label?: string
    readonly name?: string
  } = {}
): Input => {
  const say = sayOf(context, "secondFactor")
  return {
    is: "oneTimeCode",
    name,
    label: label ?? say("code"),
    ...(label === undefined ? { hint: say("code.hint") } : {}),
    maxlength: 40,
    required,
    autofocus
  }
}

/**
 * The same to somebody who is signed in: only a session tries proofs of this user, and a thief is stopped by ending the stolen one, for
 * which no proof is asked.
 */
const refuseProofBusy = (context: PageContext) => (error: TooManyAttempts) =>
  Effect.fail(refuse({ form: sayOf(context, "secondFactor")("password.busy", minutesOf(error)) }, 429))

/** Refuses a form that asks for the password and a code, in the fields of these names. */
export const refuseProof = (context: PageContext, password = "password") => ({
  WrongPassword: refusing({ [password]: sayOf(context, "secondFactor")("password.wrong") }),
  SecondFactorWrong: refusing({ code: sayOf(context, "secondFactor")("code.wrong") }),
  TooManyAttempts: refuseProofBusy(context)
})

export const refusalText = (context: PageContext, reason: ConfirmationRefused["reason"]): string =>
  sayOf(context, "confirmation")(reason)
