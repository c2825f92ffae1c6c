/**
 * Ledger entries that administrators write: each with a note and the audit log, and for a large one with a second person. The caller
 * chooses the key of an entry; sent again under the same key, it is not made a second time.
 *
 * @internal
 */
import { Effect, Schema } from "effect"
import { SqlClient, SqlError } from "effect/sql"
import type { UserId } from "../domain/Ids.ts"
import { MICROS_PER_USD } from "../domain/Money.ts"
import { Row } from "../domain/Row.ts"
import { type Actor, recordChange } from "../platform/AuditLog.ts"
import { checkNote, isIdempotencyKey } from "../platform/Notes.ts"
import { type AskedAction, SecondPerson } from "../platform/SecondPerson.ts"
import { rowOf } from "../postgres/Rows.ts"
import { inTransaction } from "../postgres/Transaction.ts"
import { AccountUnavailable, UnknownAccount } from "./AccountError.ts"
import { type LedgerOutcome, postInTransaction } from "./Ledger.ts"

/** One entry is at most so large, in either direction. */
export const MANUAL_MICROS_MAX = 1_000_000n * MICROS_PER_USD

/** What an administrator asks for. */
export interface ManualEntry {
  readonly userId: UserId
  readonly amountMicros: bigint
  /** Why, in words; kept with the entry. */
  readonly note: string
  /** Of this entry alone. */
  readonly key: string
}

/** The account after it, in micros. */
export interface Written {
  readonly usdMicros: bigint
  readonly owedMicros: bigint
  /** It had been made before; nothing was written. */
  readonly repeated: boolean
}

/** What is wrong with a note or a key; undefined: nothing. */
export const textFlawOf = ({ key, note }: ManualEntry): "note" | "key" | undefined => {
  if (checkNote(note) === undefined) return "note"
  return isIdempotencyKey(key) ? undefined : "key"
}

/** What the kinds of entries differ in. */
export interface ManualKind<Short, Reused> {
  /** Its kind in the ledger, which is the type of its reference too. */
  readonly kind: "adjustment" | "waiver"
  readonly mode: "strict" | "waive"
  readonly action: AskedAction["action"]
  /** What an entry of this amount says in its row, in micros. */
  readonly stored: (amountMicros: bigint) => { readonly amountMicros: bigint; readonly owedMicros: bigint }
  /** There is less than the entry takes. */
  readonly short: (entry: ManualEntry, account: LedgerOutcome) => Short
  /** The key has been used for something else. */
  readonly reused: () => Reused
  /** The change as the audit log keeps it, without note and key. `account`: after the entry. */
  readonly change: (entry: ManualEntry, account: LedgerOutcome) => {
    readonly action: string
    readonly before: Readonly<Record<string, bigint>> | null
    readonly after: Readonly<Record<string, bigint>>
  }
}

const KnownEntry = Row({ same: Schema.Boolean })

/** Writes entries of a kind. `AccountUnavailable` may be repeated safely. */
export const manualEntries = Effect.fnUntraced(function*<Short, Reused>(of: ManualKind<Short, Reused>) {
  const sql = yield* SqlClient.SqlClient
  const secondPerson = yield* SecondPerson

  /** What the entry of this key is about; it is there. */
  const checkRepeated = Effect.fnUntraced(function*({ amountMicros, key, note, userId }: ManualEntry) {
    const stored = of.stored(amountMicros)
    const entry = yield* rowOf(
      KnownEntry,
      sql`SELECT user_id = ${userId} AND amount_micros = ${stored.amountMicros}::bigint
          AND owed_micros = ${stored.owedMicros}::bigint AND note = ${note} AS same
        FROM ledger_entries WHERE ref_type = ${of.kind} AND ref_id = ${key} AND kind = ${of.kind}`
    )
    if (entry?.same !== true) return yield* Effect.fail(of.reused())
  })

  const write = Effect.fnUntraced(function*(actor: Actor, entry: ManualEntry) {
    const { amountMicros, key, note, userId } = entry
    // The same key for two users at once: one after the other, so that the second finds the first.
    yield* sql`SELECT pg_advisory_xact_lock(hashtextextended(${`${of.kind}:${key}`}, 0))`
    const account = yield* postInTransaction(sql, userId, {
      kind: of.kind,
      amountMicros,
      refType: of.kind,
      refId: key,
      actor: actor.name,
      note,
      mode: of.mode
    })
    const { outcome, owedMicros, usdMicros } = account
    if (outcome === "unknown_user") return yield* new UnknownAccount({ userId })
    if (outcome === "short") return yield* Effect.fail(of.short(entry, account))
    if (outcome === "repeated") {
      yield* checkRepeated(entry)
      return { usdMicros, owedMicros, repeated: true }
    }
    const { action, after, before } = of.change(entry, account)
    yield* recordChange(sql, actor, {
      action,
      target: `user:${userId}`,
      before,
      after: { ...after, owed_micros: owedMicros, note, key }
    })
    const facts = { user_id: String(userId), amount_micros: String(amountMicros) }
    yield* secondPerson.check(actor, {
      action: of.action,
      worth: { usd: { usdMicros: amountMicros } },
      asked: { ...facts, key },
      facts,
      note
    })
    return { usdMicros, owedMicros, repeated: false }
  })

  return (actor: Actor, entry: ManualEntry) =>
    secondPerson.asking(actor, inTransaction(sql, write(actor, { ...entry, note: entry.note.trim() }))).pipe(
      Effect.catchIf(SqlError.isSqlError, (error) => Effect.fail(new AccountUnavailable({ reason: error.message })))
    )
})
