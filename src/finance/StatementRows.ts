/**
 * A statement as rows, one for each amount, for files and for people: amounts are exact decimals of their currency.
 */
import { Record } from "effect"
import { minorText } from "../domain/Currency.ts"
import { formatUsd } from "../domain/Money.ts"
import type { CsvColumns } from "../platform/Csv.ts"
import type { Statement } from "./Statements.ts"

export interface StatementRow {
  readonly statement: "balances" | "debts" | "cash" | "plans"
  /** Empty where the amount belongs to no one provider. */
  readonly provider: string
  readonly currency: string
  readonly line: string
  /** Decimal text, signed. */
  readonly amount: string
}

type Amounts = { readonly [line: string]: bigint }

const rowsOf = (
  of: Pick<StatementRow, "statement" | "provider" | "currency">,
  amounts: Amounts,
  textOf: (amount: bigint) => string
): ReadonlyArray<StatementRow> =>
  Record.toEntries(amounts).map(([line, amount]) => ({
    statement: of.statement,
    provider: of.provider,
    currency: of.currency,
    line,
    amount: textOf(amount)
  }))

export const statementRows = ({ books }: Statement): ReadonlyArray<StatementRow> => [
  ...(["balances", "debts"] as const).flatMap((statement) => {
    const { closing, lines, opening } = books[statement]
    return rowsOf({ statement, provider: "", currency: "usd" }, { opening, ...lines, closing }, formatUsd)
  }),
  ...books.cash.flatMap(({ currency, lines, net, provider, unallocated }) =>
    rowsOf(
      { statement: "cash", provider, currency },
      { ...lines, net, ...unallocated },
      (minor) => minorText(minor, currency)
    )
  ),
  ...books.plans.flatMap(({ currency, lines, unearned }) =>
    rowsOf(
      { statement: "plans", provider: "", currency },
      { ...lines, unearned },
      (minor) => minorText(minor, currency)
    )
  )
]

export const statementColumns: CsvColumns<StatementRow> = [
  ["statement", ({ statement }) => statement],
  ["provider", ({ provider }) => provider],
  ["currency", ({ currency }) => currency],
  ["line", ({ line }) => line],
  ["amount", ({ amount }) => amount]
]
