/**
 * Compares a provider's file with the books, payment by payment, refund by refund and dispute by dispute. The file is read in pieces
 * into a table of the transaction, which ends with it; nothing is changed.
 */
import { Context, Effect, FileSystem, Layer, type PlatformError, Schema, Semaphore, Sink, Stream } from "effect"
import { SqlClient } from "effect/sql"
import { readEpayColumn } from "../domain/EpayBill.ts"
import { Minor } from "../domain/Money.ts"
import { Count, Row } from "../domain/Row.ts"
import type { Provider } from "../payments/PaymentFact.ts"
import { type DatabaseUnavailable, orUnavailable } from "../postgres/DatabaseUnavailable.ts"
import { oneRowOf, rowsOf } from "../postgres/Rows.ts"
import { inTransaction } from "../postgres/Transaction.ts"
import { Settings } from "../settings/Settings.ts"
import { type BillItem, BillKind, type EpayColumns, epayItems, type ReadItems, stripeItems } from "./BillItems.ts"
import { billProblem } from "./BillProblem.ts"
import { type BillEncoding, type BillRecord, billRecords } from "./BillText.ts"
import { BillRefused, BillUnstored } from "./FinanceError.ts"

export { BillKind } from "./BillItems.ts"
export { type BillEncoding, billEncodings } from "./BillText.ts"

export const DifferentResult = Schema.Literals(["different_amount", "missing_here", "missing_there"])

/** How a payment, refund or dispute compares. */
export const BillResult = Schema.Literals(["matched", ...DifferentResult.literals])
export type BillResult = typeof BillResult.Type

export const BillDifference = Row({
  result: DifferentResult,
  kind: BillKind,
  id: Schema.String,
  /** Of the file; null where it is missing there. */
  line: Schema.NullOr(Schema.Number),
  /** Null where it is missing. */
  thereMinor: Schema.NullOr(Minor),
  hereMinor: Schema.NullOr(Minor),
  thereCurrency: Schema.NullOr(Schema.String),
  hereCurrency: Schema.NullOr(Schema.String)
}, { thereMinor: "there", hereMinor: "here" })
export interface BillDifference extends Schema.Schema.Type<typeof BillDifference> {}

/** What the file says besides: records that are compared with nothing, and what the provider kept. */
export interface BillCategory {
  readonly category: string
  readonly currency: string
  readonly records: number
  /** Signed, in the minor unit: what the provider kept, and what was left. */
  readonly feeMinor: bigint
  readonly netMinor: bigint
}

export interface BillReport {
  readonly provider: Provider
  readonly records: number
  /** Records that the settings say do not count. */
  readonly leftOut: number
  readonly results: Readonly<Record<BillResult, number>>
  /** In order of kind and id; the first 1,000. */
  readonly differences: ReadonlyArray<BillDifference>
  readonly categories: ReadonlyArray<BillCategory>
  /** The time that the file is about. Null: it says no times, so that nothing can be missing there. */
  readonly from: Date | null
  readonly to: Date | null
}

export interface BillQuestion<E> {
  readonly provider: Provider
  readonly bytes: Stream.Stream<Uint8Array, E>
  /** Undefined: that of the first line that is not ASCII. */
  readonly encoding?: BillEncoding | undefined
  /** Hears how many records are read. */
  readonly onProgress?: ((records: number) => void) | undefined
}

const ReadLine = Row({ line: Schema.Number, kind: Schema.String })

const CountedResult = Row({ result: BillResult, count: Count })

const Span = Row({ since: Schema.NullOr(Schema.Date), until: Schema.NullOr(Schema.Date) })

export class BillCheck extends Context.Service<BillCheck, {
  check<E>(question: BillQuestion<E>): Effect.Effect<BillReport, E | BillRefused | BillUnstored | DatabaseUnavailable>
}>()("realms/finance/BillCheck") {
  static readonly layer = Layer.effect(BillCheck)(Effect.gen(function*() {
    const sql = yield* SqlClient.SqlClient
    const files = yield* FileSystem.FileSystem
    const turns = yield* Semaphore.make(AT_ONCE_MAX)
    const settings = yield* Settings

    const insert = Effect.fnUntraced(function*(items: ReadonlyArray<BillItem>, timeZone: string) {
      const compared = items.filter(({ kind }) => kind !== null)
      if (compared.length === 0) return
      const rows = compared.map(({ amountMinor, at, currency, id, kind, line }) => ({
        kind,
        id,
        line,
        amount: amountMinor.toString(),
        currency,
        at
      }))
      const written = yield* rowsOf(ReadLine, sql.unsafe(insertSql, [JSON.stringify(rows), timeZone]))
      if (written.length === compared.length) return
      const isWritten = new Set(written.map(({ kind, line }) => `${line} ${kind}`))
      const twice = compared.find(({ kind, line }) => !isWritten.has(`${line} ${kind}`))
      return yield* new BillRefused({
        line: twice?.line ?? null,
        column: null,
        problem: billProblem("twice", { kind: twice?.kind ?? "", id: twice?.id ?? "" })
      })
    })

    const read = Effect.fnUntraced(function*<E>({ bytes, encoding, onProgress, provider }: BillQuestion<E>) {
      const { finance: { timeZone }, payment } = yield* settings.fresh
      const readHead = provider === "stripe" ? stripeItems : epayItems(titlesOf(payment.epay.billColumns))
      const reading = new Reading()
      let readItems: ReadItems | undefined
      const itemsOf = Effect.fnUntraced(function*(record: BillRecord) {
        if (readItems === undefined) {
          readItems = yield* Effect.fromResult(readHead(record))
          return []
        }
        const items = yield* Effect.fromResult(readItems(record))
        reading.records++
        if (items.length === 0) reading.leftOut++
        for (const item of items) reading.add(item)
        return reading.categories.size > CATEGORIES_MAX
          ? yield* new BillRefused({
            line: record.line,
            column: null,
            problem: billProblem("categories", { max: String(CATEGORIES_MAX) })
          })
          : items
      })
      yield* sql.unsafe(tableSql)
      yield* billRecords(bytes, encoding).pipe(
        Stream.grouped(BATCH_RECORDS),
        Stream.runForEach((records) =>
          Effect.forEach(records, itemsOf).pipe(
            Effect.flatMap((items) => insert(items.flat(), timeZone)),
            Effect.tap(() => Effect.sync(() => onProgress?.(reading.records)))
          )
        )
      )
      if (readItems === undefined) {
        return yield* new BillRefused({ line: null, column: null, problem: billProblem("empty") })
      }
      return reading
    })

    const compare = Effect.fnUntraced(function*(provider: Provider, reading: Reading) {
      const counts = yield* rowsOf(
        CountedResult,
        sql.unsafe(`SELECT result, count(*) FROM (${compareSql}) c GROUP BY result`, [provider])
      )
      const differences = yield* rowsOf(
        BillDifference,
        sql.unsafe(
          `SELECT * FROM (${compareSql}) c WHERE result <> 'matched' ORDER BY kind, id LIMIT ${LISTED_MAX}`,
          [provider]
        )
      )
      const { since, until } = yield* oneRowOf(
        Span,
        sql`SELECT min(at) AS since, max(at) AS until FROM bill_items`
      )
      const countOf = (result: BillResult) => counts.find((row) => row.result === result)?.count ?? 0
      return {
        provider,
        records: reading.records,
        leftOut: reading.leftOut,
        results: {
          matched: countOf("matched"),
          different_amount: countOf("different_amount"),
          missing_here: countOf("missing_here"),
          missing_there: countOf("missing_there")
        },
        differences,
        categories: [...reading.categories.values()].sort((one, other) => one.category < other.category ? -1 : 1),
        from: since,
        to: until
      } satisfies BillReport
    })

    const unstored = ({ message }: PlatformError.PlatformError) => new BillUnstored({ why: message })

    /** The transaction begins when all of the file is here: it waits for nobody who sends it. */
    const spooled = Effect.fnUntraced(function*<E>(question: BillQuestion<E>) {
      const path = yield* Effect.mapError(files.makeTempFileScoped({ prefix: "realms-bill-" }), unstored)
      yield* Stream.run(question.bytes, Sink.mapError(files.sink(path), unstored))
      const stored: BillQuestion<BillUnstored> = { ...question, bytes: Stream.mapError(files.stream(path), unstored) }
      return stored
    })

    const compared = (question: BillQuestion<BillUnstored>) =>
      orUnavailable(inTransaction(
        sql,
        Effect.gen(function*() {
          yield* sql.unsafe(`SET LOCAL statement_timeout = ${STATEMENT_MS_MAX}`)
          yield* sql.unsafe(`SET LOCAL idle_in_transaction_session_timeout = ${STATEMENT_MS_MAX}`)
          return yield* compare(question.provider, yield* read(question))
        })
      ))

    const check = <E>(
      question: BillQuestion<E>
    ): Effect.Effect<BillReport, E | BillRefused | BillUnstored | DatabaseUnavailable> =>
      turns.withPermits(1)(Effect.scoped(Effect.flatMap(spooled(question), compared)))

    return BillCheck.of({ check })
  }))
}

/** Records written in one statement, and differences listed, at most. */
const BATCH_RECORDS = 1_000
const LISTED_MAX = 1_000

/** Nothing is waited for so long, in ms, by one statement. */
const STATEMENT_MS_MAX = 120_000

const tableSql = `CREATE TEMP TABLE bill_items (
  kind text NOT NULL, id text NOT NULL, line integer NOT NULL, amount bigint NOT NULL, currency text NOT NULL, at timestamptz,
  PRIMARY KEY (kind, id)) ON COMMIT DROP`

const insertSql = `
  INSERT INTO bill_items (kind, id, line, amount, currency, at)
    SELECT i.kind, i.id, i.line, i.amount, i.currency,
        CASE WHEN i.at LIKE '%Z' THEN i.at::timestamptz ELSE i.at::timestamp AT TIME ZONE $2 END
      FROM jsonb_to_recordset($1::jsonb) AS i (kind text, id text, line integer, amount bigint, currency text, at text)
    ON CONFLICT DO NOTHING RETURNING line, kind`

/**
 * What the books have of a provider, by the ids that it gives: a payment that root wrote down as this provider's too. EPay gives
 * refunds no id of their own, so they are those of their payment, and one that failed has not been.
 */
const oursSql = `
  SELECT m.kind, m.id, m.currency, abs(sum(m.amount_minor))::bigint AS amount, min(m.at) AS at FROM (
    SELECT CASE WHEN c.kind IN ('payment_correction', 'manual') THEN 'payment'
          WHEN c.kind = 'refund_returned' AND c.provider = 'epay' THEN 'refund' ELSE c.kind END AS kind,
        CASE WHEN c.kind IN ('refund', 'refund_returned') THEN CASE WHEN c.provider = 'epay' THEN r.payment_reference
            ELSE r.refund_id END
          WHEN c.kind IN ('dispute', 'dispute_returned') THEN d.dispute_id ELSE p.payment_id END AS id,
        c.currency, c.amount_minor, coalesce(c.provider_at, c.booked_at) AS at
      FROM cash_movements c LEFT JOIN payments p ON p.id = c.payment_id LEFT JOIN payment_refunds r ON r.id = c.refund_id
        LEFT JOIN payment_disputes d ON d.id = c.dispute_id
      WHERE c.provider = $1 AND c.kind IN ('payment', 'payment_correction', 'manual', 'refund', 'refund_returned', 'dispute',
        'dispute_returned')
  ) m WHERE m.id IS NOT NULL GROUP BY m.kind, m.id, m.currency HAVING sum(m.amount_minor) <> 0`

const compareSql = `
  WITH span AS (SELECT min(at) AS since, max(at) AS until FROM bill_items),
  ours AS MATERIALIZED (${oursSql})
  SELECT coalesce(b.kind, o.kind) AS kind, coalesce(b.id, o.id) AS id, b.line, b.amount AS there, o.amount AS here,
    b.currency AS there_currency, o.currency AS here_currency,
    CASE WHEN o.id IS NULL THEN 'missing_here' WHEN b.id IS NULL THEN 'missing_there'
      WHEN b.amount = o.amount AND b.currency = o.currency THEN 'matched' ELSE 'different_amount' END AS result
  FROM bill_items b FULL JOIN ours o ON o.kind = b.kind AND o.id = b.id, span s
  WHERE b.id IS NOT NULL OR o.at BETWEEN s.since AND s.until
    -- A refund that failed before it moved anything is in no file.
    AND NOT (o.kind IN ('refund', 'refund_returned') AND EXISTS (SELECT FROM ours r WHERE r.id = o.id AND r.amount = o.amount
        AND r.kind = CASE o.kind WHEN 'refund' THEN 'refund_returned' ELSE 'refund' END)
      AND NOT EXISTS (SELECT FROM bill_items i WHERE i.id = o.id AND i.kind IN ('refund', 'refund_returned')))`

/** What is counted while the file is read. */
class Reading {
  records = 0
  leftOut = 0
  readonly categories = new Map<string, BillCategory>()

  /** Where the file says nothing of fees, what is compared needs no sum besides. */
  add(item: BillItem): void {
    if (item.kind !== null && item.feeMinor === null) return
    const key = `${item.category} ${item.settledIn}`
    const known = this.categories.get(key)
    this.categories.set(key, {
      category: item.category,
      currency: item.settledIn,
      records: (known?.records ?? 0) + 1,
      feeMinor: (known?.feeMinor ?? 0n) + (item.feeMinor ?? 0n),
      netMinor: (known?.netMinor ?? 0n) + (item.netMinor ?? 0n)
    })
  }
}

/** Categories that a file may have, at most: they are kept in memory. */
const CATEGORIES_MAX = 1_000

/** The columns by what they are, as the settings have them. */
const titlesOf = (pairs: ReadonlyArray<string>): EpayColumns =>
  Object.fromEntries(pairs.flatMap((pair) => {
    const column = readEpayColumn(pair)
    return column === undefined ? [] : [column]
  }))

/** Files compared at once, at most: each has a connection of its own meanwhile. */
const AT_ONCE_MAX = 2
