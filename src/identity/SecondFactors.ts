/**
 * Second factors as their users set them up: an authenticator app, and recovery codes for when it is lost. Setting up and turning off
 * asks for the password and a code, and ends every other session. Who has lost all of it is helped by an administrator, or from the
 * command line.
 */
import { Clock, Context, Effect, Layer, type Redacted } from "effect"
import { SqlClient } from "effect/sql"
import type { UserId } from "../domain/Ids.ts"
import type { AccountChange } from "../notices/NoticeKinds.ts"
import { type Actor, recordChange } from "../platform/AuditLog.ts"
import { SecretBox } from "../platform/SecretBox.ts"
import { type DatabaseUnavailable, databaseUnavailable, orUnavailable } from "../postgres/DatabaseUnavailable.ts"
import { inTransaction } from "../postgres/Transaction.ts"
import { noteAccountChange } from "./AccountNotices.ts"
import { revokeAdminKeys } from "./AdminKeys.ts"
import {
  AppCodeWrong,
  EnrolmentInvalid,
  OwnUser,
  SecondFactorExists,
  SecondFactorMissing,
  UserNotFound
} from "./IdentityError.ts"
import { type Proof, type ProofError, type ProvenChange, Reauthentication } from "./Reauthentication.ts"
import {
  deleteSecondFactors,
  hasSecondFactor,
  insertRecoveryCodes,
  insertTotp,
  type SecondFactorView,
  secondFactorView
} from "./SecondFactorStore.ts"
import { deleteSessions, keepSession, type SessionToken } from "./SessionStore.ts"
import { makeTotpSecret, totpStep, totpUri } from "./Totp.ts"

export type { SecondFactorView } from "./SecondFactorStore.ts"

/** An app that is being set up. Nothing is stored of it: its secret travels in the form, sealed for this user. */
export interface Enrolment {
  /** For the form. */
  readonly sealed: string
  /** For those who cannot scan the code; base 32. */
  readonly secret: Redacted.Redacted<string>
  /** What the QR code says. */
  readonly uri: Redacted.Redacted<string>
}

/** Whose app it is, and what it calls this installation. */
export interface Enroller {
  readonly userId: UserId
  readonly email: string
  readonly issuer: string
}

/** Told this once. */
type ToldCodes = Redacted.Redacted<ReadonlyArray<string>>

/** What is left after a second factor was added. */
export interface AddedFactor {
  /** The new token of the session that goes on. */
  readonly session: SessionToken
  /** Where it is the first second factor. */
  readonly codes: ToldCodes | undefined
}

export class SecondFactors extends Context.Service<SecondFactors, {
  view(userId: UserId): Effect.Effect<SecondFactorView, DatabaseUnavailable>
  /** A new secret. */
  begin(enroller: Enroller): Effect.Effect<Enrolment, DatabaseUnavailable>
  /** That of a form, which is shown again. */
  resume(enroller: Enroller, sealed: string): Effect.Effect<Enrolment, EnrolmentInvalid>
  /** Makes the app the user's, once it has shown a right code. Every other session ends. */
  setUp(
    change: ProvenChange & { readonly sealed: string; readonly appCode: string }
  ): Effect.Effect<AddedFactor, EnrolmentInvalid | AppCodeWrong | SecondFactorExists | ProofError>
  /** New recovery codes in place of the others. */
  renewCodes(proof: Proof): Effect.Effect<ToldCodes, SecondFactorMissing | ProofError>
  /** Ends every other session, and answers the new token of this one. */
  remove(change: ProvenChange): Effect.Effect<SessionToken, SecondFactorMissing | ProofError>
  /** Removes those of somebody who has lost them, and ends all their sessions. Nobody does it to themselves. */
  reset(
    actor: Actor,
    userId: UserId
  ): Effect.Effect<void, UserNotFound | OwnUser | SecondFactorMissing | DatabaseUnavailable>
}>()("realms/identity/SecondFactors") {
  static readonly layerNoDeps = Layer.effect(SecondFactors)(Effect.gen(function*() {
    const sql = yield* SqlClient.SqlClient
    const box = yield* SecretBox
    const { proven } = yield* Reauthentication

    /** Records what a user did to their own, and tells them. */
    const note = Effect.fnUntraced(function*({ address, userId }: Proof, action: string, change: AccountChange) {
      yield* noteAccountChange(sql, { userId, change, address })
      yield* recordChange(sql, { name: `user:${userId}`, userId, address }, {
        action,
        target: `user:${userId}`,
        before: null,
        after: null
      })
    })

    const enrolment = ({ email, issuer }: Enroller, sealed: string, secret: Redacted.Redacted<string>): Enrolment => ({
      sealed,
      secret,
      uri: totpUri(secret, { issuer, label: email })
    })

    const begin = Effect.fn("SecondFactors.begin")(function*(enroller: Enroller) {
      const secret = makeTotpSecret()
      const { bytes, keyId } = yield* box.seal(secret, placeOf(enroller.userId)).pipe(
        Effect.mapError(databaseUnavailable)
      )
      return enrolment(enroller, `${keyId}.${Buffer.from(bytes).toString("base64url")}`, secret)
    })

    const secretOf = (userId: UserId, sealed: string) => {
      const [, keyId = "", text = ""] = sealedPattern.exec(sealed) ?? []
      const bytes = Buffer.from(text, "base64url")
      return box.open({ bytes, keyId }, placeOf(userId)).pipe(Effect.mapError(() => new EnrolmentInvalid()))
    }

    const setUp = Effect.fn("SecondFactors.setUp")(function*(
      change: ProvenChange & { readonly sealed: string; readonly appCode: string }
    ) {
      const { keepToken, userId } = change
      const secret = yield* secretOf(userId, change.sealed)
      const step = totpStep(secret, change.appCode.replace(/\s/g, ""), yield* Clock.currentTimeMillis)
      return yield* proven(change, (lock) =>
        inTransaction(
          sql,
          Effect.gen(function*() {
            yield* lock
            if (step === undefined) return yield* new AppCodeWrong()
            const isFirst = !(yield* hasSecondFactor(sql, userId))
            if (!(yield* insertTotp(sql, box, { userId, secret, step }))) return yield* new SecondFactorExists()
            const session = yield* keepSession(sql, userId, keepToken)
            yield* note(change, "second_factor.set_up", "second_factor_added")
            return { session, codes: isFirst ? yield* insertRecoveryCodes(sql, userId) : undefined }
          })
        ).pipe(orUnavailable))
    })

    const renewCodes = Effect.fn("SecondFactors.renewCodes")(function*(proof: Proof) {
      return yield* proven(proof, (lock) =>
        inTransaction(
          sql,
          Effect.gen(function*() {
            yield* lock
            if (!(yield* hasSecondFactor(sql, proof.userId))) return yield* new SecondFactorMissing()
            yield* note(proof, "second_factor.codes_renewed", "recovery_codes")
            return yield* insertRecoveryCodes(sql, proof.userId)
          })
        ).pipe(orUnavailable))
    })

    const remove = Effect.fn("SecondFactors.remove")(function*(change: ProvenChange) {
      return yield* proven(change, (lock) =>
        inTransaction(
          sql,
          Effect.gen(function*() {
            yield* lock
            if (!(yield* deleteSecondFactors(sql, change.userId))) return yield* new SecondFactorMissing()
            yield* note(change, "second_factor.removed", "second_factor_removed")
            return yield* keepSession(sql, change.userId, change.keepToken)
          })
        ).pipe(orUnavailable))
    })

    const resetNow = Effect.fnUntraced(function*(actor: Actor, userId: UserId) {
      if (actor.userId === userId) return yield* new OwnUser({ userId })
      const locked = yield* sql`SELECT FROM users WHERE id = ${userId} FOR NO KEY UPDATE`
      if (locked.length === 0) return yield* new UserNotFound({ userId })
      if (!(yield* deleteSecondFactors(sql, userId))) return yield* new SecondFactorMissing()
      yield* deleteSessions(sql, userId)
      yield* noteAccountChange(sql, { userId, change: "second_factor_removed", address: null })
      yield* revokeAdminKeys(sql, actor, userId)
      yield* recordChange(sql, actor, {
        action: "second_factor.reset",
        target: `user:${userId}`,
        before: null,
        after: null
      })
    })

    return SecondFactors.of({
      view: (userId) => orUnavailable(secondFactorView(sql, userId)),
      begin,
      resume: (enroller, sealed) =>
        Effect.map(secretOf(enroller.userId, sealed), (secret) => enrolment(enroller, sealed, secret)),
      setUp,
      renewCodes,
      remove,
      reset: Effect.fn("SecondFactors.reset")(function*(actor, userId) {
        yield* inTransaction(sql, resetNow(actor, userId)).pipe(orUnavailable)
      })
    })
  }))
  static readonly layer = SecondFactors.layerNoDeps.pipe(Layer.provide(Reauthentication.layer))
}

const placeOf = (userId: UserId): string => `totp_enrolment:${userId}`

/** The id of a key and what it has sealed, as a form carries them. */
const sealedPattern = /^([0-9a-f]{16})\.([\w-]{40,200})$/
