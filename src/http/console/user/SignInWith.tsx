/**
 * `/login/with/{provider}` leads to a provider that signs people in, and `/login/callback/{provider}` back: into the session, to the second
 * factor, or to a page that says why not. Both only ever go on to this site or to the provider that root has set up.
 */
import { Effect } from "effect"
import { HttpRouter } from "effect/http"
import { ExternalLogins } from "../../../identity/ExternalLogins.ts"
import { type ProviderId, providerIds, SignInProviders } from "../../../identity/SignInProviders.ts"
import { type Page, PageNotFound, redirect } from "../Answer.ts"
import { outwardPage, routes } from "../ConsoleRoute.ts"
import { endPage } from "../kit/EntryPages.tsx"
import { isUserContext, type PageContext, sayOf } from "../PageContext.ts"
import { oneOf } from "../Params.ts"
import { LOGIN_CODE_PATH } from "./LoginCode.tsx"

/** The provider that the address names. */
export const theProvider = Effect.flatMap(HttpRouter.params, ({ provider }) => {
  const id = oneOf(providerIds, provider)
  return id === undefined ? Effect.fail(new PageNotFound()) : Effect.succeed(id)
})

export const failedPage = (context: PageContext, text: string, status: number): Page =>
  endPage(context, { title: sayOf(context, "signIn")("failed.title"), lead: text, status })

/** Says that a provider is not there; why is for the log. */
export const providerAway = (context: PageContext, provider: ProviderId) => ({ reason }: { readonly reason: string }) =>
  Effect.as(
    Effect.logWarning("a provider that signs people in did not answer", { provider, reason }),
    failedPage(context, sayOf(context, "signIn")("away"), 503)
  )

/** The links of the login page. */
export const SignInLinks = ({ context, offered }: {
  readonly context: PageContext
  readonly offered: ReturnType<SignInProviders["Service"]["offered"]>
}) => (
  <>
    {offered.map(({ id, name }) => (
      <a key={id} class="btn w-100 mt-3" href={`/login/with/${id}`}>{sayOf(context, "signIn")("with", { name })}</a>
    ))}
  </>
)

const start = Effect.fnUntraced(function*(context: PageContext) {
  const provider = yield* theProvider
  // What comes back counts only in a browser that has its cookie already.
  if (context.user !== undefined || context.secret.isNew) return redirect(context.user === undefined ? "/login" : "/")
  return yield* (yield* SignInProviders).start(provider, { purpose: "login", visitor: context.secret.value }).pipe(
    Effect.map((url) => redirect(url)),
    Effect.catchTag("ProviderUnavailable", providerAway(context, provider))
  )
})

const signIn = (context: PageContext, provider: ProviderId) =>
  Effect.gen(function*() {
    const about = { purpose: "login" as const, visitor: context.secret.value }
    const identity = yield* (yield* SignInProviders).finish(provider, about, context.query)
    const client = { address: context.address, userAgent: context.userAgent }
    const result = yield* (yield* ExternalLogins).login(identity, client)
    return result._tag === "LoggedIn"
      ? redirect("/", { session: result.session })
      : redirect(LOGIN_CODE_PATH, { pending: result.pending })
  })

/** The user who is signed in, and has proved it, gets the identity. */
const connect = Effect.fnUntraced(function*(context: PageContext, provider: ProviderId) {
  if (!isUserContext(context)) return redirect("/login")
  const about = { purpose: "link" as const, visitor: context.secret.value }
  const identity = yield* (yield* SignInProviders).finish(provider, about, context.query)
  const user = { userId: context.user.id, address: context.address, token: context.session.token }
  yield* (yield* ExternalLogins).connect(user, identity)
  return redirect("/account?done=connected")
})

const callback = (context: PageContext) =>
  Effect.flatMap(theProvider, (provider) => {
    const say = sayOf(context, "signIn")
    const failed = (text: string, status = 403) => () => Effect.succeed(failedPage(context, text, status))
    const finished = Effect.gen(function*() {
      return context.user === undefined ? yield* signIn(context, provider) : yield* connect(context, provider)
    })
    return finished.pipe(
      Effect.catchTags({
        ProviderUnavailable: providerAway(context, provider),
        ProviderLoginFailed: failed(say("failed")),
        LoginRefused: failed(say("failed")),
        NoVerifiedAddress: failed(say("noAddress")),
        AddressKnown: failed(say("known")),
        IdentityTaken: failed(say("taken"), 409),
        RegistrationClosed: failed(say("closed")),
        InviteNeeded: failed(say("closed")),
        InviteInvalid: failed(say("closed")),
        EmailDomainRefused: ({ domains }) =>
          failed(sayOf(context, "login")("register.domains", { domains: domains.join(", ") }))(),
        TooManyAttempts: failed(say("busy"), 429)
      })
    )
  })

export const SignInWithRoutes = routes(
  outwardPage("/login/with/:provider", start),
  outwardPage("/login/callback/:provider", callback)
)
