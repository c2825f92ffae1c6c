/**
 * The e-mail addresses of users once mail works: whether one is verified, how it is, how a forgotten password is replaced, and how the
 * address is changed. A link is good only for what it was sent for; those that change an account that is in use are good only for who is
 * signed in to it, so that nobody's click on a link proves an address for somebody else.
 */
import { Context, Effect, Layer, Redacted, Schema } from "effect"
import { SqlClient } from "effect/sql"
import { normalizeEmail } from "../domain/EmailAddress.ts"
import type { UserId } from "../domain/Ids.ts"
import { Row } from "../domain/Row.ts"
import { mailToOldAddress, spreadAll } from "../notices/Notices.ts"
import { recordChange } from "../platform/AuditLog.ts"
import { PublicAddress } from "../platform/PublicAddress.ts"
import { type DatabaseUnavailable, orUnavailable } from "../postgres/DatabaseUnavailable.ts"
import { oneRowOf, rowOf } from "../postgres/Rows.ts"
import { inTransaction } from "../postgres/Transaction.ts"
import { noteAccountChange } from "./AccountNotices.ts"
import {
  EmailTaken,
  InvalidEmail,
  MailLinkInvalid,
  type SecondFactorWrong,
  type TooBusy,
  type TooManyAttempts,
  type WrongPassword
} from "./IdentityError.ts"
import { MailDispatch, type MailText } from "./MailDispatch.ts"
import { findMailLink, insertMailLink, takeMailLink } from "./MailLinks.ts"
import { insertMailedPasswordLink } from "./PasswordLinks.ts"
import { RateLimiter } from "./RateLimiter.ts"
import { type Proof, Reauthentication } from "./Reauthentication.ts"
import { keepSession, type SessionToken } from "./SessionStore.ts"
import { credentialsByEmail } from "./UserStore.ts"

export { MAIL_LINK_HOURS } from "./MailLinks.ts"

/** Makes the text of a mail with a link. */
type WithLink = (url: string) => MailText

export interface EmailChange extends Proof {
  readonly email: string
  /** What is written to the new address, and there where it is somebody's already. */
  readonly mails: { readonly confirm: WithLink; readonly known: MailText }
}

const Address = Row({ email: Schema.String, verifiedAt: Schema.NullOr(Schema.Date) }, {
  verifiedAt: "email_verified_at"
})
export interface EmailAddress extends Schema.Schema.Type<typeof Address> {}

export class EmailAddresses extends Context.Service<EmailAddresses, {
  /** Whether mail can be sent at all. */
  readonly configured: Effect.Effect<boolean>
  of(userId: UserId): Effect.Effect<EmailAddress, DatabaseUnavailable>
  /** Sends a link that verifies the address that the user has. */
  askVerification(
    asked: { readonly userId: UserId; readonly address: string; readonly mail: WithLink }
  ): Effect.Effect<void, TooManyAttempts | DatabaseUnavailable>
  verify(userId: UserId, token: SessionToken): Effect.Effect<void, MailLinkInvalid | DatabaseUnavailable>
  /** Sends a link that sets a new password, if there is such a user; says nothing of whether there is. */
  forgot(
    asked: { readonly email: string; readonly address: string; readonly mail: WithLink }
  ): Effect.Effect<void, InvalidEmail | TooManyAttempts | DatabaseUnavailable>
  /** Sends a link to the new address; says nothing of whether it is somebody's already. */
  askChange(
    change: EmailChange
  ): Effect.Effect<
    void,
    InvalidEmail | WrongPassword | SecondFactorWrong | TooManyAttempts | TooBusy | DatabaseUnavailable
  >
  /** The address that a link changes to, while it is good for this user. */
  changeOf(userId: UserId, token: SessionToken): Effect.Effect<string | undefined, DatabaseUnavailable>
  /**
   * Changes the address, ends every other session, and tells both addresses: the old one by a mail that is queued with the change. What
   * was noted before goes to the old one. Answers the new token of this session.
   */
  change(
    asked: {
      readonly userId: UserId
      readonly token: SessionToken
      readonly keepToken: SessionToken
      readonly address: string
    }
  ): Effect.Effect<SessionToken, MailLinkInvalid | EmailTaken | DatabaseUnavailable>
}>()("realms/identity/EmailAddresses") {
  static readonly layerNoDeps = Layer.effect(EmailAddresses)(Effect.gen(function*() {
    const sql = yield* SqlClient.SqlClient
    const dispatch = yield* MailDispatch
    const address = yield* PublicAddress
    const limits = yield* RateLimiter
    const { proven } = yield* Reauthentication
    const linkTo = (path: string, token: SessionToken): string => `${address.url()}${path}/${Redacted.value(token)}`

    const addressOf = (userId: UserId) =>
      oneRowOf(Address, sql`SELECT email, email_verified_at FROM users WHERE id = ${userId}`)

    /** One mail that somebody asks for, within the limits of the account that it is about. */
    const limited = <A, E extends { readonly _tag: string }, R>(
      { account, from }: { readonly account: string; readonly from: string },
      work: Effect.Effect<A, E, R>
    ) => limits.limit({ kind: "mail", address: from, account }, { countsSuccess: true, counted: [] }, work)

    const askVerification: EmailAddresses["Service"]["askVerification"] = Effect.fn("EmailAddresses.askVerification")(
      function*({ address: from, mail, userId }) {
        const { email } = yield* orUnavailable(addressOf(userId))
        const written = Effect.map(
          insertMailLink(sql, { purpose: "verification", userId, email }),
          (token) => ({ to: email, ...mail(linkTo("/account/email/verify", token)) })
        )
        yield* limited({ account: email, from }, dispatch.send(orUnavailable(written)))
      }
    )

    const verify: EmailAddresses["Service"]["verify"] = Effect.fn("EmailAddresses.verify")(function*(userId, token) {
      yield* inTransaction(
        sql,
        Effect.gen(function*() {
          yield* sql`SELECT FROM users WHERE id = ${userId} FOR NO KEY UPDATE`
          const link = yield* takeMailLink(sql, "verification", token)
          if (link === undefined || link.userId !== userId) return yield* new MailLinkInvalid()
          const verified = yield* sql`UPDATE users SET email_verified_at = coalesce(email_verified_at, now())
            WHERE id = ${userId} AND email = ${link.email} RETURNING id`
          if (verified.length === 0) return yield* new MailLinkInvalid()
        })
      ).pipe(orUnavailable)
    })

    const forgot: EmailAddresses["Service"]["forgot"] = Effect.fn("EmailAddresses.forgot")(
      function*({ address: from, mail, ...asked }) {
        const email = normalizeEmail(asked.email)
        if (email === undefined) return yield* new InvalidEmail({ email: asked.email })
        const written = Effect.gen(function*() {
          const found = yield* credentialsByEmail(sql, email)
          if (found === undefined || found.disabled) return undefined
          const token = yield* insertMailedPasswordLink(sql, found.userId, email)
          return { to: email, ...mail(linkTo("/reset", token)) }
        }).pipe(orUnavailable)
        yield* limited({ account: email, from }, dispatch.send(written))
      }
    )

    const askChange: EmailAddresses["Service"]["askChange"] = Effect.fn("EmailAddresses.askChange")(function*(change) {
      const { mails, userId } = change
      const email = normalizeEmail(change.email)
      if (email === undefined) return yield* new InvalidEmail({ email: change.email })
      const token = yield* proven(change, (lock) =>
        limited(
          { account: email, from: change.address },
          // To whatever addresses: nobody sends mails to strangers in our name.
          limited(
            { account: `user:${userId}`, from: "" },
            inTransaction(sql, Effect.andThen(lock, insertMailLink(sql, { purpose: "change", userId, email }))).pipe(
              orUnavailable
            )
          )
        ))
      const written = Effect.map(credentialsByEmail(sql, email), (found) => ({
        to: email,
        ...found === undefined ? mails.confirm(linkTo("/account/email/change", token)) : mails.known
      }))
      yield* dispatch.send(orUnavailable(written))
    })

    const changeNow = Effect.fnUntraced(
      function*({ address: from, keepToken, token, userId }: Parameters<EmailAddresses["Service"]["change"]>[0]) {
        yield* sql`SELECT FROM users WHERE id = ${userId} FOR NO KEY UPDATE`
        const link = yield* takeMailLink(sql, "change", token)
        if (link === undefined || link.userId !== userId) return yield* new MailLinkInvalid()
        const before = yield* addressOf(userId)
        const taken = yield* rowOf(Address, sql`SELECT email, email_verified_at FROM users WHERE email = ${link.email}`)
        if (taken !== undefined) return yield* new EmailTaken({ email: link.email })
        const hasMail = yield* dispatch.configured
        // Before the address changes: the new owner is not told what was for the old one.
        yield* spreadAll(sql, { hasMail, userId })
        const key = yield* noteAccountChange(sql, { userId, change: "email", detail: link.email, address: from })
        if (hasMail && key !== undefined) yield* mailToOldAddress(sql, { key, email: before.email })
        yield* sql`UPDATE users SET email = ${link.email}, email_verified_at = now() WHERE id = ${userId}`
        // What was sent to the old address is good for nothing any more.
        yield* sql`DELETE FROM mail_links WHERE user_id = ${userId}`
        yield* sql`DELETE FROM password_links WHERE user_id = ${userId}`
        const session = yield* keepSession(sql, userId, keepToken)
        yield* recordChange(sql, { name: `user:${userId}`, userId, address: from }, {
          action: "user.email_changed",
          target: `user:${userId}`,
          before: { email: before.email },
          after: { email: link.email }
        })
        return session
      }
    )

    const change: EmailAddresses["Service"]["change"] = Effect.fn("EmailAddresses.change")((asked) =>
      inTransaction(sql, changeNow(asked)).pipe(
        // Somebody else has taken it at this very moment.
        Effect.catchReason("SqlError", "UniqueViolation", () => Effect.fail(new EmailTaken({ email: "" }))),
        orUnavailable
      )
    )

    return EmailAddresses.of({
      configured: dispatch.configured,
      of: (userId) => orUnavailable(addressOf(userId)),
      askVerification,
      verify,
      forgot,
      askChange,
      changeOf: (userId, token) =>
        findMailLink(sql, "change", token).pipe(
          Effect.map((link) => link?.userId === userId ? link.email : undefined),
          orUnavailable
        ),
      change
    })
  }))
  static readonly layer = EmailAddresses.layerNoDeps.pipe(
    Layer.provide(Layer.mergeAll(MailDispatch.layer, RateLimiter.layer, Reauthentication.layer))
  )
}
