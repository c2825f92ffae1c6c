/**
 * Who may use the administration's API: a program with an administrator's key, or the browser of an administrator who is signed
 * in. Anybody without a valid proof gets 401; a user of another role gets 403.
 */
import { ByteSize, Context, Effect, Layer, Option, Redacted } from "effect"
import { HttpIncomingMessage, HttpServerRequest } from "effect/http"
import { HttpApiMiddleware, HttpApiSecurity, OpenApi } from "effect/http-api"
import type { UserId } from "../../domain/Ids.ts"
import { type AdminEntry, AdminKeys } from "../../identity/AdminKeys.ts"
import { LoginSessions, RECENT_MINUTES } from "../../identity/LoginSessions.ts"
import type { Actor } from "../../platform/AuditLog.ts"
import { PublicAddress } from "../../platform/PublicAddress.ts"
import { Settings } from "../../settings/Settings.ts"
import { lacksSecondFactor, mayUse } from "../AdminPolicy.ts"
import { clientAddress } from "../console/ClientAddress.ts"
import { csrfToken, isCsrfToken, isForeign } from "../console/Csrf.ts"
import { SESSION_COOKIE, sessionCookie } from "../console/PageContext.ts"
import { ApiBadRequest, ApiForbidden, ApiUnauthorized, ApiUnavailable } from "./ApiError.ts"
import { unavailableNow } from "./ApiRefusals.ts"
import { checkRequestTexts } from "./ReadableRequests.ts"

/** The administrator whose request it is. */
export interface Administrator extends Actor {
  readonly userId: UserId
  readonly email: string
  /** What a session sends with its next change; null for a key. */
  readonly csrfToken: string | null
  /** With a key, or a session opened within the last ten minutes. */
  readonly mayOpenAccess: boolean
  /** What the request came with. */
  readonly entry: AdminEntry
}

export class CurrentAdmin
  extends Context.Service<CurrentAdmin, Administrator>()("realms/http/admin/AdminAccess/CurrentAdmin")
{}

/**
 * Asks the request at hand, which is the caller's.
 *
 * @effect-expect-leaking HttpServerRequest | ParsedSearchParams | RouteContext
 */
export class AdminAccess extends HttpApiMiddleware.Service<AdminAccess, { provides: CurrentAdmin }>()(
  "realms/http/admin/AdminAccess",
  {
    security: {
      key: HttpApiSecurity.bearer,
      session: HttpApiSecurity.apiKey({ in: "cookie", key: SESSION_COOKIE }).pipe(
        HttpApiSecurity.annotate(
          OpenApi.Description,
          `Named __Host-${SESSION_COOKIE} where the public address is https.`
        )
      )
    },
    error: [ApiUnauthorized, ApiForbidden, ApiBadRequest, ApiUnavailable]
  }
) {
  static readonly layer = Layer.effect(AdminAccess)(Effect.gen(function*() {
    const keys = yield* AdminKeys
    const sessions = yield* LoginSessions
    const address = yield* PublicAddress
    const settings = yield* Settings

    const byKey = Effect.fnUntraced(function*(request: HttpServerRequest.HttpServerRequest, token: string) {
      const identity = yield* keys.authenticate(Redacted.make(token)).pipe(
        Effect.catchTags({
          AdminKeyInvalid: () => Effect.fail(nobody),
          AdminKeyForbidden: () => Effect.fail(notAllowed)
        })
      )
      if (!mayUse(identity.role, request.method, request.url)) return yield* notAllowed
      return {
        name: `key:${identity.keyId}`,
        userId: identity.userId,
        email: identity.email,
        address: yield* clientAddress(request),
        csrfToken: null,
        mayOpenAccess: true,
        entry: { keyId: identity.keyId }
      } satisfies Administrator
    })

    const bySession = Effect.fnUntraced(function*(request: HttpServerRequest.HttpServerRequest, token: string) {
      const found = yield* sessions.find(Redacted.make(token))
      if (Option.isNone(found)) return yield* nobody
      const { user } = found.value
      if (!mayUse(user.role, request.method, request.url)) return yield* notAllowed
      if (lacksSecondFactor(yield* settings.get, user, found.value)) return yield* noSecondFactor
      const { headers } = request
      const origin = { secFetchSite: headers["sec-fetch-site"], origin: headers["origin"], host: headers["host"] }
      const isSafe = safeMethods.has(request.method)
      if (!isSafe && (isForeign(origin, address.url()) || !isCsrfToken(token, headers["x-csrf-token"] ?? null))) {
        return yield* noToken
      }
      return {
        name: `user:${user.id}`,
        userId: user.id,
        email: user.email,
        address: yield* clientAddress(request),
        csrfToken: csrfToken(token),
        mayOpenAccess: found.value.isRecent,
        entry: { sessionId: found.value.sessionId }
      } satisfies Administrator
    })

    // Both schemes come here: what is looked at is the request, so that a bad key is not made good by a cookie beside it.
    const admit = Effect.gen(function*() {
      const request = yield* HttpServerRequest.HttpServerRequest
      const { authorization } = request.headers
      if (authorization !== undefined) {
        return yield* byKey(request, /^Bearer +(\S+)$/i.exec(authorization)?.[1] ?? "")
      }
      const cookie = request.cookies[sessionCookie(address.url())]
      return cookie === undefined || cookie === "" ? yield* nobody : yield* bySession(request, cookie)
    }).pipe(Effect.catchTag("DatabaseUnavailable", unavailableNow))

    const answer = <A, E, R>(httpEffect: Effect.Effect<A, E, R>) =>
      Effect.flatMap(admit, (admin) =>
        Effect.andThen(checkRequestTexts, httpEffect).pipe(
          Effect.provideService(CurrentAdmin, admin),
          Effect.provideService(HttpIncomingMessage.MaxBodySize, ByteSize.bytes(BODY_BYTES_MAX))
        ))

    return AdminAccess.of({ key: answer, session: answer })
  }))
}

/**
 * Refuses an older session, which may be stolen, what lets somebody into the administration: a program does it with a key, and a person in
 * the console, which asks for the password and a code.
 */
export const checkMayOpenAccess = ({ mayOpenAccess }: Administrator): Effect.Effect<void, ApiForbidden> =>
  mayOpenAccess ? Effect.void : Effect.fail(oldSession)

/** The largest body is a file of prices. */
const BODY_BYTES_MAX = 10_485_760

/** Methods that change nothing. */
const safeMethods: ReadonlySet<string> = new Set(["GET", "HEAD", "OPTIONS"])

const nobody = new ApiUnauthorized({
  message: "Send an administrator's key as `Authorization: Bearer sk-admin-...`; keys are made in /admin/keys."
})

const notAllowed = new ApiForbidden({ message: "Your role may not do this; it is for administrators." })

const noSecondFactor = new ApiForbidden({
  message: "Your role needs a second factor (security.second_factor): set one up on the account page."
})

export const oldSession = new ApiForbidden({
  message:
    `You signed in more than ${RECENT_MINUTES} minutes ago. Sign in again, use an admin key, or do this in the console, ` +
    "which asks for your password."
})

const noToken = new ApiForbidden({
  message: "A session sends the x-csrf-token that GET /api/admin/me answers, from a page of this site."
})
