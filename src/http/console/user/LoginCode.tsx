/**
 * `/login/second-factor`: the second step of signing in, for somebody whose password was right. What they have until then is a cookie
 * that is good for this page alone, for ten minutes.
 */
import { Effect } from "effect"
import { Login } from "../../../identity/Login.ts"
import { emptyForm, type FormState, redirect, refusing } from "../Answer.ts"
import { routes, visitorForm, visitorPage } from "../ConsoleRoute.ts"
import { sheetPage } from "../kit/EntryPages.tsx"
import { FormAlert, InputForm } from "../kit/Forms.tsx"
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

const codePage = (context: PageContext, fields: URLSearchParams, state: FormState) => {
  const say = sayOf(context, "secondFactor")
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
      </InputForm>
    ),
    below: [say("login.lost"), " ", <a href={startOf(fields)}>{say("login.again")}</a>]
  })
}

/** The form, as long as a login waits for it. */
const show = Effect.fnUntraced(function*(context: PageContext) {
  const { pending, query, user } = context
  if (user !== undefined) return redirect(nextOf(query) ?? "/")
  if (pending === undefined || !(yield* (yield* Login).isPending(pending))) return redirect(startOf(query))
  return codePage(context, query, emptyForm)
})

const answer = Effect.fnUntraced(function*(context: PageContext, fields: URLSearchParams) {
  const { address, pending, userAgent } = context
  if (pending === undefined) return redirect(startOf(fields))
  const code = fields.get("code") ?? ""
  return yield* Login.use((login) => login.answer({ pending, code, address, userAgent })).pipe(
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
    again: (context, state) => Effect.succeed(codePage(context, state.values, state))
  })
)
