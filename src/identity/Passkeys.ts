/**
 * Passkeys as their users have them: made, listed, removed. One is a second factor; where the authenticator knows its owner (by a finger,
 * a face, a PIN) it signs in alone.
 */
import { Context, Effect, Layer, Schema } from "effect"
import { SqlClient } from "effect/sql"
import type { PasskeyId, UserId } from "../domain/Ids.ts"
import { recordChange } from "../platform/AuditLog.ts"
import { type DatabaseUnavailable, orUnavailable } from "../postgres/DatabaseUnavailable.ts"
import { inTransaction } from "../postgres/Transaction.ts"
import { noteAccountChange } from "./AccountNotices.ts"
import { SecondFactorWrong } from "./IdentityError.ts"
import { isKeyName } from "./NewApiKey.ts"
import { type PasskeyAnswer, PasskeyCeremony, type PasskeyPurpose } from "./PasskeyCeremony.ts"
import {
  insertPasskey,
  listPasskeys,
  type Passkey,
  passkeyHandles,
  PASSKEYS_MAX,
  takeChallenge
} from "./PasskeyStore.ts"
import { type Proof, type ProofError, type ProvenChange, Reauthentication } from "./Reauthentication.ts"
import type { RelyingParty } from "./RelyingParty.ts"
import type { AddedFactor } from "./SecondFactors.ts"
import { deleteSecondFactors, hasSecondFactor, insertRecoveryCodes } from "./SecondFactorStore.ts"
import { keepSession, type SessionToken } from "./SessionStore.ts"

export { type Passkey, PASSKEYS_MAX } from "./PasskeyStore.ts"

export class PasskeyNotFound extends Schema.TaggedError<PasskeyNotFound>()("PasskeyNotFound", {}) {
  override readonly message = "there is no such passkey"
}

/** A passkey cannot be added: it has no name, there are too many, or it is somebody's already. */
export class PasskeyRefused extends Schema.TaggedError<PasskeyRefused>()("PasskeyRefused", {
  reason: Schema.Literals(["name", "many", "known"])
}) {}

/** What a browser is asked, as JSON; undefined where there are no passkeys, or none that could be used. */
export type PasskeyOptions = string | undefined

export class Passkeys extends Context.Service<Passkeys, {
  party(): RelyingParty
  /** In the order in which they were made. */
  list(userId: UserId): Effect.Effect<ReadonlyArray<Passkey>, DatabaseUnavailable>
  /** Asks for a new passkey. */
  creation(
    user: { readonly userId: UserId; readonly email: string; readonly issuer: string },
    visitor: string
  ): Effect.Effect<PasskeyOptions, DatabaseUnavailable>
  /** Asks for a passkey of this user; without one, for any that signs in alone. */
  request(
    asked: { readonly purpose: Exclude<PasskeyPurpose, "create">; readonly visitor: string; readonly userId?: UserId }
  ): Effect.Effect<PasskeyOptions, DatabaseUnavailable>
  /** Every other session ends. */
  add(
    change: ProvenChange & { readonly name: string; readonly created: PasskeyAnswer }
  ): Effect.Effect<AddedFactor, PasskeyRefused | ProofError>
  /** Without any second factor left, recovery codes go with it. Ends every other session, and answers the new token of this one. */
  remove(change: ProvenChange & { readonly id: PasskeyId }): Effect.Effect<SessionToken, PasskeyNotFound | ProofError>
}>()("realms/identity/Passkeys") {
  static readonly layerNoDeps = Layer.effect(Passkeys)(Effect.gen(function*() {
    const sql = yield* SqlClient.SqlClient
    const ceremony = yield* PasskeyCeremony
    const { proven } = yield* Reauthentication

    const note = Effect.fnUntraced(function*({ address, userId }: Proof, does: "added" | "removed", name: string) {
      yield* noteAccountChange(sql, { userId, change: `passkey_${does}`, detail: name, address })
      yield* recordChange(sql, { name: `user:${userId}`, userId, address }, {
        action: `passkey.${does}`,
        target: `user:${userId}`,
        before: null,
        after: { name }
      })
    })

    const creation: Passkeys["Service"]["creation"] = Effect.fn("Passkeys.creation")(
      function*({ email, issuer, userId }, visitor) {
        const party = ceremony.party()
        if (party._tag === "NoParty") return undefined
        const known = yield* orUnavailable(passkeyHandles(sql, userId, party.id))
        const challenge = yield* ceremony.challenge("create", visitor)
        return JSON.stringify({
          rp: { id: party.id, name: issuer },
          user: { id: userHandleOf(userId), name: email, displayName: email },
          challenge,
          // EdDSA, ES256, RS256.
          pubKeyCredParams: [-8, -7, -257].map((alg) => ({ type: "public-key", alg })),
          timeout: TIMEOUT_MS,
          attestation: "none",
          excludeCredentials: known.map(descriptorOf),
          authenticatorSelection: { residentKey: "preferred", userVerification: "preferred" }
        })
      }
    )

    const request: Passkeys["Service"]["request"] = Effect.fn("Passkeys.request")(
      function*({ purpose, userId, visitor }) {
        const party = ceremony.party()
        if (party._tag === "NoParty") return undefined
        const known = userId === undefined ? [] : yield* orUnavailable(passkeyHandles(sql, userId, party.id))
        if (userId !== undefined && known.length === 0) return undefined
        return JSON.stringify({
          rpId: party.id,
          challenge: yield* ceremony.challenge(purpose, visitor),
          timeout: TIMEOUT_MS,
          allowCredentials: known.map(descriptorOf),
          // After the password it is enough to have it.
          userVerification: purpose === "login" ? "required" : "discouraged"
        })
      }
    )

    const add: Passkeys["Service"]["add"] = Effect.fn("Passkeys.add")(function*(change) {
      const { keepToken, userId } = change
      const name = change.name.trim()
      if (name === "" || !isKeyName(name)) return yield* new PasskeyRefused({ reason: "name" })
      return yield* proven(
        change,
        (lock) =>
          Effect.flatMap(ceremony.verifyCreated(change.created), (passkey) =>
            inTransaction(
              sql,
              Effect.gen(function*() {
                yield* lock
                const isFirst = !(yield* hasSecondFactor(sql, userId))
                if ((yield* listPasskeys(sql, userId)).length >= PASSKEYS_MAX) {
                  return yield* new PasskeyRefused({ reason: "many" })
                }
                if (!(yield* takeChallenge(sql, passkey.challenge))) return yield* new SecondFactorWrong()
                if (!(yield* insertPasskey(sql, { ...passkey, userId, name }))) {
                  return yield* new PasskeyRefused({ reason: "known" })
                }
                const session = yield* keepSession(sql, userId, keepToken)
                yield* note(change, "added", name)
                return { session, codes: isFirst ? yield* insertRecoveryCodes(sql, userId) : undefined }
              })
            ).pipe(orUnavailable))
      )
    })

    const remove: Passkeys["Service"]["remove"] = Effect.fn("Passkeys.remove")(function*(change) {
      const { id, keepToken, userId } = change
      return yield* proven(change, (lock) =>
        inTransaction(
          sql,
          Effect.gen(function*() {
            yield* lock
            const passkey = (yield* listPasskeys(sql, userId)).find((one) => one.id === id)
            if (passkey === undefined) return yield* new PasskeyNotFound()
            yield* sql`DELETE FROM passkeys WHERE id = ${id} AND user_id = ${userId}`
            if (!(yield* hasSecondFactor(sql, userId))) yield* deleteSecondFactors(sql, userId)
            yield* note(change, "removed", passkey.name)
            return yield* keepSession(sql, userId, keepToken)
          })
        ).pipe(orUnavailable))
    })

    return Passkeys.of({
      party: ceremony.party,
      list: (userId) => orUnavailable(listPasskeys(sql, userId)),
      creation,
      request,
      add,
      remove
    })
  }))
  static readonly layer = Passkeys.layerNoDeps.pipe(
    Layer.provide(Layer.merge(Reauthentication.layer, PasskeyCeremony.layer))
  )
}

/** How a browser is told of a passkey. */
const descriptorOf = ({ id, transports }: { readonly id: string; readonly transports: ReadonlyArray<string> }) => ({
  type: "public-key",
  id,
  transports
})

/** How long a browser waits for its user. */
const TIMEOUT_MS = 300_000

/** What an authenticator knows the user by: no address and no name. */
const userHandleOf = (userId: UserId): string => Buffer.from(`realms:${userId}`).toString("base64url")
