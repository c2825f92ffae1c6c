/**
 * The idempotency keys of calls: which call has a key, and the answer that is kept for those who send it again. The journal writes a claim
 * in the batch of the call's hold; here it is looked up, and given the answer, which is sealed.
 */
import { Cache, Context, Effect, Exit, Layer, Redacted, Schema } from "effect"
import { SqlClient } from "effect/sql"
import type { UserId } from "../domain/Ids.ts"
import { Row } from "../domain/Row.ts"
import { SecretBox } from "../platform/SecretBox.ts"
import { type DatabaseUnavailable, databaseUnavailable, withinDatabaseWait } from "../postgres/DatabaseUnavailable.ts"
import { oneRowOf, rowOf } from "../postgres/Rows.ts"
import type { CallClaim } from "./AccountState.ts"
import { LookUpTurns } from "./LookUpTurns.ts"

/** A kept answer has at most so many bytes, and all those of a user together. */
export const ANSWER_BYTES_MAX = 1_048_576
const KEPT_BYTES_PER_USER_MAX = 104_857_600

/** What is kept of a user is summed so often, in milliseconds, and for so many users at once; in between it is counted on. */
const KEPT_SUM_MS = 60_000
const KEPT_USERS_MAX = 10_000

/** What a client was answered: headers, and the body in base64. */
const KeptAnswer = Schema.fromJsonString(
  Schema.Struct({ headers: Schema.Record(Schema.String, Schema.String), body: Schema.String })
)
export interface KeptAnswer extends Schema.Schema.Type<typeof KeptAnswer> {}

/**
 * Where a key stands. `other`: it was sent with another body. `running`: its call is being made. `unknown`: its call is open, and nobody
 * makes it any more. `unkept`: it was answered, and the answer could not be kept. `free`: a call may have it.
 */
export type ClaimStanding =
  | { readonly _tag: "other" | "running" | "unknown" | "unkept" | "free" }
  | { readonly _tag: "answered"; readonly answer: KeptAnswer }

/** The call that has a claim. */
export interface ClaimedCall {
  readonly userId: UserId
  readonly callId: string
  readonly claim: CallClaim
}

const FoundClaim = Row({
  callId: Schema.String,
  bodyHash: Schema.Uint8Array,
  unkept: Schema.Boolean,
  answer: Schema.NullOr(Schema.Uint8Array),
  answerKeyId: Schema.NullOr(Schema.String),
  ended: Schema.Boolean,
  alive: Schema.Boolean
})

const KeptBytes = Row({ bytes: Schema.BigInt })

const findSql = `SELECT c.call_id, c.body_hash, c.unkept, c.answer, c.answer_key_id, l.alive,
    realms_claim_ended_v1(c.call_id, l.alive) AS ended
  FROM call_claims c CROSS JOIN LATERAL (SELECT realms_claim_alive_v1(c.backend_pid, c.backend_start) AS alive) l
  WHERE c.user_id = $1 AND c.key_hash = decode($2, 'hex') AND c.expires_at > now()`

/** Where a sealed answer is stored. */
const placeOf = (callId: string): string => `claim:${callId}`

const encodeAnswer = Schema.encodeSync(KeptAnswer)
const decodeAnswer = Schema.decodeUnknownEffect(KeptAnswer)

export class CallClaims extends Context.Service<CallClaims, {
  find(userId: UserId, claim: CallClaim): Effect.Effect<ClaimStanding, DatabaseUnavailable>
  /** Keeps the answer of a call that has a claim; where it cannot be kept, that it was answered. */
  keep(call: ClaimedCall, answer: KeptAnswer | undefined): Effect.Effect<void, DatabaseUnavailable>
  /** Gives the key up: the call came to nothing that could be kept. */
  release(call: ClaimedCall): Effect.Effect<void, DatabaseUnavailable>
}>()("realms/accounts/CallClaims") {
  static readonly layer = Layer.effect(CallClaims)(Effect.gen(function*() {
    const sql = yield* SqlClient.SqlClient
    const box = yield* SecretBox
    const turns = yield* LookUpTurns

    const opened = Effect.fnUntraced(function*(callId: string, bytes: Uint8Array, keyId: string) {
      const text = yield* box.open({ bytes, keyId }, placeOf(callId))
      return yield* decodeAnswer(Redacted.value(text))
    })

    const find: CallClaims["Service"]["find"] = Effect.fnUntraced(function*(userId, claim) {
      const found = yield* rowOf(FoundClaim, sql.unsafe(findSql, [userId, claim.keyHash])).pipe(
        (query) => withinDatabaseWait(turns.run(userId, query)),
        Effect.mapError(databaseUnavailable)
      )
      if (found === undefined) return { _tag: "free" } as const
      const { alive, answer, answerKeyId, bodyHash, callId, ended, unkept } = found
      // What ended without an answer has no say in what is sent next.
      if (answer === null && !unkept && ended) return { _tag: "free" } as const
      if (Buffer.from(bodyHash).toString("hex") !== claim.bodyHash) return { _tag: "other" } as const
      if (unkept) return { _tag: "unkept" } as const
      if (answer === null || answerKeyId === null) return { _tag: alive ? "running" : "unknown" } as const
      return yield* opened(callId, answer, answerKeyId).pipe(
        Effect.map((kept) => ({ _tag: "answered" as const, answer: kept })),
        Effect.catch((error) =>
          Effect.as(Effect.logWarning("a kept answer cannot be opened", error), { _tag: "unkept" as const })
        )
      )
    })

    const kept = yield* Cache.makeWith(
      (userId: UserId) =>
        oneRowOf(
          KeptBytes,
          sql`SELECT coalesce(sum(octet_length(answer)), 0)::bigint AS bytes FROM call_claims WHERE user_id = ${userId}`
        ).pipe(Effect.map((row) => ({ bytes: Number(row.bytes) }))),
      { capacity: KEPT_USERS_MAX, timeToLive: (exit) => Exit.isSuccess(exit) ? KEPT_SUM_MS : 0 }
    )

    /** Takes room for an answer among all those of its user; false where there is none. Two that are kept at once do not take the same. */
    const takeRoom = (userId: UserId, bytes: number) =>
      Effect.map(Cache.get(kept, userId), (all) => {
        if (all.bytes + bytes > KEPT_BYTES_PER_USER_MAX) return false
        all.bytes += bytes
        return true
      })

    /** The row of a call's claim, as long as no other call has taken it over. */
    const ofCall = ({ callId, claim, userId }: ClaimedCall) =>
      sql`user_id = ${userId} AND key_hash = decode(${claim.keyHash}, 'hex') AND call_id = ${callId}::uuid`

    const keep: CallClaims["Service"]["keep"] = Effect.fnUntraced(function*(call, answer) {
      const sealed = answer === undefined
        ? undefined
        : yield* Effect.option(box.seal(Redacted.make(encodeAnswer(answer)), placeOf(call.callId)))
      const found = sealed === undefined || sealed._tag === "None" ? undefined : sealed.value
      const room = found === undefined ? Effect.succeed(false) : takeRoom(call.userId, found.bytes.length)
      yield* withinDatabaseWait(Effect.flatMap(room, (isKept) => {
        const { bytes = null, keyId = null } = isKept && found !== undefined ? found : {}
        return sql`UPDATE call_claims SET answer = ${bytes}::bytea, answer_key_id = ${keyId}::text, unkept = ${!isKept}
          WHERE ${ofCall(call)}`
      })).pipe(Effect.mapError(databaseUnavailable))
    })

    const release: CallClaims["Service"]["release"] = (call) =>
      sql`DELETE FROM call_claims WHERE ${ofCall(call)} AND answer IS NULL AND NOT unkept`.pipe(
        (query) => withinDatabaseWait(turns.run(call.userId, query)),
        Effect.asVoid,
        Effect.mapError(databaseUnavailable)
      )

    return CallClaims.of({ find, keep, release })
  })).pipe(Layer.provide(LookUpTurns.layer))
}
