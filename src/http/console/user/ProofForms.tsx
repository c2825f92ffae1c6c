/**
 * What forms ask before they change how somebody signs in: the password and, where there is a second factor, a code or a passkey.
 */
import { Effect, Redacted } from "effect"
import { Passkeys } from "../../../identity/Passkeys.ts"
import type { Input } from "../kit/Inputs.tsx"
import { PasskeyButton } from "../kit/PasskeyButton.tsx"
import { sayOf, type UserContext } from "../PageContext.ts"
import { codeInput } from "../text/SharedTexts.ts"

/** The password and, where it is needed, a code. */
export const proofInputs = (context: UserContext): ReadonlyArray<Input> => [
  { is: "password", name: "password", label: sayOf(context, "secondFactor")("password"), required: true },
  ...context.session.secondFactor ? [codeInput(context)] : []
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
