/**
 * Batches of redemption codes, their codes and their redemptions as rows. A redemption locks its code, then its batch, then the
 * account; administrators lock a batch or a code alone.
 *
 * @internal
 */
import { Effect, Schema } from "effect"
import type { SqlClient, SqlError } from "effect/sql"
import { PlanTerms } from "../orders/Order.ts"
import type { CodeState, Gift, Redemption, RedemptionBatch, RedemptionCode } from "./RedemptionBatch.ts"

type Sql = SqlClient.SqlClient
type Read<A> = Effect.Effect<A, SqlError.SqlError>

const decodeTerms = Schema.decodeUnknownEffect(PlanTerms)

export interface GiftRow {
  readonly usd_micros: bigint | null
  readonly terms: unknown
}

/** What a batch gives; the table holds one or the other. */
export const giftOf = (row: GiftRow): Effect.Effect<Gift> =>
  row.usd_micros === null
    ? Effect.map(Effect.orDie(decodeTerms(row.terms)), (terms) => ({ kind: "plan" as const, terms }))
    : Effect.succeed({ kind: "balance", usdMicros: row.usd_micros })

interface BatchRow extends GiftRow {
  readonly id: bigint
  readonly name: string
  readonly note: string
  readonly codes: number
  readonly uses_max: number
  readonly uses: bigint
  readonly state: CodeState
  readonly expires_at: Date | null
  readonly disabled_at: Date | null
  readonly revision: bigint
  readonly created_at: Date
  readonly created_by: string | null
}

const toBatch = (row: BatchRow): Effect.Effect<RedemptionBatch> =>
  Effect.map(giftOf(row), (gift) => ({
    id: row.id,
    name: row.name,
    note: row.note,
    gift,
    codes: row.codes,
    usesMax: row.uses_max,
    uses: Number(row.uses),
    state: row.state,
    expiresAt: row.expires_at,
    disabledAt: row.disabled_at,
    revision: row.revision,
    createdAt: row.created_at,
    createdBy: row.created_by
  }))

/** Which rows a page of a list has: those with an id below `before`, newest first. */
export interface PageOf {
  readonly limit: number
  readonly before?: bigint | undefined
}

const ID_MAX = 2n ** 63n - 1n

/** Batches, newest first; one alone where an id is given. */
export const batchesOf = (
  sql: Sql,
  { before = ID_MAX, id = null, limit, state = null }: PageOf & {
    readonly id?: bigint | null
    readonly state?: CodeState | null
  }
): Read<ReadonlyArray<RedemptionBatch>> =>
  Effect.flatMap(
    sql<BatchRow>`
      SELECT * FROM (
        SELECT b.id, b.name, b.note, b.usd_micros, b.terms, b.codes, b.uses_max, c.uses, b.expires_at, b.disabled_at,
            b.revision, b.created_at, u.email AS created_by,
            CASE WHEN b.disabled_at IS NOT NULL THEN 'disabled' WHEN c.uses >= b.codes::bigint * b.uses_max THEN 'used'
              WHEN b.expires_at <= now() THEN 'expired' ELSE 'active' END AS state
          FROM redemption_batches b
          LEFT JOIN users u ON u.id = b.created_by
          CROSS JOIN LATERAL (
            SELECT coalesce(sum(uses), 0)::bigint AS uses FROM redemption_codes WHERE batch_id = b.id
          ) c
          WHERE b.id < ${before} AND (${id}::bigint IS NULL OR b.id = ${id})
      ) l WHERE ${state}::text IS NULL OR l.state = ${state} ORDER BY l.id DESC LIMIT ${limit}`,
    (rows) => Effect.forEach(rows, toBatch)
  )

interface CodeRow {
  readonly id: bigint
  readonly code_hash: Uint8Array
  readonly hint: string
  readonly uses: number
  readonly uses_max: number
  readonly state: CodeState
}

/** Codes of a batch with their hashes, newest first. */
export const codesOf = (
  sql: Sql,
  batchId: bigint,
  { before = ID_MAX, limit }: PageOf
): Read<ReadonlyArray<RedemptionCode & { readonly hash: Uint8Array }>> =>
  Effect.map(
    sql<CodeRow>`
      SELECT c.id, c.code_hash, c.hint, c.uses, c.uses_max,
          CASE WHEN c.disabled_at IS NOT NULL OR b.disabled_at IS NOT NULL THEN 'disabled'
            WHEN c.uses >= c.uses_max THEN 'used' WHEN b.expires_at <= now() THEN 'expired' ELSE 'active' END AS state
        FROM redemption_codes c JOIN redemption_batches b ON b.id = c.batch_id
        WHERE c.batch_id = ${batchId} AND c.id < ${before} ORDER BY c.id DESC LIMIT ${limit}`,
    (rows) =>
      rows.map((row) => ({
        id: row.id,
        hint: row.hint,
        uses: row.uses,
        usesMax: row.uses_max,
        state: row.state,
        hash: row.code_hash
      }))
  )

interface RedemptionRow {
  readonly id: bigint
  readonly code_id: bigint
  readonly hint: string
  readonly user_id: bigint
  readonly email: string
  readonly at: Date
}

/** Who has redeemed codes of a batch, the latest first. */
export const redemptionsOf = (
  sql: Sql,
  batchId: bigint,
  { before = ID_MAX, limit }: PageOf
): Read<ReadonlyArray<Redemption>> =>
  Effect.map(
    sql<RedemptionRow>`
      SELECT r.id, r.code_id, c.hint, r.user_id, u.email, r.at
        FROM redemptions r JOIN redemption_codes c ON c.id = r.code_id JOIN users u ON u.id = r.user_id
        WHERE c.batch_id = ${batchId} AND r.id < ${before} ORDER BY r.id DESC LIMIT ${limit}`,
    (rows) =>
      rows.map((row) => ({
        id: row.id,
        codeId: row.code_id,
        hint: row.hint,
        userId: row.user_id,
        email: row.email,
        at: row.at
      }))
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
}

/**
 * Locks a code for its redemption by a user, and its batch against being disabled, until the transaction under way ends. In
 * steps, because what is said of the code is read anew only by a statement that begins after its lock is held.
 */
export const lockCode = (sql: Sql, codeHash: Uint8Array, userId: bigint): Read<LockedCode | undefined> =>
  Effect.gen(function*() {
    const [code] = yield* sql<{ id: bigint; batch_id: bigint; uses: number; uses_max: number; disabled: boolean }>`
      SELECT id, batch_id, uses, uses_max, disabled_at IS NOT NULL AS disabled
        FROM redemption_codes WHERE code_hash = ${codeHash} FOR UPDATE`
    if (code === undefined) return undefined
    const [batch] = yield* sql<GiftRow & { disabled: boolean; expired: boolean }>`
      SELECT usd_micros, terms, disabled_at IS NOT NULL AS disabled,
          coalesce(expires_at <= clock_timestamp(), false) AS expired
        FROM redemption_batches WHERE id = ${code.batch_id} FOR SHARE`
    if (batch === undefined) return undefined
    const mine = yield* sql`SELECT FROM redemptions WHERE code_id = ${code.id} AND user_id = ${userId}`
    return {
      id: code.id,
      isDisabled: code.disabled || batch.disabled,
      isExpired: batch.expired,
      isUsedUp: code.uses >= code.uses_max,
      isRedeemed: mine.length > 0,
      gift: yield* giftOf(batch)
    }
  })
