/**
 * What a page knows of its reader: who they are, what language, theme and time zone they read in, and the secret that their
 * forms are made with. Everything a page needs to know besides what it shows.
 */
import { DateTime, Effect, Option, Redacted } from "effect"
import { HttpServerRequest } from "effect/http"
import { randomBytes } from "node:crypto"
import { type Language, languageOf, languages } from "../../domain/Language.ts"
import { LoginSessions } from "../../identity/LoginSessions.ts"
import type { User } from "../../identity/Users.ts"
import type { Actor } from "../../platform/AuditLog.ts"
import { type Formats, formatsOf, timeZoneOf } from "../../platform/Formats.ts"
import { PublicAddress } from "../../platform/PublicAddress.ts"
import type { DatabaseUnavailable } from "../../postgres/DatabaseUnavailable.ts"
import { mayUse } from "../AdminPolicy.ts"
import { clientAddress } from "./ClientAddress.ts"
import { csrfToken } from "./Csrf.ts"
import { localPath, oneOf } from "./Params.ts"
import { sayIn, type SayOf, type TextSection } from "./text/Texts.ts"

/** The session's cookie where the installation is reached by http. */
export const SESSION_COOKIE = "realms_session"

/**
 * Behind https, browsers take a cookie of this name only from this very host, over https: no neighbour under the same domain and
 * nobody on the way can plant one.
 */
const hostCookie = (name: string, publicUrl: string): string => publicUrl.startsWith("https:") ? `__Host-${name}` : name

/** The name of the session's cookie; a cookie of another name counts for nothing. */
export const sessionCookie = (publicUrl: string): string => hostCookie(SESSION_COOKIE, publicUrl)

/** The same for the secret of forms of somebody who is not signed in. */
export const formCookie = (publicUrl: string): string => hostCookie("realms_visit", publicUrl)

/** The same of a login that waits for its second factor. */
export const pendingCookie = (publicUrl: string): string => hostCookie("realms_login", publicUrl)

export const LANGUAGE_COOKIE = "realms_language"
export const THEME_COOKIE = "realms_theme"
/** Written by the page's script: only the browser knows it. */
export const ZONE_COOKIE = "realms_zone"

export const themes = ["auto", "light", "dark"] as const
export type Theme = typeof themes[number]

const VISIT_BYTES = 32
const secretPattern = /^[\w-]{43}$/
const USER_AGENT_LENGTH_MAX = 512

export interface PageContext {
  readonly language: Language
  readonly theme: Theme
  readonly formats: Formats
  /** The texts of the frame; pages say their own with {@link sayOf}. */
  readonly say: SayOf<"common">
  /** Undefined: not signed in. */
  readonly user: User | undefined
  /** Of the session that the visitor is signed in with. */
  readonly session: {
    readonly id: bigint
    readonly token: Redacted.Redacted<string>
    /** It was opened with a second factor. */
    readonly secondFactor: boolean
    /** It was opened within the last ten minutes. */
    readonly isRecent: boolean
  } | undefined
  /** Of a login whose second factor is asked for, as the visitor's cookie has it. */
  readonly pending: Redacted.Redacted<string> | undefined
  /** What forms are made with, and whether the visitor's cookie has it already. */
  readonly secret: { readonly value: string; readonly isNew: boolean }
  /** A token for a form of this page. */
  readonly csrf: string
  readonly pathname: string
  /** The address of the page that the reader is on, with its query: of a form, the page that it was on. */
  readonly here: string
  readonly query: URLSearchParams
  /** Of the client, as text; empty where it is not known. */
  readonly address: string
  readonly userAgent: string
  readonly now: Date
  /** A form was sent: what is answered has no address of its own. */
  readonly isForm: boolean
  /** Asked for by htmx: a part of a page, not a page. */
  readonly partial: boolean
}

/** For somebody who is signed in. */
export interface UserContext extends PageContext {
  readonly user: User
  readonly session: NonNullable<PageContext["session"]>
}

export const isUserContext = (context: PageContext): context is UserContext =>
  context.user !== undefined && context.session !== undefined

/** Whether the visitor may open a page of the administration, or send its form: what they may not is not shown to them. */
export const mayOpen = (context: PageContext, path: string, method: "GET" | "POST" = "GET"): boolean =>
  context.user !== undefined && mayUse(context.user.role, method, path)

/** Who acts by this context's forms, for the record of changes. */
export const actorOf = ({ address, user }: UserContext): Actor => ({
  name: `user:${user.id}`,
  userId: user.id,
  address
})

/** The page that a form was sent from, by what browsers say of pages of this site; the dashboard where they do not. */
const sentFrom = (referer: string | undefined, host: string | undefined): string => {
  const url = URL.parse(referer ?? "")
  return url !== null && url.host === host ? localPath(url.pathname + url.search) ?? "/" : "/"
}

/** A section of the texts in the visitor's language. */
export const sayOf = <S extends TextSection>(context: Pick<PageContext, "language">, section: S): SayOf<S> =>
  sayIn(context.language, section)

const secretOf = (cookie: string | undefined): PageContext["secret"] =>
  cookie !== undefined && secretPattern.test(cookie)
    ? { value: cookie, isNew: false }
    : { value: randomBytes(VISIT_BYTES).toString("base64url"), isNew: true }

/** Reads the context of the request at hand; `signedIn: false` asks nothing of the database. */
export const readContext = (
  signedIn: boolean
): Effect.Effect<
  PageContext,
  DatabaseUnavailable,
  HttpServerRequest.HttpServerRequest | LoginSessions | PublicAddress
> =>
  Effect.gen(function*() {
    const request = yield* HttpServerRequest.HttpServerRequest
    const sessions = yield* LoginSessions
    const publicUrl = (yield* PublicAddress).url()
    const { cookies, headers } = request
    const token = cookies[sessionCookie(publicUrl)]
    const found = token === undefined || token === "" || !signedIn
      ? undefined
      : Option.getOrUndefined(yield* sessions.find(Redacted.make(token)))
    const pending = cookies[pendingCookie(publicUrl)]
    const language = oneOf(languages, cookies[LANGUAGE_COOKIE]) ?? languageOf(headers["accept-language"])
    const secret = found === undefined || token === undefined
      ? secretOf(cookies[formCookie(publicUrl)])
      : { value: token, isNew: false }
    const mark = request.url.indexOf("?")
    const pathname = mark === -1 ? request.url : request.url.slice(0, mark)
    // No row has NUL: nothing could be found by it.
    const query = new URLSearchParams(mark === -1 ? "" : request.url.slice(mark + 1).replaceAll("%00", ""))
    const isForm = request.method === "POST"
    return {
      language,
      theme: oneOf(themes, cookies[THEME_COOKIE]) ?? "auto",
      formats: formatsOf(language, timeZoneOf(cookies[ZONE_COOKIE])),
      say: sayIn(language, "common"),
      user: found?.user,
      session: found === undefined || token === undefined
        ? undefined
        : {
          id: found.sessionId,
          token: Redacted.make(token),
          secondFactor: found.secondFactor,
          isRecent: found.isRecent
        },
      pending: found === undefined && pending !== undefined && pending !== "" ? Redacted.make(pending) : undefined,
      secret,
      csrf: csrfToken(secret.value),
      pathname,
      query,
      here: isForm
        ? sentFrom(headers["referer"], headers["host"])
        : query.size === 0
        ? pathname
        : `${pathname}?${query}`,
      address: yield* clientAddress(request),
      userAgent: (headers["user-agent"] ?? "").slice(0, USER_AGENT_LENGTH_MAX),
      now: DateTime.toDateUtc(yield* DateTime.now),
      isForm,
      partial: headers["hx-request"] === "true"
    }
  })
