/**
 * The rows of second factors, and of people whose second factor is still asked for, as parts of transactions that others open. A code
 * is taken by a statement that refuses it a second time, even when two send it at the same moment.
 * @internal
 */
import { Clock, Effect, Redacted, Schema } from "effect"
import type { SqlClient, SqlError } from "effect/sql"
import { UserId } from "../domain/Ids.ts"
import { Count, Row } from "../domain/Row.ts"
import type { SecretBox } from "../platform/SecretBox.ts"
import { type DatabaseUnavailable, databaseUnavailable } from "../postgres/DatabaseUnavailable.ts"
import { oneRowOf, rowOf } from "../postgres/Rows.ts"
import { SecondFactorWrong } from "./IdentityError.ts"
import type { PasskeyAnswer, PasskeyCeremony } from "./PasskeyCeremony.ts"
import { takePasskey } from "./PasskeyStore.ts"
import { makeRecoveryCodes, recoveryCodeHash } from "./RecoveryCodes.ts"
import { makeToken, type SessionToken, tokenHashOf } from "./SessionStore.ts"
import { totpStep } from "./Totp.ts"

/** The second factor has to be given within this. */
export const PENDING_MINUTES_MAX = 10

/** Of one user; a new one beyond it ends the oldest. */
const PENDING_PER_USER_MAX = 10

/** Whether a user of the table `u` signs in with a second factor. */
export const hasSecondFactorSql = `(EXISTS (SELECT FROM totp_factors t WHERE t.user_id = u.id)
  OR EXISTS (SELECT FROM passkeys p WHERE p.user_id = u.id))`

const Found = Row({ secondFactor: Schema.Boolean })

/** Whether the user signs in with a second factor. */
export const hasSecondFactor = (
  sql: SqlClient.SqlClient,
  userId: UserId
): Effect.Effect<boolean, SqlError.SqlError> =>
  Effect.map(
    oneRowOf(
      Found,
      sql`SELECT coalesce(bool_or(${sql.literal(hasSecondFactorSql)}), false) AS second_factor
      FROM users u WHERE u.id = ${userId}`
    ),
    ({ secondFactor }) => secondFactor
  )

const Totp = Row({ secretSealed: Schema.Uint8Array, keyId: Schema.String })

/** Where the secret of a user's app is sealed for. */
const placeOf = (userId: UserId): string => `totp:${userId}`

/** Uses up a code of the user's app. */
const takeTotp = Effect.fnUntraced(function*(
  sql: SqlClient.SqlClient,
  box: SecretBox["Service"],
  { code, userId }: GivenCode
) {
  const factor = yield* rowOf(Totp, sql`SELECT secret_sealed, key_id FROM totp_factors WHERE user_id = ${userId}`)
  if (factor === undefined) return false
  const secret = yield* box.open({ bytes: factor.secretSealed, keyId: factor.keyId }, placeOf(userId)).pipe(
    Effect.mapError(databaseUnavailable)
  )
  const step = totpStep(secret, code, yield* Clock.currentTimeMillis)
  if (step === undefined) return false
  const taken = yield* sql`UPDATE totp_factors SET last_step = ${step}::bigint
    WHERE user_id = ${userId} AND last_step < ${step}::bigint RETURNING user_id`
  return taken.length === 1
})

const takeRecoveryCode = Effect.fnUntraced(function*(sql: SqlClient.SqlClient, { code, userId }: GivenCode) {
  const codeHash = recoveryCodeHash(userId, code)
  if (codeHash === undefined) return false
  const taken = yield* sql`DELETE FROM recovery_codes
    WHERE user_id = ${userId} AND code_hash = ${codeHash} RETURNING user_id`
  return taken.length === 1
})

interface GivenCode {
  readonly userId: UserId
  readonly code: string
}

/** A second factor as it is given: a code, or what a passkey has signed. */
export interface GivenFactor {
  readonly userId: UserId
  /** Six digits of the app, or a recovery code. */
  readonly code: string
  /** Looked at in place of the code, where it is not empty. */
  readonly passkey?: PasskeyAnswer | undefined
}

/** What is needed to judge one. */
export interface FactorServices {
  readonly box: SecretBox["Service"]
  readonly ceremony: PasskeyCeremony["Service"]
}

/** Uses a factor up; fails when it is not right, or was used before. Answers which kind it was. */
export const takeFactor = (
  sql: SqlClient.SqlClient,
  { box, ceremony }: FactorServices,
  { code, passkey, userId }: GivenFactor
): Effect.Effect<"totp" | "recovery" | "passkey", SecondFactorWrong | DatabaseUnavailable | SqlError.SqlError> =>
  Effect.gen(function*() {
    if (passkey !== undefined && passkey.json !== "") {
      yield* takePasskey(sql, ceremony, { userId, purpose: "factor", answer: passkey })
      return "passkey" as const
    }
    const given = { userId, code: code.trim() }
    if (yield* takeTotp(sql, box, { ...given, code: given.code.replace(/\s/g, "") })) return "totp" as const
    if (yield* takeRecoveryCode(sql, given)) return "recovery" as const
    return yield* new SecondFactorWrong()
  })

/** Makes an app the user's, where there is none; the code that proved it is used up. False: there is one. */
export const insertTotp = (
  sql: SqlClient.SqlClient,
  box: SecretBox["Service"],
  { secret, step, userId }: {
    readonly userId: UserId
    readonly secret: Redacted.Redacted<string>
    readonly step: bigint
  }
) =>
  Effect.gen(function*() {
    const sealed = yield* box.seal(secret, placeOf(userId)).pipe(Effect.mapError(databaseUnavailable))
    const made = yield* sql`INSERT INTO totp_factors (user_id, secret_sealed, key_id, last_step)
      VALUES (${userId}, ${Buffer.from(sealed.bytes)}, ${sealed.keyId}, ${step}::bigint)
      ON CONFLICT DO NOTHING RETURNING user_id`
    return made.length === 1
  })

/** Makes recovery codes, in place of those that there are. */
export const insertRecoveryCodes = (
  sql: SqlClient.SqlClient,
  userId: UserId
): Effect.Effect<Redacted.Redacted<ReadonlyArray<string>>, SqlError.SqlError> =>
  Effect.gen(function*() {
    const codes = makeRecoveryCodes()
    yield* sql`DELETE FROM recovery_codes WHERE user_id = ${userId}`
    const hashes = Redacted.value(codes).flatMap((code) => recoveryCodeHash(userId, code)?.toString("hex") ?? [])
    yield* sql`INSERT INTO recovery_codes (user_id, code_hash)
      SELECT ${userId}::bigint, decode(code, 'hex') FROM jsonb_array_elements_text(${
      JSON.stringify(hashes)
    }::jsonb) code`
    return codes
  })

/** Removes all second factors of a user; false: there was none. */
export const deleteSecondFactors = (
  sql: SqlClient.SqlClient,
  userId: UserId
): Effect.Effect<boolean, SqlError.SqlError> =>
  Effect.gen(function*() {
    yield* sql`DELETE FROM recovery_codes WHERE user_id = ${userId}`
    const apps = yield* sql`DELETE FROM totp_factors WHERE user_id = ${userId} RETURNING user_id`
    const passkeys = yield* sql`DELETE FROM passkeys WHERE user_id = ${userId} RETURNING id`
    return apps.length + passkeys.length > 0
  })

/** What a user has. */
export const SecondFactorView = Row({
  /** Since when there is an app; null: there is none. */
  totpSince: Schema.NullOr(Schema.Date),
  /** Recovery codes that are left. */
  recoveryCodes: Count
})
export interface SecondFactorView extends Schema.Schema.Type<typeof SecondFactorView> {}

export const secondFactorView = (
  sql: SqlClient.SqlClient,
  userId: UserId
): Effect.Effect<SecondFactorView, SqlError.SqlError> =>
  oneRowOf(
    SecondFactorView,
    sql`SELECT (SELECT created_at FROM totp_factors WHERE user_id = ${userId}) AS totp_since,
      (SELECT count(*) FROM recovery_codes WHERE user_id = ${userId}) AS recovery_codes`
  )

/** Notes that somebody's password was right; the token names it. */
export const insertPendingLogin = (
  sql: SqlClient.SqlClient,
  userId: UserId
): Effect.Effect<SessionToken, SqlError.SqlError> =>
  Effect.gen(function*() {
    const { token, tokenHash } = makeToken()
    yield* sql`DELETE FROM pending_logins WHERE token_hash IN (SELECT token_hash FROM pending_logins
      WHERE user_id = ${userId} ORDER BY created_at DESC OFFSET ${PENDING_PER_USER_MAX - 1})`
    yield* sql`INSERT INTO pending_logins (token_hash, user_id, expires_at)
      VALUES (${tokenHash}, ${userId}, now() + make_interval(mins => ${PENDING_MINUTES_MAX}::integer))`
    return token
  })

const PendingUser = Row({ userId: UserId })

/** Whose second factor is asked for; undefined: nobody's at this moment. */
export const findPendingLogin = (sql: SqlClient.SqlClient, token: SessionToken) =>
  Effect.map(
    rowOf(
      PendingUser,
      sql`SELECT p.user_id FROM pending_logins p JOIN users u ON u.id = p.user_id
        WHERE p.token_hash = ${tokenHashOf(token) ?? null}::bytea AND p.expires_at > now() AND u.disabled_at IS NULL`
    ),
    (found) => found?.userId
  )

/** Uses it up, as a part of the transaction that opens the session and has locked the user; false: it was over. */
export const takePendingLogin = (sql: SqlClient.SqlClient, token: SessionToken, userId: UserId) =>
  Effect.map(
    sql`DELETE FROM pending_logins WHERE token_hash = ${tokenHashOf(token) ?? null}::bytea AND user_id = ${userId}
      AND expires_at > now() RETURNING user_id`,
    (rows) => rows.length === 1
  )
