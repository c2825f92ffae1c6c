/**
 * What forms ask for before they change how somebody signs in, or who may use the administration: the password and, if the user has a
 * second factor, a code or a passkey.
 */
import { Effect, Redacted } from "effect"
import { Passkeys } from "../../../identity/Passkeys.ts"
import { Reauthentication } from "../../../identity/Reauthentication.ts"
import { sayOf, type UserContext } from "../PageContext.ts"
import { codeInput, refuseProof } from "../text/SharedTexts.ts"
import type { Input, InputEntry } from "./Inputs.tsx"
import { PasskeyButton } from "./PasskeyButton.tsx"

/** The password, with a hint where it is not always needed, and a code if the user has a second factor. */
export const proofInputs = (
  context: UserContext,
  { hint, required = true }: { readonly hint?: string; readonly required?: boolean } = {}
): ReadonlyArray<Input> => [
  { is: "password", name: "password", label: sayOf(context, "secondFactor")("password.yours"), hint, required },
  ...context.session.secondFactor ? [codeInput(context, { required })] : []
]

/** In place of the code; null for somebody who has no passkey. */
export const passkeyProof = Effect.fnUntraced(function*(context: UserContext) {
  if (!context.session.secondFactor) return null
  const visitor = context.secret.value
  const options = yield* (yield* Passkeys).request({ purpose: "factor", visitor, userId: context.user.id })
  return options === undefined
    ? null
    : <PasskeyButton context={context} does="get" options={options} text={sayOf(context, "passkeys")("useInstead")} />
})

/** What such a form says. */
export const proofOf = (context: UserContext, fields: URLSearchParams, password = "password") => ({
  userId: context.user.id,
  password: Redacted.make(fields.get(password) ?? ""),
  code: fields.get("code") ?? "",
  passkey: { json: fields.get("passkey") ?? "", visitor: context.secret.value },
  address: context.address,
  keepToken: context.session.token
})

/** Refuses a form without a good proof. Uses the code up. */
export const proveSender = (context: UserContext, fields: URLSearchParams) =>
  Reauthentication.use((reauthentication) => reauthentication.prove(proofOf(context, fields))).pipe(
    Effect.catchTags(refuseProof(context))
  )

/**
 * The same for what lets somebody into the administration: a session that was opened a moment ago has shown its proof, as it has for the
 * administration's API.
 */
export const staffInputs = (
  context: UserContext,
  options?: { readonly hint: string; readonly required: boolean }
): ReadonlyArray<Input> => context.session.isRecent ? [] : proofInputs(context, options)

export const staffPasskey = (context: UserContext) =>
  context.session.isRecent ? Effect.succeed(null) : passkeyProof(context)

export const proveStaff = (context: UserContext, fields: URLSearchParams) =>
  context.session.isRecent ? Effect.void : proveSender(context, fields)

/** Adds this proof to what a page asks for. */
export const withStaffProof = Effect.fnUntraced(function*(
  context: UserContext,
  inputs: ReadonlyArray<InputEntry> = []
) {
  return { inputs: [...inputs, ...staffInputs(context)], children: yield* staffPasskey(context) }
})
