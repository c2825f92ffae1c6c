/**
 * Debts that administrators waive: a ledger entry with a note, written together with the audit log. A waiver lowers what is owed
 * and leaves the balance as it is. The caller chooses its key; sent again under the same key, it is not made a second time.
 */
import { Context, Effect, Layer, Schema } from "effect"
import { SqlClient, SqlError } from "effect/sql"
import type { UserId } from "../domain/Ids.ts"
import { formatUsd } from "../domain/Money.ts"
import { Row } from "../domain/Row.ts"
import { type Actor, recordChange } from "../platform/AuditLog.ts"
import { checkNote, isIdempotencyKey, keyReused, keyRule, noteRule } from "../platform/Notes.ts"
import { type NotConfirmed, SecondPerson } from "../platform/SecondPerson.ts"
import type { DatabaseUnavailable } from "../postgres/DatabaseUnavailable.ts"
import { rowOf } from "../postgres/Rows.ts"
import { inTransaction } from "../postgres/Transaction.ts"
import { AccountUnavailable, UnknownAccount } from "./AccountError.ts"
import { ADJUSTMENT_MICROS_MAX } from "./Adjustments.ts"
import { postInTransaction } from "./Ledger.ts"

const KIND = "waiver"

/** Text for people, by what is wrong with a waiver. */
const messages = {
  amount: "a waiver is an amount above 0, of at most 1,000,000 USD",
  note: noteRule,
  key: keyRule
} as const

/** What was asked for is not possible; `reason` is the field. */
export class WaiverRefused extends Schema.TaggedError<WaiverRefused>()("WaiverRefused", {
  reason: Schema.Literals(["amount", "note", "key"])
}) {
  override get message(): string {
    return messages[this.reason]
  }
}

/** The key has been used for another waiver: of another user, amount or note. */
export class WaiverReused extends Schema.TaggedError<WaiverReused>()("WaiverReused", {}) {
  override get message(): string {
    return keyReused
  }
}

/** The waiver is larger than the debt. In micros. */
export class DebtExceeded extends Schema.TaggedError<DebtExceeded>()("DebtExceeded", {
  owedMicros: Schema.BigInt
}) {
  override get message(): string {
    return `only ${formatUsd(this.owedMicros)} USD are owed`
  }
}

export interface Waiver {
  readonly userId: UserId
  /** What of the debt is waived: above 0, at most {@link ADJUSTMENT_MICROS_MAX}. */
  readonly amountMicros: bigint
  /** Why, in words; kept with the entry. */
  readonly note: string
  /** Of this waiver alone. */
  readonly key: string
}

/** The account after it, in micros. */
export interface Waived {
  readonly usdMicros: bigint
  readonly owedMicros: bigint
  /** It had been made before; nothing was written. */
  readonly repeated: boolean
}

const KnownEntry = Row({ same: Schema.Boolean })

export class DebtWaivers extends Context.Service<DebtWaivers, {
  /** Waives a debt, or a part of it; more than is owed is `DebtExceeded`. `AccountUnavailable` may be repeated safely. */
  waive(
    actor: Actor,
    waiver: Waiver
  ): Effect.Effect<
    Waived,
    | WaiverRefused
    | WaiverReused
    | DebtExceeded
    | UnknownAccount
    | AccountUnavailable
    | NotConfirmed
    | DatabaseUnavailable
  >
}>()("realms/accounts/DebtWaivers") {
  static readonly layer = Layer.effect(DebtWaivers)(Effect.gen(function*() {
    const sql = yield* SqlClient.SqlClient
    const secondPerson = yield* SecondPerson

    /** What the entry of this key is about; it is there. */
    const checkRepeated = Effect.fnUntraced(function*({ amountMicros, key, note, userId }: Waiver) {
      const entry = yield* rowOf(
        KnownEntry,
        sql`SELECT user_id = ${userId} AND owed_micros = ${-amountMicros}::bigint AND note = ${note} AS same
        FROM ledger_entries WHERE ref_type = ${KIND} AND ref_id = ${key} AND kind = ${KIND}`
      )
      if (entry?.same !== true) return yield* new WaiverReused()
    })

    const write = Effect.fnUntraced(function*(actor: Actor, waiver: Waiver) {
      const { amountMicros, key, note, userId } = waiver
      // The same key for two users at once: one after the other, so that the second finds the first.
      yield* sql`SELECT pg_advisory_xact_lock(hashtextextended(${`waiver:${key}`}, 0))`
      const { outcome, owedMicros, usdMicros } = yield* postInTransaction(sql, userId, {
        kind: KIND,
        amountMicros,
        refType: KIND,
        refId: key,
        actor: actor.name,
        note,
        mode: "waive"
      })
      if (outcome === "unknown_user") return yield* new UnknownAccount({ userId })
      if (outcome === "short") return yield* new DebtExceeded({ owedMicros })
      if (outcome === "repeated") {
        yield* checkRepeated(waiver)
        return { usdMicros, owedMicros, repeated: true }
      }
      yield* recordChange(sql, actor, {
        action: "debt.waived",
        target: `user:${userId}`,
        before: { owed_micros: owedMicros + amountMicros },
        after: { waived_micros: amountMicros, owed_micros: owedMicros, note, key }
      })
      const facts = { user_id: String(userId), amount_micros: String(amountMicros) }
      yield* secondPerson.check(actor, {
        action: "debt.waive",
        worth: { usd: { usdMicros: amountMicros } },
        asked: { ...facts, key },
        facts,
        note
      })
      return { usdMicros, owedMicros, repeated: false }
    })

    return DebtWaivers.of({
      waive: Effect.fn("DebtWaivers.waive")(function*(actor: Actor, asked: Waiver) {
        const reason = flawOf(asked)
        if (reason !== undefined) return yield* new WaiverRefused({ reason })
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

const flawOf = ({ amountMicros, key, note }: Waiver): WaiverRefused["reason"] | undefined => {
  if (amountMicros <= 0n || amountMicros > ADJUSTMENT_MICROS_MAX) return "amount"
  if (checkNote(note) === undefined) return "note"
  return isIdempotencyKey(key) ? undefined : "key"
}
