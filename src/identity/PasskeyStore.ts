/**
 * The rows of passkeys, as parts of transactions that others open: made, used and removed. A use raises the authenticator's count, by a
 * statement that refuses one that does not go up, and uses the challenge up.
 * @internal
 */
import { Effect, Schema } from "effect"
import type { SqlClient, SqlError } from "effect/sql"
import { PasskeyId, UserId } from "../domain/Ids.ts"
import { Row } from "../domain/Row.ts"
import type { DatabaseUnavailable } from "../postgres/DatabaseUnavailable.ts"
import { rowOf, rowsOf } from "../postgres/Rows.ts"
import { SecondFactorWrong } from "./IdentityError.ts"
import {
  CHALLENGE_MINUTES_MAX,
  type PasskeyAnswer,
  type PasskeyCeremony,
  type VerifiedPasskey
} from "./PasskeyCeremony.ts"

/** Passkeys of one user, at most. */
export const PASSKEYS_MAX = 20

/** A passkey as its user may see it. */
export const Passkey = Row({
  id: PasskeyId,
  name: Schema.String,
  /** The host name that it is for. */
  rpId: Schema.String,
  createdAt: Schema.Date,
  lastUsedAt: Schema.NullOr(Schema.Date)
})
export interface Passkey extends Schema.Schema.Type<typeof Passkey> {}

export const listPasskeys = (
  sql: SqlClient.SqlClient,
  userId: UserId
): Effect.Effect<ReadonlyArray<Passkey>, SqlError.SqlError> =>
  rowsOf(
    Passkey,
    sql`SELECT id, name, rp_id, created_at, last_used_at FROM passkeys WHERE user_id = ${userId} ORDER BY id`
  )

/** What a browser needs to find a passkey. */
const Handle = Row({ id: Schema.String, transports: Schema.Array(Schema.String) })

/** Those of a user for this host name, as a browser is told of them. */
export const passkeyHandles = (sql: SqlClient.SqlClient, userId: UserId, rpId: string) =>
  rowsOf(
    Handle,
    sql`SELECT translate(rtrim(replace(encode(credential_id, 'base64'), E'\n', ''), '='), '+/', '-_') AS id, transports
      FROM passkeys WHERE user_id = ${userId} AND rp_id = ${rpId} ORDER BY id LIMIT ${PASSKEYS_MAX}`
  )

const bytesOf = (credentialId: string): Buffer => Buffer.from(credentialId, "base64url")

/** False: somebody has it already. */
export const insertPasskey = (
  sql: SqlClient.SqlClient,
  { credentialId, name, publicKey, rpId, signCount, transports, userId, userVerified }: VerifiedPasskey & {
    readonly userId: UserId
    readonly name: string
  }
) =>
  Effect.map(
    sql`INSERT INTO passkeys (user_id, credential_id, public_key, sign_count, transports, rp_id, name, user_verified)
      VALUES (${userId}, ${bytesOf(credentialId)}, ${Buffer.from(publicKey)}, ${BigInt(signCount)}::bigint,
        ARRAY(SELECT jsonb_array_elements_text(${JSON.stringify(transports)}::jsonb)), ${rpId}, ${name},
        ${userVerified})
      ON CONFLICT DO NOTHING RETURNING id`,
    (rows) => rows.length === 1
  )

/** False: the challenge was used before. */
export const takeChallenge = (sql: SqlClient.SqlClient, challenge: string) =>
  Effect.map(
    sql`INSERT INTO used_challenges (challenge, expires_at)
      VALUES (${challenge}, now() + make_interval(mins => ${2 * CHALLENGE_MINUTES_MAX}::integer))
      ON CONFLICT DO NOTHING RETURNING challenge`,
    (rows) => rows.length === 1
  )

const Stored = Row({
  id: PasskeyId,
  userId: UserId,
  publicKey: Schema.Uint8Array,
  rpId: Schema.String,
  userVerified: Schema.Boolean
})

/** Whose passkey it is; undefined: nobody's. */
export const findPasskey = (sql: SqlClient.SqlClient, credentialId: string) =>
  rowOf(
    Stored,
    sql`SELECT id, user_id, public_key, rp_id, user_verified FROM passkeys WHERE credential_id = ${
      bytesOf(credentialId)
    }`
  )

/**
 * Verifies what a passkey of this user has signed, and uses it up. It signs in alone only if its authenticator has verified its owner
 * before, at registration or after the password: otherwise somebody who finds a key without a PIN could set one. A count that does not go
 * up means that there are two copies of it, and is refused.
 */
export const takePasskey = (
  sql: SqlClient.SqlClient,
  ceremony: PasskeyCeremony["Service"],
  { answer, purpose, userId }: {
    readonly userId: UserId
    readonly purpose: "login" | "factor"
    readonly answer: PasskeyAnswer
  }
): Effect.Effect<void, SecondFactorWrong | DatabaseUnavailable | SqlError.SqlError> =>
  Effect.gen(function*() {
    const signed = yield* ceremony.read(answer)
    const known = yield* findPasskey(sql, signed.id)
    if (known === undefined || known.userId !== userId) return yield* new SecondFactorWrong()
    if (purpose === "login" && !known.userVerified) return yield* new SecondFactorWrong()
    const { challenge, signCount, userVerified } = yield* ceremony.verifySigned(signed, {
      ...known,
      purpose,
      visitor: answer.visitor
    })
    const count = BigInt(signCount)
    const used = yield* sql`UPDATE passkeys SET sign_count = ${count}::bigint, last_used_at = now(),
        user_verified = user_verified OR ${userVerified}
      WHERE id = ${known.id} AND (sign_count < ${count}::bigint OR (sign_count = 0 AND ${count}::bigint = 0))
      RETURNING id`
    if (used.length === 0) {
      yield* Effect.logWarning("a passkey was refused: its count did not go up, so there may be a copy of it", {
        passkey: known.id.toString(),
        user: userId.toString()
      })
      return yield* new SecondFactorWrong()
    }
    if (!(yield* takeChallenge(sql, challenge))) return yield* new SecondFactorWrong()
  })
