/**
 * What the pages of the books share: the range of days that an address asks for, with the months beside it, the tabs, and tables of
 * amounts.
 */
import { Effect } from "effect"
import { RANGE_DAYS_MAX, type RangeRefused } from "../../../../finance/FinanceError.ts"
import { type DayRange, monthAfter } from "../../../../finance/RangeAsked.ts"
import { Statements } from "../../../../finance/Statements.ts"
import { headedPage } from "../../kit/Forms.tsx"
import { amountColumn, Filter, type ListFilter, TableCard, textColumn } from "../../kit/List.tsx"
import { Notice, Tabs } from "../../kit/Parts.tsx"
import { type PageContext, sayOf } from "../../PageContext.ts"
import { searchText } from "../../Params.ts"

export interface AskedRange {
  readonly range: DayRange
  /** What is wrong with the days of the address: then the range is this month. */
  readonly problem: RangeRefused | undefined
}

/** The days that an address asks for, in the time zone of the books; this month where it names none, or none that there are. */
export const readRange = Effect.fnUntraced(function*({ query }: PageContext) {
  const statements = yield* Statements
  const [month, from, to] = [searchText(query, "month"), searchText(query, "from"), searchText(query, "to")]
  return yield* statements.range({ month, from, to }).pipe(
    Effect.map((range): AskedRange => ({ range, problem: undefined })),
    Effect.catchTag("RangeRefused", (problem) =>
      Effect.map(
        // This month is no range that could be refused.
        Effect.catchTag(statements.range({}), "RangeRefused", Effect.die),
        (range): AskedRange => ({ range, problem })
      ))
  )
})

/** The query of an address for the same days. */
export const rangeQuery = ({ from, to }: DayRange): Record<string, string> => ({ from, to })

/** A page of the books; above it what is wrong with the days that its address asks for. */
export const booksPage = (
  { children, problem, ...headed }: Parameters<typeof headedPage>[0] & { readonly problem: RangeRefused | undefined }
) =>
  headedPage({
    ...headed,
    children: (
      <>
        {problem === undefined ? null : (
          <Notice kind="warning">
            {sayOf(headed.context, "books")(`range.${problem.reason}`, { count: RANGE_DAYS_MAX })}
          </Notice>
        )}
        {children}
      </>
    )
  })

interface RangeFormProps {
  readonly context: PageContext
  readonly path: string
  readonly range: DayRange
  readonly kept?: Readonly<Record<string, string>>
  /** Besides the days. */
  readonly filter?: ReadonlyArray<ListFilter>
}

/** The days that are shown, the months before and after, and a form for others. */
export const RangeForm = ({ filter = [], kept = {}, path, range, context }: RangeFormProps) => {
  const say = sayOf(context, "books")
  const months = [monthAfter(range.from, -1), monthAfter(range.from, 0), monthAfter(range.to, 1)]
  return (
    <>
      <div class="card-body border-bottom">
        <div class="d-flex flex-wrap align-items-center gap-2">
          <strong class="me-auto nowrap">{say("range.shown", { from: range.from, to: range.to })}</strong>
          <div class="btn-list">
            {months.map((month) => (
              <a key={month} class="btn btn-sm" href={`${path}?${new URLSearchParams({ ...kept, month })}`}>{month}</a>
            ))}
          </div>
        </div>
      </div>
      <Filter
        context={context}
        path={path}
        kept={kept}
        filter={[
          { is: "day", name: "from", label: say("from"), value: range.from },
          { is: "day", name: "to", label: say("to"), value: range.to },
          ...filter
        ]}
      />
    </>
  )
}

export type BooksView = "statement" | "days" | "liability"

export const BookTabs = (
  { range, view, context }: { readonly context: PageContext; readonly view: BooksView; readonly range: DayRange }
) => {
  const say = sayOf(context, "books")
  const query = new URLSearchParams(rangeQuery(range))
  const day = new URLSearchParams({ day: range.to })
  return (
    <Tabs
      tabs={[
        { href: `/admin/statements?${query}`, text: say("tab.statement"), isShown: view === "statement" },
        { href: `/admin/statements/days?${query}`, text: say("tab.days"), isShown: view === "days" },
        { href: `/admin/statements/liability?${day}`, text: say("tab.liability"), isShown: view === "liability" }
      ]}
    />
  )
}

/** A line of a statement. `total`: what lines add up to. */
export interface AmountLine {
  readonly label: string
  readonly amount: string
  readonly total?: boolean
}

export const AmountTable = (
  { lines, title, context }: {
    readonly context: PageContext
    readonly title: string
    readonly lines: ReadonlyArray<AmountLine>
  }
) => {
  const say = sayOf(context, "books")
  return (
    <TableCard<AmountLine>
      title={title}
      items={lines}
      columns={[
        textColumn(say("line"), ({ label, total }) => total === true ? <strong>{label}</strong> : label),
        amountColumn(say("amount"), ({ amount, total }) => total === true ? <strong>{amount}</strong> : amount)
      ]}
    />
  )
}

/** Why no statement can be made. */
export const unstated = (context: PageContext, error: { readonly kind: string }) => (
  <Notice kind="danger">{sayOf(context, "books")("unstated", { kind: error.kind })}</Notice>
)
