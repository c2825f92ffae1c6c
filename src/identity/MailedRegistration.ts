/**
 * Registration once mail works. The form asks for an address alone and answers everybody alike; the mail has the link, or tells the owner
 * of an account that there is one. The account is made, with its password, by the person who opens the link: so every address is verified,
 * and nobody prepares an account for an address that is not theirs.
 */
import { Context, Effect, Layer, Option, Redacted } from "effect"
import { SqlClient } from "effect/sql"
import { normalizeEmail } from "../domain/EmailAddress.ts"
import { PublicAddress } from "../platform/PublicAddress.ts"
import { type DatabaseUnavailable, databaseUnavailable, orUnavailable } from "../postgres/DatabaseUnavailable.ts"
import { inTransaction } from "../postgres/Transaction.ts"
import { Settings } from "../settings/Settings.ts"
import {
  InvalidEmail,
  type InviteInvalid,
  MailLinkInvalid,
  type PasswordRefused,
  RegistrationClosed,
  type TooBusy,
  type TooManyAttempts
} from "./IdentityError.ts"
import { type InviteToken, takeInvite } from "./Invites.ts"
import { MailDispatch, type MailText } from "./MailDispatch.ts"
import { findMailLink, insertMailLink, takeMailLink } from "./MailLinks.ts"
import { PasswordQueue } from "./PasswordQueue.ts"
import { checkNewPassword } from "./Passwords.ts"
import { RateLimiter } from "./RateLimiter.ts"
import { checkRegistration, type RegistrationRefused } from "./RegistrationRules.ts"
import { insertSession, type SessionClient, type SessionToken, tokenHashOf } from "./SessionStore.ts"
import { credentialsByEmail, insertUser } from "./UserStore.ts"

export interface RegistrationRequest {
  readonly email: string
  readonly invite?: InviteToken | undefined
  readonly address: string
  /** What is written to somebody new, and to somebody who has an account. */
  readonly mails: { confirm(url: string): MailText; readonly known: MailText }
}

export interface Completion extends SessionClient {
  readonly token: SessionToken
  readonly password: Redacted.Redacted<string>
}

export class MailedRegistration extends Context.Service<MailedRegistration, {
  /** Answers alike, and as soon, whether or not the address has an account. */
  ask(
    request: RegistrationRequest
  ): Effect.Effect<void, RegistrationRefused | InvalidEmail | TooManyAttempts | DatabaseUnavailable>
  /** The address of a link that is good at this moment. */
  open(token: SessionToken): Effect.Effect<Option.Option<string>, DatabaseUnavailable>
  /** Makes the account and opens a session; uses the link and the invitation up with it. */
  complete(
    completion: Completion
  ): Effect.Effect<
    SessionToken,
    MailLinkInvalid | InviteInvalid | RegistrationClosed | PasswordRefused | TooBusy | DatabaseUnavailable
  >
}>()("realms/identity/MailedRegistration") {
  static readonly layerNoDeps = Layer.effect(MailedRegistration)(Effect.gen(function*() {
    const sql = yield* SqlClient.SqlClient
    const settings = yield* Settings
    const dispatch = yield* MailDispatch
    const address = yield* PublicAddress
    const limits = yield* RateLimiter
    const passwords = yield* PasswordQueue
    const rules = Effect.map(Effect.mapError(settings.fresh, databaseUnavailable), ({ registration }) => registration)

    /** What the address is written, decided after the answer has left. */
    const mailFor = Effect.fnUntraced(function*(email: string, { invite, mails }: RegistrationRequest) {
      if ((yield* credentialsByEmail(sql, email)) !== undefined) return { to: email, ...mails.known }
      const inviteHash = invite === undefined ? undefined : tokenHashOf(invite)
      const token = yield* insertMailLink(sql, { purpose: "registration", email, inviteHash })
      return { to: email, ...mails.confirm(`${address.url()}/register/${Redacted.value(token)}`) }
    }, orUnavailable)

    const ask: MailedRegistration["Service"]["ask"] = Effect.fn("MailedRegistration.ask")(function*(request) {
      const email = normalizeEmail(request.email)
      const registration = yield* rules
      if (registration.mode === "closed") return yield* new RegistrationClosed()
      if (email === undefined) return yield* new InvalidEmail({ email: request.email })
      yield* limits.limit(
        { kind: "mail", address: request.address, account: email },
        { countsSuccess: true, counted: ["InviteInvalid"] },
        checkRegistration(sql, registration, { email, invite: request.invite }).pipe(
          orUnavailable,
          Effect.andThen(dispatch.send(mailFor(email, request)))
        )
      )
    })

    const completeNow = Effect.fnUntraced(function*(completion: Completion, passwordHash: string) {
      const link = yield* takeMailLink(sql, "registration", completion.token)
      if (link === undefined) return yield* new MailLinkInvalid()
      const { email, inviteHash } = link
      // Asked for while registration was open.
      if ((yield* rules).mode === "invite" && inviteHash === null) return yield* new MailLinkInvalid()
      const inviteId = inviteHash === null ? undefined : yield* takeInvite(sql, Buffer.from(inviteHash), email)
      const user = { email, role: "user" as const, passwordHash, inviteId, isVerified: true }
      const { id } = yield* insertUser(sql, user).pipe(
        // The address has got an account meanwhile, by another link perhaps.
        Effect.catchTag("EmailTaken", () => new MailLinkInvalid())
      )
      return yield* insertSession(sql, id, completion)
    })

    const complete: MailedRegistration["Service"]["complete"] = Effect.fn("MailedRegistration.complete")(
      function*(completion) {
        if ((yield* rules).mode === "closed") return yield* new RegistrationClosed()
        // Without a good link no hash is computed.
        const link = yield* orUnavailable(findMailLink(sql, "registration", completion.token))
        if (link === undefined) return yield* new MailLinkInvalid()
        yield* checkNewPassword(completion.password)
        const passwordHash = yield* passwords.hash(completion.password)
        return yield* inTransaction(sql, completeNow(completion, passwordHash)).pipe(orUnavailable)
      }
    )

    return MailedRegistration.of({
      ask,
      open: (token) =>
        findMailLink(sql, "registration", token).pipe(
          Effect.map((link) => Option.map(Option.fromUndefinedOr(link), ({ email }) => email)),
          orUnavailable
        ),
      complete
    })
  }))
  static readonly layer = MailedRegistration.layerNoDeps.pipe(
    Layer.provide(Layer.mergeAll(MailDispatch.layer, RateLimiter.layer, PasswordQueue.layer))
  )
}
