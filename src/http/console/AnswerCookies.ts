/**
 * The cookies of answers: a session and a login under way, the secret of a visitor's forms, and choices such as a language.
 */
import { Redacted } from "effect"
import { HttpServerResponse } from "effect/http"
import { PENDING_MINUTES_MAX } from "../../identity/Login.ts"
import { SESSION_DAYS_MAX } from "../../identity/LoginSessions.ts"
import type { Redirect } from "./Answer.ts"
import { formCookie, pendingCookie, sessionCookie } from "./PageContext.ts"

/** A choice, such as a language, is remembered so long; a session's cookie, and that of a login under way. */
const CHOICE_MAX_AGE = "365 days"
const SESSION_AGE = `${SESSION_DAYS_MAX} days` as const
const PENDING_AGE = `${PENDING_MINUTES_MAX} minutes` as const

interface CookieOptions {
  readonly httpOnly: boolean
  readonly maxAge: "365 days" | `${number} days` | `${number} minutes` | undefined
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

/** Signs in with this session. */
export const withSession = (
  response: HttpServerResponse.HttpServerResponse,
  session: Redacted.Redacted<string>,
  publicUrl: string
) =>
  withCookie(response, sessionCookie(publicUrl), Redacted.value(session), publicUrl.startsWith("https:"), {
    httpOnly: true,
    maxAge: SESSION_AGE
  })

/** The secret of the forms of somebody who is not signed in, for as long as the browser is open. */
export const withFormSecret = (response: HttpServerResponse.HttpServerResponse, secret: string, publicUrl: string) =>
  withCookie(response, formCookie(publicUrl), secret, publicUrl.startsWith("https:"), {
    httpOnly: true,
    maxAge: undefined
  })

export const encodeRedirect = (answer: Redirect, publicUrl: string) => {
  const secure = publicUrl.startsWith("https:")
  const [session, pending] = [sessionCookie(publicUrl), pendingCookie(publicUrl)]
  let response = HttpServerResponse.redirect(answer.to, { status: 303, headers: { "cache-control": "no-store" } })
  if (answer.session !== undefined) {
    response = answer.session === null
      ? HttpServerResponse.expireCookieUnsafe(response, session, { path: "/", secure })
      : withSession(response, answer.session, publicUrl)
    response = HttpServerResponse.expireCookieUnsafe(response, pending, { path: "/", secure })
  }
  if (answer.pending !== undefined) {
    const options = { httpOnly: true, maxAge: PENDING_AGE }
    response = withCookie(response, pending, Redacted.value(answer.pending), secure, options)
  }
  for (const [name, value] of Object.entries(answer.choices ?? {})) {
    response = withCookie(response, name, value, secure, { httpOnly: true, maxAge: CHOICE_MAX_AGE })
  }
  return response
}
