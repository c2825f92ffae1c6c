/**
 * `/login/second-factor`: the second step of signing in, for somebody whose password was right. What they have until then is a cookie
 * that is good for this page alone, for ten minutes.
 */
import { Effect } from "effect"
import { Login } from "../../../identity/Login.ts"
import { Passkeys } from "../../../identity/Passkeys.ts"
import { emptyForm, type FormState, redirect, refusing } from "../Answer.ts"
import { routes, visitorForm, visitorPage } from "../ConsoleRoute.ts"
import { sheetPage } from "../kit/EntryPages.tsx"
import { FormAlert, InputForm } from "../kit/Forms.tsx"
import { PasskeyButton } from "../kit/PasskeyButton.tsx"
import { type PageContext, sayOf } from "../PageContext.ts"
import { localPath } from "../Params.ts"
import { codeInput, refuseBusy } from "../text/SharedTexts.ts"

export const LOGIN_CODE_PATH = "/login/second-factor"

const nextOf = (fields: URLSearchParams): string | undefined => localPath(fields.get("next"))

/** Where signing in begins again. */
const startOf = (fields: URLSearchParams): string => {
  const next = nextOf(fields)
  return next === undefined ? "/login" : `/login?${new URLSearchParams({ next })}`
}

interface CodePageProps {
  readonly context: PageContext
  readonly fields: URLSearchParams
  readonly state: FormState
  /** What the browser is asked for a passkey, where there is one. */
  readonly options: string | undefined
}

const codePage = ({ fields, options, state, context }: CodePageProps) => {
  const say = sayOf(context, "secondFactor")
  const passkeyText = sayOf(context, "passkeys")("useInstead")
  return sheetPage({
    title: say("title"),
    lead: say("login.lead"),
    children: (
      <InputForm
        context={context}
        action={LOGIN_CODE_PATH}
        state={state}
        fields={{ next: nextOf(fields) }}
        inputs={[codeInput(context, { autofocus: true })]}
        look="btn-primary w-100 mt-2"
        submit={say("login.submit")}
      >
        <FormAlert state={state} />
        {options === undefined
          ? null
          : <PasskeyButton context={context} does="get" options={options} text={passkeyText} look="w-100" />}
      </InputForm>
    ),
    below: [say("login.lost"), " ", <a href={startOf(fields)}>{say("login.again")}</a>]
  })
}

/** What the waiting user's passkey is asked for. */
const optionsOf = Effect.fnUntraced(function*({ pending, secret }: PageContext) {
  const userId = pending === undefined ? undefined : yield* (yield* Login).pendingUser(pending)
  if (userId === undefined) return { userId, options: undefined }
  const passkeys = yield* Passkeys
  return { userId, options: yield* passkeys.request({ purpose: "factor", visitor: secret.value, userId }) }
})

/** The form, as long as a login waits for it. */
const show = Effect.fnUntraced(function*(context: PageContext) {
  const { query, user } = context
  if (user !== undefined) return redirect(nextOf(query) ?? "/")
  const { options, userId } = yield* optionsOf(context)
  return userId === undefined
    ? redirect(startOf(query))
    : codePage({ context, fields: query, state: emptyForm, options })
})

const answer = Effect.fnUntraced(function*(context: PageContext, fields: URLSearchParams) {
  const { address, language, pending, secret, userAgent } = context
  if (pending === undefined) return redirect(startOf(fields))
  const passkey = { json: fields.get("passkey") ?? "", visitor: secret.value }
  const given = { pending, code: fields.get("code") ?? "", passkey, address, userAgent, language }
  return yield* Login.use((login) => login.answer(given)).pipe(
    Effect.map((session) => redirect(nextOf(fields) ?? "/", { session })),
    Effect.catchTags({
      PendingLoginOver: () => Effect.succeed(redirect(startOf(fields))),
      SecondFactorWrong: refusing({ code: sayOf(context, "secondFactor")("code.wrong") }),
      TooManyAttempts: refuseBusy(context)
    })
  )
})

export const LoginCodeRoutes = routes(
  visitorPage(LOGIN_CODE_PATH, show),
  visitorForm(LOGIN_CODE_PATH, {
    run: answer,
    again: (context, state) =>
      Effect.map(optionsOf(context), ({ options }) => codePage({ context, fields: state.values, state, options }))
  })
)
