/**
 * How a page is asked for and answered. A page's handler gets the visit and answers what to show or where to go on to; a
 * form's handler is reached only by a form that this visitor was shown, and when it refuses, the same form is shown again
 * with what was typed and what is wrong beside it. What no handler foresees ends here, as a page that says so.
 */
import { Cause, Effect, Redacted } from "effect"
import { HttpMiddleware, HttpRouter, HttpServerRequest, HttpServerResponse } from "effect/http"
import { AccountOverview } from "../../accounts/AccountOverview.ts"
import { makeReservationId } from "../../domain/Ids.ts"
import { SESSION_DAYS_MAX } from "../../identity/LoginSessions.ts"
import { PublicAddress } from "../../platform/PublicAddress.ts"
import type { ConfirmationRefused } from "../../platform/SecondPerson.ts"
import { DatabaseUnavailable } from "../../postgres/DatabaseUnavailable.ts"
import { Settings } from "../../settings/Settings.ts"
import { mayUse } from "../AdminPolicy.ts"
import {
  type Answer,
  type FormRefused,
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
import { isCsrfToken, isForeign } from "./Csrf.ts"
import { readForm } from "./FormBody.ts"
import { statusOfUnreadable } from "./FormUnreadable.ts"
import { PageTurns } from "./PageTurns.ts"
import { paymentOrigins, securityHeaders } from "./SecurityHeaders.ts"
import { refusalText } from "./text/ConfirmationText.ts"
import { renderPage, renderPart } from "./ui/Frame.tsx"
import { ProblemView } from "./ui/ProblemView.tsx"
import { hereOf, isUserVisit, readVisit, sessionCookie, type UserVisit, type Visit, visitCookie } from "./Visit.ts"

/** A choice, such as a language, is remembered so long. */
const CHOICE_MAX_AGE = "365 days"

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

interface CookieOptions {
  readonly httpOnly: boolean
  readonly maxAge: "365 days" | `${number} days` | undefined
}

const withCookie = (
  response: HttpServerResponse.HttpServerResponse,
  name: string,
  value: string,
  secure: boolean,
  { httpOnly, maxAge }: CookieOptions
) =>
  HttpServerResponse.setCookieUnsafe(response, name, value, {
    path: "/",
    sameSite: "lax",
    secure,
    httpOnly,
    ...(maxAge === undefined ? {} : { maxAge })
  })

const problemPage = (visit: Visit, title: string, text: string, status: number): Page =>
  page(title, ProblemView({ visit, title, text }), { status, bare: visit.user === undefined })

const notFoundPage = (visit: Visit): Page =>
  problemPage(visit, visit.say("problem.notFound.title"), visit.say("problem.notFound.text"), 404)

/** Why what was asked for neither is done nor waits for a second person. */
const refusedPage = (visit: Visit, { reason }: ConfirmationRefused): Page =>
  problemPage(visit, visit.say("problem.refused.title"), refusalText(visit, reason), 409)

/** What is shown for a failure that a handler let through. */
const pageOfProblem = (visit: Visit, problem: PageProblem): Page | Redirect => {
  if (problem._tag === "PageNotFound") return notFoundPage(visit)
  if (problem._tag === "ConfirmationPending") return redirect(`/admin/confirmations/${problem.id}?done=asked`)
  return problem._tag === "ConfirmationRefused"
    ? refusedPage(visit, problem)
    : page(
      visit.say("problem.unavailable.title"),
      ProblemView({
        visit,
        title: visit.say("problem.unavailable.title"),
        text: visit.say("problem.unavailable.text"),
        again: visit.isForm ? "/" : hereOf(visit)
      }),
      { status: 503, bare: true }
    )
}

const encodeDocument = Effect.fnUntraced(function*(visit: Visit, answer: Page | Part) {
  const settings = yield* Settings
  const overview = yield* AccountOverview
  const { payment, site } = settings.current()
  const origins = answer._tag === "Page" ? answer.formOrigins ?? [] : []
  const balance = visit.user === undefined || answer._tag === "Part"
    ? undefined
    // The page is worth more than the figure in its corner.
    : yield* overview.balance(visit.user.id).pipe(Effect.catchCause(() => Effect.undefined))
  const html = answer._tag === "Page" ? renderPage(visit, answer, site, balance?.usdMicros) : renderPart(answer)
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

const isHttps = (publicUrl: string): boolean => publicUrl.startsWith("https:")

const encodeRedirect = (answer: Redirect, publicUrl: string) => {
  const secure = isHttps(publicUrl)
  const session = sessionCookie(publicUrl)
  let response = HttpServerResponse.redirect(answer.to, { status: 303, headers: { "cache-control": "no-store" } })
  if (answer.session !== undefined) {
    response = answer.session === null
      ? HttpServerResponse.expireCookieUnsafe(response, session, { path: "/", secure })
      : withCookie(response, session, Redacted.value(answer.session), secure, {
        httpOnly: true,
        maxAge: `${SESSION_DAYS_MAX} days`
      })
  }
  for (const [name, value] of Object.entries(answer.choices ?? {})) {
    response = withCookie(response, name, value, secure, { httpOnly: true, maxAge: CHOICE_MAX_AGE })
  }
  return response
}

const encode = Effect.fnUntraced(function*(visit: Visit, answer: Answer) {
  const publicUrl = (yield* PublicAddress).url()
  if (answer._tag === "Raw") return answer.response
  const response = answer._tag === "Redirect"
    ? encodeRedirect(answer, publicUrl)
    : yield* encodeDocument(visit, answer)
  return visit.secret.isNew && answer._tag === "Page"
    ? withCookie(response, visitCookie(publicUrl), visit.secret.value, isHttps(publicUrl), {
      httpOnly: true,
      maxAge: undefined
    })
    : response
})

/** One user's pages wait for one another beyond their turns; past the bound they are told to come back. */
const inTurn = <R>(visit: Visit, handled: Effect.Effect<Answer, PageProblem, R>) =>
  Effect.flatMap(PageTurns, (turns) => turns.take(visit.user?.id, handled)).pipe(
    Effect.catchTag("TooManyPages", () =>
      Effect.succeed<Answer>(
        problemPage(visit, visit.say("problem.refused.title"), visit.say("problem.pages"), 429)
      ))
  )

/** A path as it may be logged: links that are as good as a password end in one. */
export const loggedPath = (pathname: string): string => pathname.replace(/^\/(setup|reset)\/.*/s, "/$1/…")

/** Runs a handler for the request at hand; whatever it fails with becomes a page. */
const answered = <R>(handler: (visit: Visit) => Effect.Effect<Answer, PageProblem, R>, msMax: number) =>
  Effect.gen(function*() {
    const visit = yield* readVisit(true).pipe(
      Effect.map((known) => ({ known, problem: undefined })),
      Effect.catch((problem) => Effect.map(readVisit(false), (known) => ({ known, problem })))
    )
    const handled = visit.problem === undefined
      ? Effect.suspend(() => handler(visit.known))
      : Effect.fail(visit.problem)
    const answer = yield* handled.pipe(
      Effect.timeoutOrElse({
        duration: msMax,
        orElse: () => Effect.fail(new DatabaseUnavailable({ reason: `no answer within ${msMax} ms` }))
      }),
      Effect.catch((problem) => Effect.succeed<Answer>(pageOfProblem(visit.known, problem))),
      Effect.catchDefect((defect) => {
        const id = makeReservationId()
        const title = visit.known.say("problem.error.title")
        return Effect.as(
          Effect.logError("a page failed", { id, path: loggedPath(visit.known.pathname) }, Cause.die(defect)),
          problemPage(visit.known, title, visit.known.say("problem.error.text", { id }), 500)
        )
      })
    )
    return yield* encode(visit.known, answer)
  }).pipe(compressed, Effect.orDie)

const loginPath = (visit: Visit): string => {
  const here = hereOf(visit)
  return here === "/" ? "/login" : `/login?${new URLSearchParams({ next: here })}`
}

/** A page for anybody. */
export const visitorPage = <R>(
  path: HttpRouter.PathInput,
  handler: (visit: Visit) => Effect.Effect<Answer, PageProblem, R>
) => HttpRouter.add("GET", path, answered((visit) => inTurn(visit, handler(visit)), PAGE_MS_MAX))

/** Tells htmx to ask for the whole page again, which then leads to signing in. */
const pageAnew: Answer = raw(
  HttpServerResponse.empty({ status: 204, headers: { "hx-refresh": "true", "cache-control": "no-store" } })
)

/** A page for users; others are sent to sign in, and come back to it. */
export const userPage = <R>(
  path: HttpRouter.PathInput,
  handler: (visit: UserVisit) => Effect.Effect<Answer, PageProblem, R>
) =>
  visitorPage(
    path,
    (visit) =>
      isUserVisit(visit) ? handler(visit) : Effect.succeed(visit.partial ? pageAnew : redirect(loginPath(visit)))
  )

/** A form's use case, and the page that shows the form again when it was refused. */
export interface FormHandler<V extends Visit, R1, R2> {
  run(visit: V, fields: URLSearchParams): Effect.Effect<Answer, FormRefused | PageProblem, R1>
  /** Reads a form that is longer than others, or has files. */
  readonly read?: typeof readForm
  /** Without one, a page says what is wrong and leads back. */
  readonly again?: (visit: V, fields: URLSearchParams, problems: Problems) => Effect.Effect<Answer, PageProblem, R2>
}

const withStatus = (answer: Answer, status: number): Answer =>
  answer._tag === "Page" || answer._tag === "Part" ? { ...answer, status } : answer

const plainAgain = (visit: Visit, problems: Problems): Page =>
  problemPage(visit, visit.say("problem.refused.title"), Object.values(problems).join(" "), 422)

/** Whether the request comes from a page of this site that was made for this visitor. */
const isOurs = Effect.fnUntraced(function*(visit: Visit, fields: URLSearchParams) {
  const { headers } = yield* HttpServerRequest.HttpServerRequest
  const origin = { secFetchSite: headers["sec-fetch-site"], origin: headers["origin"], host: headers["host"] }
  return !isForeign(origin, (yield* PublicAddress).url()) && isCsrfToken(visit.secret.value, fields.get("csrf_token"))
})

const handleForm = <V extends Visit, R1, R2>(visit: V, form: FormHandler<V, R1, R2>) =>
  Effect.gen(function*() {
    const fields = yield* form.read ?? readForm
    const again = (problems: Problems, status: number) =>
      Effect.map(
        form.again?.(visit, fields, problems) ?? Effect.succeed(plainAgain(visit, problems)),
        (answer) => withStatus(answer, status)
      )
    if (!(yield* isOurs(visit, fields))) return yield* again({ form: visit.say("form.expired") }, 403)
    return yield* form.run(visit, fields).pipe(
      Effect.catchTag("FormRefused", ({ problems, status }: FormRefused) => again(problems, status))
    )
  }).pipe(
    Effect.catchTag("FormUnreadable", ({ why }) => {
      const title = visit.say("problem.refused.title")
      const text = why === "large" ? visit.say("form.large") : visit.say("form.malformed")
      return Effect.succeed<Answer>(problemPage(visit, title, text, statusOfUnreadable[why]))
    })
  )

/** A form that anybody may send. */
export const visitorForm = <R1, R2 = never>(path: HttpRouter.PathInput, form: FormHandler<Visit, R1, R2>) =>
  HttpRouter.add("POST", path, answered((visit) => handleForm(visit, form), FORM_MS_MAX))

/** Somebody whose session has ended is told so, and nothing is done. */
const signedInForm = <R>(
  path: HttpRouter.PathInput,
  handled: (visit: UserVisit) => Effect.Effect<Answer, PageProblem, R>
) =>
  HttpRouter.add(
    "POST",
    path,
    answered(
      (visit) =>
        isUserVisit(visit)
          ? handled(visit)
          : Effect.succeed(problemPage(visit, visit.say("problem.refused.title"), visit.say("problem.session"), 403)),
      FORM_MS_MAX
    )
  )

/** A form of users. */
export const userForm = <R1, R2 = never>(path: HttpRouter.PathInput, form: FormHandler<UserVisit, R1, R2>) =>
  signedInForm(path, (visit) => handleForm(visit, form))

/** For whoever may not use it there is no such page, signed in or not. */
const asAllowed = <R>(
  visit: UserVisit,
  handled: (visit: UserVisit) => Effect.Effect<Answer, PageProblem, R>
): Effect.Effect<Answer, PageProblem, R> =>
  mayUse(visit.user.role, visit.isForm ? "POST" : "GET", visit.pathname)
    ? handled(visit)
    : Effect.fail(new PageNotFound())

/** A page of the administration. One whose session has ended is sent to sign in, those who may not use it find nothing. */
export const adminPage = <R>(
  path: `/admin${string}` & HttpRouter.PathInput,
  handler: (visit: UserVisit) => Effect.Effect<Answer, PageProblem, R>
) => userPage(path, (visit) => asAllowed(visit, handler))

/** A form of the administration. */
export const adminForm = <R1, R2 = never>(
  path: `/admin${string}` & HttpRouter.PathInput,
  form: FormHandler<UserVisit, R1, R2>
) => signedInForm(path, (visit) => asAllowed(visit, (allowed) => handleForm(allowed, form)))

/** Everything else that a browser asks for. */
export const notFoundRoute = visitorPage("/*", (visit) => Effect.succeed(notFoundPage(visit)))
