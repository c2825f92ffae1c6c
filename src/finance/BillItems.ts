/**
 * What a provider's file says, record by record: which payment, refund or dispute, how much in its own currency, and what of fees and
 * payouts it tells. Stripe's is the itemized report of balance changes; an EPay gateway's has the columns that the settings name.
 *
 * @internal
 */
import { DateTime, Option, Record, Result, Schema } from "effect"
import { currencyDecimals } from "../domain/Currency.ts"
import type { EpayColumn } from "../domain/EpayBill.ts"
import { parseDecimal } from "../domain/Money.ts"
import { billProblem, type BillProblemCode } from "./BillProblem.ts"
import type { BillRecord } from "./BillText.ts"
import { BillRefused } from "./FinanceError.ts"

/** What is compared, by the ids that the provider gives. */
export const BillKind = Schema.Literals(["payment", "refund", "refund_returned", "dispute", "dispute_returned"])
export type BillKind = typeof BillKind.Type

export interface BillItem {
  readonly line: number
  /** Null: it is compared with nothing, and summed by its category. */
  readonly kind: BillKind | null
  readonly id: string
  /** In the minor unit, never negative: the kind says which way it goes. */
  readonly amountMinor: bigint
  readonly currency: string
  /** Local time of the file, where it says it. */
  readonly at: string | null
  /** The provider's own word, such as `fee` or `payout`. */
  readonly category: string
  /** What the provider keeps, and what is left, signed, in the currency in which it settles; null: the file does not say. */
  readonly feeMinor: bigint | null
  readonly netMinor: bigint | null
  readonly settledIn: string
}

/** Reads a record after the head. Nothing: the record is left out, and counted. */
export type ReadItems = (record: BillRecord) => Result.Result<ReadonlyArray<BillItem>, BillRefused>

const refused = (
  line: number,
  column: number | null,
  code: BillProblemCode,
  values?: Readonly<Record<string, string>>
) => Result.fail(new BillRefused({ line, column, problem: billProblem(code, values) }))

/** Of a head, in characters: what is shown of one that lacks a column. */
const TITLES_CHARACTERS_MAX = 1_000

/** Where the columns are, by their names in the head. */
const columnsOf = <Name extends string>(
  head: BillRecord,
  names: Readonly<Record<Name, string>>
): Result.Result<Readonly<Record<Name, number>>, BillRefused> => {
  for (const title of Record.values<Name, string>(names)) {
    const at = head.fields.indexOf(title)
    if (at < 0) {
      const titles = head.fields.join(", ").slice(0, TITLES_CHARACTERS_MAX).toWellFormed()
      return refused(head.line, null, "no_column", { title, titles })
    }
    if (head.fields.includes(title, at + 1)) return refused(head.line, at + 1, "two_columns", { title })
  }
  return Result.succeed(Record.map(names, (title: string) => head.fields.indexOf(title)))
}

const amountOf = (
  record: BillRecord,
  at: number,
  currency: string
): Result.Result<bigint, BillRefused> => {
  const text = (record.fields[at] ?? "").replaceAll(",", "").replace(/^[¥￥]/, "")
  const amount = parseDecimal(text, currencyDecimals(currency))
  return amount === undefined
    ? refused(record.line, at + 1, "not_amount", { currency: currency.toUpperCase() })
    : Result.succeed(amount)
}

const absolute = (amount: bigint): bigint => amount < 0n ? -amount : amount

/** Stripe's reporting categories that are compared. What is in none of these is summed by its name. */
const stripeKinds: ReadonlyMap<string, BillKind> = new Map<string, BillKind>([
  ["charge", "payment"],
  ["refund", "refund"],
  ["refund_failure", "refund_returned"],
  ["dispute", "dispute"],
  ["dispute_reversal", "dispute_returned"]
])

const stripeColumns = {
  source: "source_id",
  payment: "payment_intent_id",
  category: "reporting_category",
  currency: "currency",
  gross: "gross",
  fee: "fee",
  net: "net",
  facingAmount: "customer_facing_amount",
  facingCurrency: "customer_facing_currency"
} as const

/** Printable ASCII: no id of a provider has anything else. */
const idPattern = /^[\x21-\x7e]{1,255}$/

const currencyPattern = /^[A-Za-z]{3}$/
const timePattern = /^(\d{4}-\d{2}-\d{2})[ T]\d{2}:\d{2}(?::\d{2})?$/

/** Whether a text is a time of a day that there is. */
const isTime = (text: string): boolean => {
  const day = timePattern.exec(text)?.[1]
  const at = day === undefined ? Option.none() : DateTime.make(`${text.replace(" ", "T")}Z`)
  return Option.isSome(at) && !text.startsWith("0000") && DateTime.formatIsoDateUtc(at.value) === day
}

/** Of Stripe's report "Balance change from activity", itemized. */
export const stripeItems = (head: BillRecord): Result.Result<ReadItems, BillRefused> =>
  Result.map(columnsOf(head, stripeColumns), (at) => {
    const created = head.fields.indexOf("created_utc")
    return (record): Result.Result<ReadonlyArray<BillItem>, BillRefused> =>
      Result.gen(function*() {
        const field = (place: number) => record.fields[place] ?? ""
        const settledIn = field(at.currency).toLowerCase()
        if (!currencyPattern.test(settledIn)) return yield* refused(record.line, at.currency + 1, "not_currency")
        const category = field(at.category)
        const kind = stripeKinds.get(category) ?? null
        // What the customer saw; the balance's own amount where the report has none.
        const isFacing = field(at.facingAmount) !== ""
        const currency = (isFacing ? field(at.facingCurrency) : settledIn).toLowerCase()
        if (!currencyPattern.test(currency)) return yield* refused(record.line, at.facingCurrency + 1, "not_currency")
        const amount = yield* amountOf(record, isFacing ? at.facingAmount : at.gross, currency)
        const id = kind === "payment" && field(at.payment) !== "" ? field(at.payment) : field(at.source)
        if (kind !== null && !idPattern.test(id)) return yield* refused(record.line, at.source + 1, "not_id")
        const time = created < 0 ? "" : field(created)
        if (time !== "" && !isTime(time)) return yield* refused(record.line, created + 1, "not_time")
        return [{
          line: record.line,
          kind,
          id,
          amountMinor: absolute(amount),
          currency,
          at: time === "" ? null : `${time}Z`,
          category,
          feeMinor: yield* amountOf(record, at.fee, settledIn),
          netMinor: yield* amountOf(record, at.net, settledIn),
          settledIn
        }]
      })
  })

/** What an EPay gateway calls its columns: `trade_no` and `money` have to be there. */
export type EpayColumns = Readonly<Partial<Record<EpayColumn, string>>>

/** `state=Status:Paid` has only the records count whose column `Status` says `Paid`. */
const stateOf = (text: string): readonly [title: string, paid: string] => {
  const at = text.lastIndexOf(":")
  return [text.slice(0, at), text.slice(at + 1)]
}

/** Of an EPay gateway's list of trades, in CNY. `refund`: what went back of each trade; without it, negative trades are refunds. */
export const epayItems = (titles: EpayColumns) => (head: BillRecord): Result.Result<ReadItems, BillRefused> =>
  Result.gen(function*() {
    const { fee, money = "money", refund, state, time, trade_no: trade = "trade_no" } = titles
    const at = yield* columnsOf(head, { trade, money })
    const optional = (title: string | undefined) =>
      title === undefined
        ? Result.succeed(undefined)
        : Result.map(columnsOf(head, { title }), (found) => found.title)
    const feeAt = yield* optional(fee)
    const refundAt = yield* optional(refund)
    const timeAt = yield* optional(time)
    const [stateTitle, paid] = state === undefined ? [undefined, ""] : stateOf(state)
    const stateAt = yield* optional(stateTitle)
    return (record): Result.Result<ReadonlyArray<BillItem>, BillRefused> =>
      Result.gen(function*() {
        const field = (place: number) => record.fields[place] ?? ""
        if (stateAt !== undefined && field(stateAt) !== paid) return []
        const given = (place: number | undefined) =>
          place === undefined || field(place) === "" ? Result.succeed(undefined) : amountOf(record, place, "cny")
        const amount = yield* amountOf(record, at.money, "cny")
        // Spreadsheets write long numbers with something before them that keeps them as text.
        const id = field(at.trade).replace(/^['`=\t]+/, "").replaceAll('"', "")
        if (!idPattern.test(id)) return yield* refused(record.line, at.trade + 1, "not_id")
        const when = timeAt === undefined ? "" : field(timeAt).replaceAll("/", "-")
        if (when !== "" && !isTime(when)) return yield* refused(record.line, (timeAt ?? 0) + 1, "not_time")
        const kept = yield* given(feeAt)
        const back = yield* given(refundAt)
        const item = (kind: "payment" | "refund", minor: bigint): BillItem => ({
          line: record.line,
          kind,
          id,
          amountMinor: absolute(minor),
          currency: "cny",
          at: when === "" ? null : when,
          category: kind,
          feeMinor: kind === "payment" ? kept ?? null : null,
          netMinor: kind === "payment" && kept !== undefined ? amount - kept : null,
          settledIn: "cny"
        })
        if (amount < 0n) return [item("refund", amount)]
        return [item("payment", amount), ...(back === undefined || back === 0n ? [] : [item("refund", back)])]
      })
  })
