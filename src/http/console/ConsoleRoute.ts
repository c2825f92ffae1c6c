/**
 * How a page is asked for and answered. A page's handler gets the context and answers what to show or where to go on to; a
 * form's handler is reached only by a form that this visitor was shown, and when it refuses, the same form is shown again
 * with what was typed and what is wrong beside it. What no handler foresees ends here, as a page that says so.
 */
import { Cause, Effect, type Layer, Redacted } from "effect"
import { HttpMiddleware, HttpRouter, HttpServerRequest, HttpServerResponse } from "effect/http"
import { AccountOverview } from "../../accounts/AccountOverview.ts"
import { makeReservationId } from "../../domain/Ids.ts"
import { paymentOrigins } from "../../payments/PaymentOrigins.ts"
import { PublicAddress } from "../../platform/PublicAddress.ts"
import { DatabaseUnavailable } from "../../postgres/DatabaseUnavailable.ts"
import { Announcements } from "../../settings/Announcements.ts"
import { Settings } from "../../settings/Settings.ts"
import { loggedPath } from "../AccessLog.ts"
import { lacksSecondFactor, mayUse } from "../AdminPolicy.ts"
import {
  type Answer,
  emptyForm,
  type FormRefused,
  type FormState,
  type NotThere,
  orNotFound,
  type Page,
  page,
  PageNotFound,
  type PageProblem,
  type Part,
  type Problems,
  raw,
  type Redirect,
  redirect
} from "./Answer.ts"
import { encodeRedirect, withFormSecret, withSession } from "./AnswerCookies.ts"
import { csrfToken, isCsrfToken, isForeign } from "./Csrf.ts"
import { type ReadForm, readForm, statusOfUnreadable } from "./FormBody.ts"
import { ProblemView, renderPage, renderPart } from "./frame/Frame.tsx"
import { isUserContext, type PageContext, readContext, type UserContext } from "./PageContext.ts"
import { PageTurns } from "./PageTurns.ts"
import { securityHeaders } from "./SecurityHeaders.ts"
import { refusalText } from "./text/SharedTexts.ts"

/** A page is there within this, in milliseconds, or it says that it cannot be had now. */
const PAGE_MS_MAX = 12_000

/** The same for a form: payment providers are asked within it, which has bounds of its own that are shorter. */
const FORM_MS_MAX = 60_000

/** A smaller answer is not worth compressing. */
const COMPRESSED_BYTES_MIN = 1_024

const compressed = HttpMiddleware.compression({
  algorithms: ["gzip"],
  minSize: COMPRESSED_BYTES_MIN,
  levels: { gzip: 5 }
})

const problemPage = (context: PageContext, title: string, text: string, status: number): Page =>
  page(title, ProblemView({ context, title, text }), { status, bare: context.user === undefined })

/** What was asked for is not done. */
const refusedPage = (context: PageContext, text: string, status: number): Page =>
  problemPage(context, context.say("problem.refused.title"), text, status)

const notFoundPage = (context: PageContext): Page =>
  problemPage(context, context.say("problem.notFound.title"), context.say("problem.notFound.text"), 404)

/** What is shown for a failure that a handler let through. */
const pageOfProblem = (context: PageContext, problem: PageProblem): Page | Redirect => {
  if (problem._tag === "PageNotFound") return notFoundPage(context)
  if (problem._tag === "ConfirmationPending") return redirect(`/admin/confirmations/${problem.id}?done=asked`)
  // It neither is done nor waits for a second person.
  if (problem._tag === "ConfirmationRefused") return refusedPage(context, refusalText(context, problem.reason), 409)
  const [title, text] = [context.say("problem.unavailable.title"), context.say("problem.unavailable.text")]
  return page(title, ProblemView({ context, title, text, again: context.here }), { status: 503, bare: true })
}

/** What the page's reader is told above it: in the console, and where no form has just been sent. */
const announcedOn = (context: PageContext, { bare }: Page) => {
  const { isForm, now, pathname, user } = context
  return user === undefined || bare === true || isForm || /^\/(?:admin|announcements)(?:\/|$)/.test(pathname)
    ? Effect.succeed([])
    : Announcements.use((announcements) => announcements.forUser(user.id, now)).pipe(
      // The page is worth more than what stands above it.
      Effect.catchCause(() => Effect.succeed([]))
    )
}

/** The context after an answer that has given the session a new token: forms are made with it. */
const contextAfter = (context: PageContext, answer: Page | Part): PageContext => {
  if (answer._tag === "Part" || answer.session === undefined) return context
  const value = Redacted.value(answer.session)
  return { ...context, secret: { value, isNew: false }, csrf: csrfToken(value) }
}

const encodeDocument = Effect.fnUntraced(function*(asked: PageContext, answer: Page | Part) {
  const context = contextAfter(asked, answer)
  const settings = yield* Settings
  const overview = yield* AccountOverview
  const { payment, site } = settings.current()
  const origins = answer._tag === "Page" ? answer.formOrigins ?? [] : []
  const balance = context.user === undefined || answer._tag === "Part"
    ? undefined
    // The page is worth more than the figure in its corner.
    : yield* overview.balance(context.user.id).pipe(Effect.catchCause(() => Effect.undefined))
  const html = answer._tag === "Page"
    ? renderPage(context, answer, {
      site,
      balanceMicros: balance?.usdMicros,
      announcements: yield* announcedOn(context, answer)
    })
    : renderPart(answer)
  return HttpServerResponse.text(html, {
    status: answer.status ?? 200,
    contentType: "text/html; charset=utf-8",
    headers: {
      ...securityHeaders([...paymentOrigins(payment), ...origins]),
      ...(answer.status === 503 || answer.status === 429 ? { "retry-after": "5" } : {}),
      vary: "hx-request"
    }
  })
})

const encode = Effect.fnUntraced(function*(context: PageContext, answer: Answer) {
  const publicUrl = (yield* PublicAddress).url()
  if (answer._tag === "Raw") return answer.response
  const response = answer._tag === "Redirect"
    ? encodeRedirect(answer, publicUrl)
    : yield* encodeDocument(context, answer)
  if (answer._tag === "Page" && answer.session !== undefined) return withSession(response, answer.session, publicUrl)
  return context.secret.isNew && answer._tag === "Page"
    ? withFormSecret(response, context.secret.value, publicUrl)
    : response
})

/** One user's pages wait for one another beyond their turns; past the bound they are told to come back. */
const inTurn = <R>(context: PageContext, handled: Effect.Effect<Answer, PageProblem, R>) =>
  Effect.flatMap(PageTurns, (turns) => turns.take(context.user?.id, handled)).pipe(
    Effect.catchTag(
      "TooManyPages",
      () => Effect.succeed<Answer>(refusedPage(context, context.say("problem.pages"), 429))
    )
  )

/** Runs a handler for the request at hand; whatever it fails with becomes a page. */
const answered = <R>(handler: (context: PageContext) => Effect.Effect<Answer, PageProblem, R>, msMax: number) =>
  Effect.gen(function*() {
    const context = yield* readContext(true).pipe(
      Effect.map((known) => ({ known, problem: undefined })),
      Effect.catch((problem) => Effect.map(readContext(false), (known) => ({ known, problem })))
    )
    const handled = context.problem === undefined
      ? Effect.suspend(() => handler(context.known))
      : Effect.fail(context.problem)
    const answer = yield* handled.pipe(
      Effect.timeoutOrElse({
        duration: msMax,
        orElse: () => Effect.fail(new DatabaseUnavailable({ reason: `no answer within ${msMax} ms` }))
      }),
      Effect.catch((problem) => Effect.succeed<Answer>(pageOfProblem(context.known, problem))),
      Effect.catchDefect((defect) => {
        const id = makeReservationId()
        const title = context.known.say("problem.error.title")
        return Effect.as(
          Effect.logError("a page failed", { id, path: loggedPath(context.known.pathname) }, Cause.die(defect)),
          problemPage(context.known, title, context.known.say("problem.error.text", { id }), 500)
        )
      })
    )
    return yield* encode(context.known, answer)
  }).pipe(compressed, Effect.orDie)

const loginPath = (context: PageContext): string => {
  const { here } = context
  return here === "/" ? "/login" : `/login?${new URLSearchParams({ next: here })}`
}

/** Who a route is for. */
export type Access = "anyone" | "user" | "admin"

/** A route of the console, as data: a test asks every one of them as everybody there is. */
export interface PageRoute<L extends Layer.Any> {
  readonly access: Access
  readonly method: "GET" | "POST"
  readonly path: string
  /** What adds it to the router. */
  readonly layer: L
}

type Listed<T> = T extends PageRoute<infer L> ? PageRoute<L> : T extends ReadonlyArray<infer Route> ? Route : never

/** The routes of an area of the console, of one page or of several. */
export const routes = <T extends ReadonlyArray<PageRoute<Layer.Any> | ReadonlyArray<PageRoute<Layer.Any>>>>(
  ...listed: T
): ReadonlyArray<Listed<T[number]>> =>
  // What a list of lists flattens to is more than TypeScript follows.
  listed.flat() as ReadonlyArray<Listed<T[number]>>

/** Answers what is asked for in a context. */
type Handler<V extends PageContext, R> = (context: V) => Effect.Effect<Answer, PageProblem, R>

const route = <R>(
  access: Access,
  method: "GET" | "POST",
  path: HttpRouter.PathInput,
  handler: Handler<PageContext, R>
) => ({
  access,
  method,
  path,
  layer: HttpRouter.add(method, path, answered(handler, method === "GET" ? PAGE_MS_MAX : FORM_MS_MAX))
})

const pageRoute = <R>(access: Access, path: HttpRouter.PathInput, handler: Handler<PageContext, R>) =>
  route(access, "GET", path, (context) => inTurn(context, handler(context)))

/** A page for anybody. */
export const visitorPage = <R>(path: HttpRouter.PathInput, handler: Handler<PageContext, R>) =>
  pageRoute("anyone", path, handler)

/** The same, whose work is to ask another server: it takes no turn of the others, and bounds itself. */
export const outwardPage = <R>(path: HttpRouter.PathInput, handler: Handler<PageContext, R>) =>
  route("anyone", "GET", path, handler)

/** Tells htmx to ask for the whole page again, which then leads to signing in. */
export const pageReload: Answer = raw(
  HttpServerResponse.empty({ status: 204, headers: { "hx-refresh": "true", "cache-control": "no-store" } })
)

const signedInPage = <R>(access: Access, path: HttpRouter.PathInput, handler: Handler<UserContext, R>) =>
  pageRoute(access, path, (context) =>
    isUserContext(context)
      ? handler(context)
      : Effect.succeed(context.partial ? pageReload : redirect(loginPath(context))))

/** A page for users; others are sent to sign in, and come back to it. */
export const userPage = <R>(path: HttpRouter.PathInput, handler: Handler<UserContext, R>) =>
  signedInPage("user", path, handler)

/** A form's use case, and the page that shows the form again when it was refused. */
export interface FormHandler<V extends PageContext, R1, R2> {
  run(context: V, fields: URLSearchParams): Effect.Effect<Answer, FormRefused | PageProblem, R1>
  /** Reads a form that is longer than others, or has files. */
  readonly read?: ReadForm
  /** Without one, a page says what is wrong and leads back. */
  readonly again?: (context: V, state: FormState) => Effect.Effect<Answer, PageProblem, R2>
}

const withStatus = (answer: Answer, status: number): Answer =>
  answer._tag === "Page" || answer._tag === "Part" ? { ...answer, status } : answer

const plainAgain = (context: PageContext, problems: Problems): Page =>
  refusedPage(context, Object.values(problems).join(" "), 422)

/** Whether the request comes from a page of this site that was made for this visitor. */
const isOurs = Effect.fnUntraced(function*(context: PageContext, fields: URLSearchParams) {
  const { headers } = yield* HttpServerRequest.HttpServerRequest
  const origin = { secFetchSite: headers["sec-fetch-site"], origin: headers["origin"], host: headers["host"] }
  return !isForeign(origin, (yield* PublicAddress).url()) && isCsrfToken(context.secret.value, fields.get("csrf_token"))
})

const handleForm = <V extends PageContext, R1, R2>(context: V, form: FormHandler<V, R1, R2>) =>
  Effect.gen(function*() {
    const fields = yield* form.read ?? readForm
    const again = (problems: Problems, status: number) =>
      Effect.map(
        form.again?.(context, { values: fields, problems }) ?? Effect.succeed(plainAgain(context, problems)),
        (answer) => withStatus(answer, status)
      )
    if (!(yield* isOurs(context, fields))) return yield* again({ form: context.say("form.expired") }, 403)
    return yield* form.run(context, fields).pipe(
      Effect.catchTag("FormRefused", ({ problems, status }: FormRefused) => again(problems, status))
    )
  }).pipe(
    Effect.catchTag("FormUnreadable", ({ why }) => {
      const text = why === "large" ? context.say("form.large") : context.say("form.malformed")
      return Effect.succeed<Answer>(refusedPage(context, text, statusOfUnreadable[why]))
    })
  )

/** A form that anybody may send. */
export const visitorForm = <R1, R2 = never>(path: HttpRouter.PathInput, form: FormHandler<PageContext, R1, R2>) =>
  route("anyone", "POST", path, (context) => handleForm(context, form))

/** Somebody whose session has ended is told so, and nothing is done. */
const signedInForm = <R>(access: Access, path: HttpRouter.PathInput, handled: Handler<UserContext, R>) =>
  route(access, "POST", path, (context) =>
    isUserContext(context)
      ? handled(context)
      : Effect.succeed(refusedPage(context, context.say("problem.session"), 403)))

/** A form of users. */
export const userForm = <R1, R2 = never>(path: HttpRouter.PathInput, form: FormHandler<UserContext, R1, R2>) =>
  signedInForm("user", path, (context) => handleForm(context, form))

/** Where a second factor is set up. */
export const SECOND_FACTOR_PATH = "/account/second-factor"

export type AdminPath = `/admin${string}`

/**
 * For those who may not use it there is no such page, signed in or not. Those who may, and whose role needs a second factor that they
 * do not have, are sent to set one up.
 */
const asAllowed = <R>(handled: Handler<UserContext, R>): Handler<UserContext, R | Settings> => (context) =>
  Effect.gen(function*() {
    if (!mayUse(context.user.role, context.isForm ? "POST" : "GET", context.pathname)) {
      return yield* new PageNotFound()
    }
    const settings = yield* (yield* Settings).get
    return lacksSecondFactor(settings, context.user, context.session)
      ? redirect(SECOND_FACTOR_PATH)
      : yield* handled(context)
  })

/** A page of the administration. One whose session has ended is sent to sign in, those who may not use it find nothing. */
export const adminPage = <R>(path: AdminPath, handler: Handler<UserContext, R>) =>
  signedInPage("admin", path, asAllowed(handler))

/** A form of the administration. */
export const adminForm = <R1, R2 = never>(path: AdminPath, form: FormHandler<UserContext, R1, R2>) =>
  signedInForm("admin", path, asAllowed((context) => handleForm(context, form)))

interface FormPage<R1, R2, R3> {
  page(context: UserContext): Effect.Effect<Answer, PageProblem, R1>
  readonly form: FormHandler<UserContext, R2, R3>
}

/** A form of the administration, and the page that shows it: both have one address. */
export const adminFormPage = <R1, R2, R3 = never>(path: AdminPath, { form, page: show }: FormPage<R1, R2, R3>) =>
  routes(adminPage(path, show), adminForm(path, form))

/** Everything else that a browser asks for. */
export const notFoundRoute = visitorPage("/*", (context) => Effect.succeed(notFoundPage(context)))

export interface PageForm<R1, R2> extends Pick<FormHandler<UserContext, R1, R2>, "read"> {
  /** Shows the form. */
  show(context: UserContext, state: FormState): Effect.Effect<Answer, PageProblem | NotThere, R1>
  /** Does what the form asks for. */
  run(context: UserContext, fields: URLSearchParams): Effect.Effect<Answer, FormRefused | PageProblem | NotThere, R2>
}

/** The handlers of both. What the address names and is not there is no page. */
export const pageForm = <R1, R2>({ run, show, ...form }: PageForm<R1, R2>) => ({
  page: (context: UserContext) => orNotFound(show(context, emptyForm)),
  form: {
    ...form,
    run: (context, fields) => orNotFound(run(context, fields)),
    again: (context, state) => orNotFound(show(context, state))
  } satisfies FormHandler<UserContext, R2, R1>
})
