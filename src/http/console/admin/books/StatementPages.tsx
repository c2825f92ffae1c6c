/**
 * `/admin/statements`: what users have, owe and have paid in a range of days, line by line, as a page and as a file; and the closed days
 * of the range.
 */
import { Effect, Record, Stream } from "effect"
import type { ClosedDay } from "../../../../finance/StatementDays.ts"
import type {
  BalanceLine,
  Books,
  CashAccount,
  CashLine,
  DebtLine,
  PlanAccount,
  PlanLine,
  UnallocatedLine
} from "../../../../finance/StatementLines.ts"
import { statementColumns, statementRows } from "../../../../finance/StatementRows.ts"
import { type Statement, Statements } from "../../../../finance/Statements.ts"
import { redirect } from "../../Answer.ts"
import { adminPage, routes } from "../../ConsoleRoute.ts"
import { csvAnswer } from "../../Csv.ts"
import { amountColumn, ItemTable, textColumn, timeColumn } from "../../kit/List.tsx"
import { AdminLink, Badge, Card, Figures, Grid, Nothing, Notice, Usd } from "../../kit/Parts.tsx"
import { type PageContext, sayOf, type UserContext } from "../../PageContext.ts"
import type { TextKey } from "../../text/Texts.ts"
import { minorText, sourceName, sources } from "../payments/EventParts.tsx"
import { oneOf } from "../../Params.ts"
import { AmountTable, booksPage, BookTabs, RangeForm, rangeQuery, readRange, unstated } from "./BookParts.tsx"

type Labels<Line extends string> = Readonly<Record<Line, TextKey<"books">>>

const balanceLabels: Labels<BalanceLine> = {
  top_ups: "line.top_ups",
  credits: "line.credits",
  codes: "line.codes",
  adjustments: "line.adjustments",
  clawbacks: "line.clawbacks",
  clawbacks_returned: "line.clawbacks_returned",
  collected_debts: "line.collected_debts",
  calls: "line.calls"
}

const debtLabels: Labels<DebtLine> = {
  calls: "debt.calls",
  clawbacks: "debt.clawbacks",
  collected: "debt.collected",
  waived: "debt.waived"
}

const cashLabels: Labels<CashLine | UnallocatedLine> = {
  payments: "cash.payments",
  corrections: "cash.corrections",
  manual: "cash.manual",
  refunds: "cash.refunds",
  refunds_returned: "cash.refunds_returned",
  disputes: "cash.disputes",
  disputes_returned: "cash.disputes_returned",
  in_review: "cash.in_review",
  dismissed: "cash.dismissed"
}

const planLabels: Labels<PlanLine> = { sold: "plans.sold", returned: "plans.returned" }

const linesOf = <Line extends string>(
  context: PageContext,
  labels: Labels<NoInfer<Line>>,
  lines: Readonly<Record<Line, bigint>>,
  write: (amount: bigint) => string
) => {
  const say = sayOf(context, "books")
  return Record.toEntries<Line, bigint>(lines).map(([line, amount]) => ({
    label: say(labels[line]),
    amount: write(amount)
  }))
}

interface Balance<Line extends string> {
  readonly opening: bigint
  readonly lines: Readonly<Record<Line, bigint>>
  readonly closing: bigint
}

const balanceLines = <Line extends string>(context: PageContext, labels: Labels<Line>, account: Balance<Line>) => {
  const say = sayOf(context, "books")
  const { usd } = context.formats
  return [
    { label: say("opening"), amount: usd(account.opening), total: true },
    ...linesOf(context, labels, account.lines, usd),
    { label: say("closing"), amount: usd(account.closing), total: true }
  ]
}

/** A provider by its name; one that this server does not know is called as it is. */
export const providerName = (context: PageContext, provider: string): string => {
  const known = oneOf(sources, provider)
  return known === undefined ? provider : sourceName(context, known)
}

const CashTable = ({ account, context }: { readonly context: PageContext; readonly account: CashAccount }) => {
  const say = sayOf(context, "books")
  const { currency, lines, net, provider, unallocated } = account
  const write = (amount: bigint) => minorText(context, amount, currency)
  return (
    <AmountTable
      context={context}
      title={say("cash.of", { provider: providerName(context, provider), currency: currency.toUpperCase() })}
      lines={[
        ...linesOf(context, cashLabels, lines, write),
        { label: say("cash.net"), amount: write(net), total: true },
        ...linesOf(context, cashLabels, unallocated, write)
      ]}
    />
  )
}

const PlanTable = ({ account, context }: { readonly context: PageContext; readonly account: PlanAccount }) => {
  const say = sayOf(context, "books")
  const write = (amount: bigint) => minorText(context, amount, account.currency)
  return (
    <AmountTable
      context={context}
      title={say("plans.of", { currency: account.currency.toUpperCase() })}
      lines={[
        ...linesOf(context, planLabels, account.lines, write),
        { label: say("plans.unearned"), amount: write(account.unearned), total: true }
      ]}
    />
  )
}

const HALF = "col-12 col-lg-6"

const StatementBody = ({ statement, context }: { readonly context: PageContext; readonly statement: Statement }) => {
  const say = sayOf(context, "books")
  const { books: { balances, cash, debts, plans }, now } = statement
  return (
    <>
      {now === null ? null : (
        <Figures
          figures={[
            { label: say("now.spendable"), value: <Usd context={context} micros={now.usdMicros} /> },
            { label: say("now.held"), value: <Usd context={context} micros={now.heldMicros} /> },
            { label: say("now.owed"), value: <Usd context={context} micros={now.owedMicros} /> }
          ]}
        />
      )}
      <Grid
        cells={[
          [
            HALF,
            <AmountTable
              context={context}
              title={say("balances")}
              lines={balanceLines(context, balanceLabels, balances)}
            />
          ],
          [
            HALF,
            <AmountTable context={context} title={say("debts")} lines={balanceLines(context, debtLabels, debts)} />
          ],
          ...cash.map((account) => [HALF, <CashTable context={context} account={account} />] as const),
          ...plans.map((account) => [HALF, <PlanTable context={context} account={account} />] as const)
        ]}
      />
    </>
  )
}

/** Whether it can still change, and why no day of it is closed. */
const Closing = ({ statement, context }: { readonly context: UserContext; readonly statement: Statement }) => {
  const say = sayOf(context, "books")
  const { closedDays, isClosed } = statement
  if (isClosed) return <Badge tone="green">{say("closed")}</Badge>
  return <Badge tone="yellow">{closedDays === 0 ? say("open") : say("open.days", { count: closedDays })}</Badge>
}

const pathOf = "/admin/statements"

const show = Effect.fnUntraced(function*(context: UserContext) {
  const say = sayOf(context, "books")
  const { problem, range } = yield* readRange(context)
  const made = yield* (yield* Statements).statement(range).pipe(
    Effect.map((statement) => ({ statement, error: undefined })),
    Effect.catchTag("UnknownKind", (error) => Effect.succeed({ statement: undefined, error }))
  )
  const { statement } = made
  return booksPage({
    context,
    problem,
    title: say("title"),
    lead: statement === undefined ? undefined : (
      <>
        {say("lead", { zone: statement.timeZone })} <Closing context={context} statement={statement} />
      </>
    ),
    actions: (
      <a class="btn" href={`${pathOf}/statement.csv?${new URLSearchParams(rangeQuery(range))}`} download>
        {say("csv")}
      </a>
    ),
    children: (
      <>
        <Card class="mb-3">
          <BookTabs context={context} view="statement" range={range} />
          <RangeForm context={context} path={pathOf} range={range} />
        </Card>
        {statement === undefined ? unstated(context, made.error) : (
          <>
            {statement.closedDays > 0 || statement.isClosed ? null : (
              <Notice kind="info">
                {say("open.why")}{" "}
                <AdminLink context={context} class="text-decoration-underline" href="/admin/settings/finance">
                  {context.say("admin.settings")}
                </AdminLink>
              </Notice>
            )}
            <StatementBody context={context} statement={statement} />
          </>
        )}
      </>
    )
  })
})

const file = Effect.fnUntraced(function*(context: UserContext) {
  const { problem, range } = yield* readRange(context)
  // The page says what is wrong with the days, and why there is no statement.
  const there = redirect(`${pathOf}?${context.query}`)
  if (problem !== undefined) return there
  return yield* (yield* Statements).statement(range).pipe(
    Effect.map((statement) =>
      csvAnswer(
        `statement-${range.from}-${range.to}.csv`,
        statementColumns,
        Stream.fromIterable(statementRows(statement))
      )
    ),
    Effect.catchTag("UnknownKind", () => Effect.succeed(there))
  )
})

const netText = (context: PageContext, { cash }: Books): string =>
  cash.filter(({ net }) => net !== 0n)
    .map(({ currency, net, provider }) => `${providerName(context, provider)} ${minorText(context, net, currency)}`)
    .join(", ") || "–"

const DaysTable = ({ days, context }: { readonly context: PageContext; readonly days: ReadonlyArray<ClosedDay> }) => {
  const say = sayOf(context, "books")
  const { usd } = context.formats
  return (
    <ItemTable<ClosedDay>
      caption={say("tab.days")}
      items={days}
      columns={[
        {
          title: say("day"),
          cell: ({ day }) => (
            <a class="nowrap" href={`${pathOf}?${new URLSearchParams({ from: day, to: day })}`}>{day}</a>
          )
        },
        amountColumn(say("balances"), ({ books }) => usd(books.balances.closing)),
        amountColumn(say("debts"), ({ books }) => usd(books.debts.closing)),
        textColumn(say("cash.net"), ({ books }) => netText(context, books)),
        timeColumn(context, say("closedAt"), ({ closedAt }) => closedAt)
      ]}
    />
  )
}

const showDays = Effect.fnUntraced(function*(context: UserContext) {
  const say = sayOf(context, "books")
  const { problem, range } = yield* readRange(context)
  const days = yield* (yield* Statements).days(range)
  return booksPage({
    context,
    problem,
    title: say("tab.days"),
    lead: say("days.lead"),
    children: (
      <>
        <Card>
          <BookTabs context={context} view="days" range={range} />
          <RangeForm context={context} path={`${pathOf}/days`} range={range} />
          {days.length === 0
            ? <Nothing icon="clock" title={say("days.none")} text={say("open.why")} />
            : <DaysTable context={context} days={days} />}
        </Card>
      </>
    )
  })
})

export const StatementsRoutes = routes(
  adminPage("/admin/statements", show),
  adminPage("/admin/statements/days", showDays),
  adminPage("/admin/statements/statement.csv", file)
)
