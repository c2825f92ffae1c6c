/**
 * What administrators add to a balance or take from it: a ledger entry with a note, written together with the audit log. The
 * caller chooses the key of an adjustment; sent again under the same key, it is not made a second time.
 */
import { Context, Effect, Layer, Schema } from "effect"
import { SqlClient, SqlError } from "effect/sql"
import type { UserId } from "../domain/Ids.ts"
import { MICROS_PER_USD } from "../domain/Money.ts"
import { Row } from "../domain/Row.ts"
import { type Actor, recordChange } from "../platform/AuditLog.ts"
import { checkNote, isIdempotencyKey, keyReused, keyRule, noteRule } from "../platform/Notes.ts"
import { type NotConfirmed, SecondPerson } from "../platform/SecondPerson.ts"
import type { DatabaseUnavailable } from "../postgres/DatabaseUnavailable.ts"
import { rowOf } from "../postgres/Rows.ts"
import { inTransaction } from "../postgres/Transaction.ts"
import { AccountUnavailable, DebitRefused, UnknownAccount } from "./AccountError.ts"
import { postInTransaction } from "./Ledger.ts"

/** One adjustment is at most so large, in either direction. */
export const ADJUSTMENT_MICROS_MAX = 1_000_000n * MICROS_PER_USD

const REF_TYPE = "adjustment"

/** Text for people, by what is wrong with an adjustment. */
const messages = {
  amount: "an adjustment is an amount other than 0, of at most 1,000,000 USD either way",
  note: noteRule,
  key: keyRule
} as const

/** What was asked for is not possible; `reason` is the field. */
export class AdjustmentRefused extends Schema.TaggedError<AdjustmentRefused>()("AdjustmentRefused", {
  reason: Schema.Literals(["amount", "note", "key"])
}) {
  override get message(): string {
    return messages[this.reason]
  }
}

/** The key has been used for another adjustment: of another user, amount or note. */
export class AdjustmentReused extends Schema.TaggedError<AdjustmentReused>()("AdjustmentReused", {}) {
  override get message(): string {
    return keyReused
  }
}

export interface Adjustment {
  readonly userId: UserId
  /** Signed, not 0, at most {@link ADJUSTMENT_MICROS_MAX} either way. */
  readonly amountMicros: bigint
  /** Why, in words; kept with the entry. */
  readonly note: string
  /** Of this adjustment alone. */
  readonly key: string
}

/** The account after it, in micros. */
export interface Adjusted {
  readonly usdMicros: bigint
  readonly owedMicros: bigint
  /** It had been made before; nothing was written. */
  readonly repeated: boolean
}

const KnownEntry = Row({ same: Schema.Boolean })

export class Adjustments extends Context.Service<Adjustments, {
  /** Takes a balance down to zero and no further: more is `DebitRefused`. `AccountUnavailable` may be repeated safely. */
  adjust(
    actor: Actor,
    adjustment: Adjustment
  ): Effect.Effect<
    Adjusted,
    | AdjustmentRefused
    | AdjustmentReused
    | DebitRefused
    | UnknownAccount
    | AccountUnavailable
    | NotConfirmed
    | DatabaseUnavailable
  >
}>()("realms/accounts/Adjustments") {
  static readonly layer = Layer.effect(Adjustments)(Effect.gen(function*() {
    const sql = yield* SqlClient.SqlClient
    const secondPerson = yield* SecondPerson

    /** What the entry of this key is about; it is there. */
    const checkRepeated = Effect.fnUntraced(function*({ amountMicros, key, note, userId }: Adjustment) {
      const entry = yield* rowOf(
        KnownEntry,
        sql`SELECT user_id = ${userId} AND amount_micros = ${amountMicros}::bigint AND note = ${note} AS same
        FROM ledger_entries WHERE ref_type = ${REF_TYPE} AND ref_id = ${key} AND kind = 'adjustment'`
      )
      if (entry?.same !== true) return yield* new AdjustmentReused()
    })

    const write = Effect.fnUntraced(function*(actor: Actor, adjustment: Adjustment) {
      const { amountMicros, key, note, userId } = adjustment
      // The same key for two users at once: one after the other, so that the second finds the first.
      yield* sql`SELECT pg_advisory_xact_lock(hashtextextended(${`adjustment:${key}`}, 0))`
      const posted = yield* postInTransaction(sql, userId, {
        kind: "adjustment",
        amountMicros,
        refType: REF_TYPE,
        refId: key,
        actor: actor.name,
        note,
        mode: "strict"
      })
      const { outcome, owedMicros, usdMicros } = posted
      if (outcome === "unknown_user") return yield* new UnknownAccount({ userId })
      if (outcome === "short") {
        return yield* new DebitRefused({ neededMicros: -amountMicros, availableMicros: usdMicros })
      }
      if (outcome === "repeated") {
        yield* checkRepeated(adjustment)
        return { usdMicros, owedMicros, repeated: true }
      }
      yield* recordChange(sql, actor, {
        action: "balance.adjusted",
        target: `user:${userId}`,
        before: null,
        after: { amount_micros: amountMicros, usd_micros: usdMicros, owed_micros: owedMicros, note, key }
      })
      const facts = { user_id: String(userId), amount_micros: String(amountMicros) }
      yield* secondPerson.check(actor, {
        action: "balance.adjust",
        worth: { usd: { usdMicros: amountMicros } },
        asked: { ...facts, key },
        facts,
        note
      })
      return { usdMicros, owedMicros, repeated: false }
    })

    return Adjustments.of({
      adjust: Effect.fn("Adjustments.adjust")(function*(actor: Actor, asked: Adjustment) {
        const reason = flawOf(asked)
        if (reason !== undefined) return yield* new AdjustmentRefused({ reason })
        const written = inTransaction(sql, write(actor, { ...asked, note: asked.note.trim() }))
        return yield* secondPerson.asking(actor, written).pipe(
          Effect.catchIf(
            SqlError.isSqlError,
            (error) => Effect.fail(new AccountUnavailable({ reason: error.message }))
          )
        )
      })
    })
  }))
}

const flawOf = ({ amountMicros, key, note }: Adjustment): AdjustmentRefused["reason"] | undefined => {
  const magnitude = amountMicros < 0n ? -amountMicros : amountMicros
  if (magnitude === 0n || magnitude > ADJUSTMENT_MICROS_MAX) return "amount"
  if (checkNote(note) === undefined) return "note"
  return isIdempotencyKey(key) ? undefined : "key"
}
