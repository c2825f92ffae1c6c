/**
 * The lines of the statements, and how they add up: balances and debts in USD micros, cash for each provider and currency and plans
 * for each currency in its minor unit. Amounts are signed. A total is what it was at the beginning and every line. Pure.
 */
import { Record, Schema } from "effect"
import { type LedgerKind, ledgerKinds, type LedgerLine } from "../accounts/LedgerKinds.ts"

/** The lines, each with nothing in it. Of what users have, in micros: holds of open calls count as theirs. */
export const balanceLines = {
  top_ups: 0n,
  credits: 0n,
  codes: 0n,
  adjustments: 0n,
  clawbacks: 0n,
  clawbacks_returned: 0n,
  collected_debts: 0n,
  calls: 0n
}
export type BalanceLine = keyof typeof balanceLines

/** Of what users owe, in micros: calls and clawbacks that could not be collected, less what was collected or waived since. */
export const debtLines = { calls: 0n, clawbacks: 0n, collected: 0n, waived: 0n }
export type DebtLine = keyof typeof debtLines

/** Of what came in and went out, in the minor unit. */
export const cashLines = {
  payments: 0n,
  corrections: 0n,
  manual: 0n,
  refunds: 0n,
  refunds_returned: 0n,
  disputes: 0n,
  disputes_returned: 0n
}
export type CashLine = keyof typeof cashLines

/** Of what was received, how much is allocated to nothing: still in review, or dismissed. */
export const unallocatedLines = { in_review: 0n, dismissed: 0n }
export type UnallocatedLine = keyof typeof unallocatedLines

export const planLines = { sold: 0n, returned: 0n }
export type PlanLine = keyof typeof planLines

/** A whole number of the unit: a bigint here, decimal text in JSON. */
const Amount = Schema.BigIntFromString.annotate({
  description: "A whole number as decimal text: micros of a USD, or the currency's minor unit."
})

const linesOf = <Line extends string>(lines: Lines<Line>) => Schema.Struct(Record.map(lines, () => Amount))

export type Lines<Line extends string> = Readonly<Record<Line, bigint>>

/** A total at the beginning, what changed it, and at the end. */
const accountOf = <Line extends string>(lines: Lines<Line>) =>
  Schema.Struct({ opening: Amount, lines: linesOf(lines), closing: Amount })

const CashAccount = Schema.Struct({
  provider: Schema.String,
  currency: Schema.String,
  lines: linesOf(cashLines),
  /** The sum of the lines. */
  net: Amount,
  /** As it was at the end. */
  unallocated: linesOf(unallocatedLines)
})
export type CashAccount = typeof CashAccount.Type

const PlanAccount = Schema.Struct({
  currency: Schema.String,
  lines: linesOf(planLines),
  /** What plans have been paid with for time that had not passed at the end. */
  unearned: Amount
})
export type PlanAccount = typeof PlanAccount.Type

/** What one stretch of time adds up to. Cash by provider and currency, plans by currency. */
export const Books = Schema.Struct({
  balances: accountOf(balanceLines),
  debts: accountOf(debtLines),
  cash: Schema.Array(CashAccount),
  plans: Schema.Array(PlanAccount)
}).annotate({ identifier: "Books", description: "Lines are signed: a total is its opening and the sum of its lines." })
export type Books = typeof Books.Type

/** As JSON: amounts are decimal texts. */
export const encodeBooks = Schema.encodeSync(Books)

interface Account<Line extends string> {
  readonly opening: bigint
  readonly lines: Lines<Line>
  readonly closing: bigint
}

/** Which line, or which total, each kind of cash movement is in. */
const cashKinds = {
  payment: { cash: "payments" },
  payment_correction: { cash: "corrections" },
  manual: { cash: "manual" },
  refund: { cash: "refunds" },
  refund_returned: { cash: "refunds_returned" },
  dispute: { cash: "disputes" },
  dispute_returned: { cash: "disputes_returned" },
  in_review: { unallocated: "in_review" },
  dismissed: { unallocated: "dismissed" },
  plan_sold: { plan: "sold" },
  plan_returned: { plan: "returned" }
} as const satisfies Readonly<
  Record<string, { readonly cash: CashLine } | { readonly unallocated: UnallocatedLine } | { readonly plan: PlanLine }>
>
export type CashKind = keyof typeof cashKinds

export const isCashKind = (text: string): text is CashKind => Object.hasOwn(cashKinds, text)

/** What the rows of one stretch of time sum to. */
export interface Movements {
  readonly ledger: ReadonlyArray<{
    readonly kind: LedgerKind
    readonly amountMicros: bigint
    /** What became owed, or less where it was waived. */
    readonly owedMicros: bigint
  }>
  /** `chargedMicros`: to balances. `shortMicros`: what could not be collected from balances and plans. */
  readonly calls: { readonly chargedMicros: bigint; readonly shortMicros: bigint }
  readonly cash: ReadonlyArray<{
    readonly kind: CashKind
    readonly provider: string
    readonly currency: string
    readonly amountMinor: bigint
  }>
}

export const noMovements: Movements = { ledger: [], calls: { chargedMicros: 0n, shortMicros: 0n }, cash: [] }

/** In the minor unit, by currency, at the end of the stretch. */
export type Unearned = ReadonlyMap<string, bigint>

const plus = <Line extends string>(one: Lines<Line>, other: Lines<Line>): Lines<Line> =>
  Record.map(one, (amount, line) => amount + other[line])

const sumOf = <Line extends string>(lines: Lines<Line>): bigint =>
  Record.values(lines).reduce((sum, amount) => sum + amount, 0n)

const isBalanceLine = (line: LedgerLine): line is Exclude<LedgerLine, "waived_debts"> => line !== "waived_debts"

const adding = <Line extends string>(lines: { [line in Line]: bigint }, line: Line, amount: bigint): void => {
  lines[line] += amount
}

const balancesOf = (opening: bigint, { calls, ledger }: Movements): Account<BalanceLine> => {
  const lines = { ...balanceLines }
  for (const { amountMicros, kind } of ledger) {
    const { line } = ledgerKinds[kind]
    // A waiver moves no balance.
    if (isBalanceLine(line)) adding(lines, line, amountMicros)
  }
  adding(lines, "calls", -calls.chargedMicros)
  return { opening, lines, closing: opening + sumOf(lines) }
}

const debtsOf = (opening: bigint, { calls, ledger }: Movements): Account<DebtLine> => {
  const lines = { ...debtLines }
  for (const { amountMicros, kind, owedMicros } of ledger) {
    if (kind === "recovery") adding(lines, "collected", amountMicros)
    adding(lines, kind === "waiver" ? "waived" : "clawbacks", owedMicros)
  }
  adding(lines, "calls", calls.shortMicros)
  return { opening, lines, closing: opening + sumOf(lines) }
}

const cashKey = ({ currency, provider }: { readonly currency: string; readonly provider: string }): string =>
  `${provider} ${currency}`

const byKey = <A>(keyOf: (one: A) => string) => (one: A, other: A): number => keyOf(one) < keyOf(other) ? -1 : 1

const cashOf = (before: ReadonlyArray<CashAccount>, { cash }: Movements): ReadonlyArray<CashAccount> => {
  const accounts = new Map(before.map((account) => [cashKey(account), {
    ...account,
    net: 0n,
    lines: { ...cashLines },
    unallocated: { ...account.unallocated }
  }]))
  for (const movement of cash) {
    const { amountMinor, currency, kind, provider } = movement
    const at: typeof cashKinds[CashKind] = cashKinds[kind]
    if ("plan" in at) continue
    const account = accounts.get(cashKey(movement)) ?? {
      provider,
      currency,
      net: 0n,
      lines: { ...cashLines },
      unallocated: { ...unallocatedLines }
    }
    accounts.set(cashKey(movement), account)
    if ("cash" in at) {
      adding(account.lines, at.cash, amountMinor)
      account.net += amountMinor
    } else adding(account.unallocated, at.unallocated, amountMinor)
  }
  return [...accounts.values()].sort(byKey(cashKey))
}

const plansOf = (
  before: ReadonlyArray<PlanAccount>,
  { cash }: Movements,
  unearned: Unearned
): ReadonlyArray<PlanAccount> => {
  const accounts = new Map<string, { [line in PlanLine]: bigint }>()
  const ofCurrency = (currency: string) => {
    const lines = accounts.get(currency) ?? { ...planLines }
    accounts.set(currency, lines)
    return lines
  }
  for (const { currency } of before) ofCurrency(currency)
  for (const currency of unearned.keys()) ofCurrency(currency)
  for (const { amountMinor, currency, kind } of cash) {
    const at: typeof cashKinds[CashKind] = cashKinds[kind]
    if ("plan" in at) adding(ofCurrency(currency), at.plan, amountMinor)
  }
  return [...accounts]
    .map(([currency, lines]) => ({ currency, lines, unearned: unearned.get(currency) ?? 0n }))
    .sort(byKey(({ currency }) => currency))
}

/** Before anything was booked. */
export const noBooks: Books = {
  balances: { opening: 0n, lines: balanceLines, closing: 0n },
  debts: { opening: 0n, lines: debtLines, closing: 0n },
  cash: [],
  plans: []
}

/** The books of the stretch that follows on `before`. */
export const booksAfter = (before: Books, movements: Movements, unearned: Unearned): Books => ({
  balances: balancesOf(before.balances.closing, movements),
  debts: debtsOf(before.debts.closing, movements),
  cash: cashOf(before.cash, movements),
  plans: plansOf(before.plans, movements, unearned)
})

/** The same total with no line: what a stretch begins with. */
const standing = (books: Books): Books =>
  booksAfter(books, noMovements, new Map(books.plans.map(({ currency, unearned }) => [currency, unearned])))

const joined = <Line extends string>(one: Account<Line>, next: Account<Line>): Account<Line> => ({
  opening: one.opening,
  lines: plus(one.lines, next.lines),
  closing: next.closing
})

/** Two stretches as one, of which the second follows on the first. */
export const joinBooks = (one: Books, next: Books): Books => {
  const linesBefore = new Map(one.cash.map((account) => [cashKey(account), account.lines]))
  const plansBefore = new Map(one.plans.map(({ currency, lines }) => [currency, lines]))
  return {
    balances: joined(one.balances, next.balances),
    debts: joined(one.debts, next.debts),
    // What one stretch has an account of, the next has too.
    cash: next.cash.map((account) => {
      const lines = plus(account.lines, linesBefore.get(cashKey(account)) ?? cashLines)
      return { ...account, lines, net: sumOf(lines) }
    }),
    plans: next.plans.map((account) => ({
      ...account,
      lines: plus(account.lines, plansBefore.get(account.currency) ?? planLines)
    }))
  }
}

/** Stretches as one, from what there was before them. */
export const joinAll = (before: Books, stretches: ReadonlyArray<Books>): Books =>
  stretches.reduce(joinBooks, standing(before))
