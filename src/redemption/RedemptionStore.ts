/**
 * Batches of redemption codes, their codes and their redemptions as rows. A redemption locks its code, then its batch, then the
 * account; administrators lock a batch or a code alone.
 *
 * @internal
 */
import { Effect, Schema } from "effect"
import type { SqlClient, SqlError } from "effect/sql"
import type { UserId } from "../domain/Ids.ts"
import { Micros } from "../domain/Money.ts"
import { SoldPlan } from "../domain/Plan.ts"
import { Row, RowWith } from "../domain/Row.ts"
import { type IdPage, rowOf, rowsOf } from "../postgres/Rows.ts"
import {
  Batch,
  type CodeState,
  type Gift,
  type NewBatch,
  Redemption,
  type RedemptionBatch,
  RedemptionCode
} from "./RedemptionBatch.ts"

type Sql = SqlClient.SqlClient
type Read<A> = Effect.Effect<A, SqlError.SqlError>

/** What a batch gives; the table holds one or the other. */
export const GiftColumns = Row({ usdMicros: Schema.NullOr(Micros), terms: Schema.NullOr(SoldPlan) })

export const giftOf = ({ terms, usdMicros }: typeof GiftColumns.Type): Effect.Effect<Gift> => {
  if (usdMicros !== null) return Effect.succeed({ kind: "balance", usdMicros })
  return terms === null ? Effect.die(new Error("a batch gives nothing")) : Effect.succeed({ kind: "plan", terms })
}

const UsedBatch = RowWith(RowWith(Batch, GiftColumns.fields), { uses: Schema.BigInt })

const toBatch = ({ terms, usdMicros, uses, ...batch }: typeof UsedBatch.Type): Effect.Effect<RedemptionBatch> =>
  Effect.map(giftOf({ terms, usdMicros }), (gift) => ({ ...batch, gift, uses: Number(uses) }))

const ID_MAX = 2n ** 63n - 1n

/** Batches, newest first; one alone where an id is given. */
export const batchesOf = (
  sql: Sql,
  { before = ID_MAX, id = null, limit, state = null }: IdPage & {
    readonly id?: bigint | null
    readonly state?: CodeState | null
  }
): Read<ReadonlyArray<RedemptionBatch>> =>
  Effect.flatMap(
    rowsOf(
      UsedBatch,
      sql`
      SELECT * FROM (
        SELECT b.id, b.name, b.note, b.usd_micros, b.terms, b.group_code, b.codes, b.uses_max, c.uses, b.expires_at, b.disabled_at,
            b.revision, b.created_at, u.email AS created_by,
            CASE WHEN b.disabled_at IS NOT NULL THEN 'disabled' WHEN c.uses >= b.codes::bigint * b.uses_max THEN 'used'
              WHEN b.expires_at <= now() THEN 'expired' ELSE 'active' END AS state
          FROM redemption_batches b
          LEFT JOIN users u ON u.id = b.created_by
          CROSS JOIN LATERAL (
            SELECT coalesce(sum(uses), 0)::bigint AS uses FROM redemption_codes WHERE batch_id = b.id
          ) c
          WHERE b.id < ${before} AND (${id}::bigint IS NULL OR b.id = ${id})
      ) l WHERE ${state}::text IS NULL OR l.state = ${state} ORDER BY l.id DESC LIMIT ${limit}`
    ),
    (batches) => Effect.forEach(batches, toBatch)
  )

const MadeBatch = Row({ id: Schema.BigInt, isSame: Schema.Boolean }, { isSame: "same" })

/**
 * The batch that a request with this key has made, and whether it asked for the same. Requests with one key come one after the other.
 */
export const batchMadeWith = (
  sql: Sql,
  key: string,
  { codes, expiresAt, gift, groupCode, name, note, usesMax }: NewBatch,
  createdBy: UserId | null
): Read<typeof MadeBatch.Type | undefined> =>
  Effect.andThen(
    sql`SELECT pg_advisory_xact_lock(hashtextextended(${`redemption_batch:${key}`}, 0))`,
    rowOf(
      MadeBatch,
      sql`SELECT id, (name, note, codes, uses_max) = (${name}, ${note}, ${codes}::integer, ${usesMax}::integer)
          AND expires_at IS NOT DISTINCT FROM ${expiresAt}::timestamptz
          AND usd_micros IS NOT DISTINCT FROM ${gift.kind === "balance" ? gift.usdMicros : null}::bigint
          AND terms ->> 'code' IS NOT DISTINCT FROM ${gift.kind === "plan" ? gift.planCode : null}::text
          AND group_code IS NOT DISTINCT FROM ${groupCode}::text
          AND created_by IS NOT DISTINCT FROM ${createdBy}::bigint AS same
        FROM redemption_batches WHERE request_key = ${key}`
    )
  )

const HashedCode = RowWith(RedemptionCode, { hash: Schema.Uint8Array }, { hash: "code_hash" })

/** Codes of a batch with their hashes, newest first. */
export const codesOf = (
  sql: Sql,
  batchId: bigint,
  { before = ID_MAX, limit }: IdPage
): Read<ReadonlyArray<RedemptionCode & { readonly hash: Uint8Array }>> =>
  rowsOf(
    HashedCode,
    sql`
      SELECT c.id, c.code_hash, c.hint, c.uses, c.uses_max,
          CASE WHEN c.disabled_at IS NOT NULL OR b.disabled_at IS NOT NULL THEN 'disabled'
            WHEN c.uses >= c.uses_max THEN 'used' WHEN b.expires_at <= now() THEN 'expired' ELSE 'active' END AS state
        FROM redemption_codes c JOIN redemption_batches b ON b.id = c.batch_id
        WHERE c.batch_id = ${batchId} AND c.id < ${before} ORDER BY c.id DESC LIMIT ${limit}`
  )

/** Who has redeemed codes of a batch, the latest first. */
export const redemptionsOf = (
  sql: Sql,
  batchId: bigint,
  { before = ID_MAX, limit }: IdPage
): Read<ReadonlyArray<Redemption>> =>
  rowsOf(
    Redemption,
    sql`
      SELECT r.id, r.code_id, c.hint, r.user_id, u.email, r.at
        FROM redemptions r JOIN redemption_codes c ON c.id = r.code_id JOIN users u ON u.id = r.user_id
        WHERE c.batch_id = ${batchId} AND r.id < ${before} ORDER BY r.id DESC LIMIT ${limit}`
  )

/** A code as it is redeemed. */
export interface LockedCode {
  readonly id: bigint
  readonly isDisabled: boolean
  readonly isExpired: boolean
  readonly isUsedUp: boolean
  /** By the user who asks. */
  readonly isRedeemed: boolean
  readonly gift: Gift
  /** The group that the user gets; null: prices stay as they are. */
  readonly groupCode: string | null
}

const CodeNow = Row({
  id: Schema.BigInt,
  batchId: Schema.BigInt,
  uses: Schema.Number,
  usesMax: Schema.Number,
  isDisabled: Schema.Boolean
}, { isDisabled: "disabled" })

const BatchNow = RowWith(
  GiftColumns,
  { groupCode: Schema.NullOr(Schema.String), isDisabled: Schema.Boolean, isExpired: Schema.Boolean },
  { isDisabled: "disabled", isExpired: "expired" }
)

/**
 * Locks a code for its redemption by a user, and its batch against being disabled, until the transaction under way ends. In
 * steps: only a statement that begins after its lock is held reads the newest state of the code.
 */
export const lockCode = (sql: Sql, codeHash: Uint8Array, userId: UserId): Read<LockedCode | undefined> =>
  Effect.gen(function*() {
    const code = yield* rowOf(
      CodeNow,
      sql`
      SELECT id, batch_id, uses, uses_max, disabled_at IS NOT NULL AS disabled
        FROM redemption_codes WHERE code_hash = ${codeHash} FOR UPDATE`
    )
    if (code === undefined) return undefined
    const batch = yield* rowOf(
      BatchNow,
      sql`
      SELECT usd_micros, terms, group_code, disabled_at IS NOT NULL AS disabled,
          coalesce(expires_at <= clock_timestamp(), false) AS expired
        FROM redemption_batches WHERE id = ${code.batchId} FOR SHARE`
    )
    if (batch === undefined) return undefined
    const mine = yield* sql`SELECT FROM redemptions WHERE code_id = ${code.id} AND user_id = ${userId}`
    return {
      id: code.id,
      isDisabled: code.isDisabled || batch.isDisabled,
      isExpired: batch.isExpired,
      isUsedUp: code.uses >= code.usesMax,
      isRedeemed: mine.length > 0,
      gift: yield* giftOf(batch),
      groupCode: batch.groupCode
    }
  })
