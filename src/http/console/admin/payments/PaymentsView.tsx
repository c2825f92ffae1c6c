/**
 * Payment events: those that people have to look at, and all of them with a filter.
 */
import { type EventItem, eventOutcomes } from "../../../../events/PaymentEvents.ts"
import { FilterChoice, FilterDay, FilterText } from "../../ui/FilterParts.tsx"
import { Notice } from "../../ui/Forms.tsx"
import { Pager } from "../../ui/Pager.tsx"
import { Card, DataTable, Moment, Nothing, PageHeading } from "../../ui/Parts.tsx"
import { sayOf, type Visit } from "../../Visit.ts"
import { sources } from "../orders/OrdersQuery.ts"
import { factName, minorText, OutcomeBadge, outcomeName, sourceName } from "./EventParts.tsx"
import { reasonFor } from "./ReasonText.ts"
import { paymentsPath, type PaymentsQuery } from "./PaymentsQuery.ts"
import { paymentsText } from "./PaymentsText.ts"

interface ListProps {
  readonly visit: Visit
  readonly query: PaymentsQuery
  readonly events: ReadonlyArray<EventItem>
  readonly hasOlder: boolean
  /** How many wait for somebody. */
  readonly openCount: number
}

const Tabs = ({ openCount, query: { isAll }, visit }: ListProps) => {
  const say = sayOf(visit, paymentsText)
  const link = (active: boolean) => ({
    class: `nav-link ${active ? "active" : ""}`,
    "aria-current": active ? "page" as const : undefined
  })
  return (
    <div class="card-header">
      <ul class="nav nav-tabs card-header-tabs">
        <li class="nav-item">
          <a href="/admin/payments" {...link(!isAll)}>
            {say("tab.open")}
            {openCount === 0 ? null : <span class="badge bg-red-lt ms-2">{visit.formats.count(openCount)}</span>}
          </a>
        </li>
        <li class="nav-item">
          <a href="/admin/payments?view=all" {...link(isAll)}>{say("tab.all")}</a>
        </li>
      </ul>
    </div>
  )
}

const Filter = ({ query: { days, filter, isFiltered }, visit }: ListProps) => {
  const say = sayOf(visit, paymentsText)
  return (
    <form method="get" action="/admin/payments" class="card-body border-bottom row g-2 align-items-end m-0">
      <input type="hidden" name="view" value="all" />
      <FilterText name="q" label={say("search")} value={filter.text ?? ""} />
      <FilterChoice
        name="provider"
        label={say("provider")}
        all={say("all")}
        chosen={filter.provider}
        options={sources.map((source) => [source, sourceName(visit, source)])}
      />
      <FilterChoice
        name="outcome"
        label={say("outcome")}
        all={say("all")}
        chosen={filter.outcome}
        options={eventOutcomes.map((outcome) => [outcome, outcomeName(visit, outcome)])}
      />
      <FilterDay name="from" label={say("from")} value={days.from} />
      <FilterDay name="to" label={say("to")} value={days.to} />
      <div class="col-12 col-lg-auto btn-list">
        <button class="btn" type="submit">{say("filter")}</button>
        {isFiltered ? <a class="btn btn-ghost-secondary" href="/admin/payments?view=all">{say("clear")}</a> : null}
      </div>
    </form>
  )
}

const Table = ({ events, visit }: ListProps) => {
  const say = sayOf(visit, paymentsText)
  return (
    <DataTable
      caption={say("title")}
      columns={[
        { title: say("event") },
        { title: say("amount"), number: true },
        { title: say("outcome") },
        { title: say("order"), wide: true },
        { title: say("received"), wide: true }
      ]}
      rows={events.map((event) => [
        <>
          <a href={`/admin/payments/${event.id}`}>#{event.id.toString()} {factName(visit, event.fact)}</a>
          <div class="text-secondary small">{sourceName(visit, event.provider)}</div>
        </>,
        <span class="nowrap">{minorText(visit, event.amountMinor, event.currency)}</span>,
        <>
          <OutcomeBadge visit={visit} event={event} />
          {reasonFor(visit, event) === ""
            ? null
            : <div class="d-none d-md-block text-secondary small break-anywhere">{reasonFor(visit, event)}</div>}
        </>,
        event.orderId === null ? "–" : <a href={`/admin/orders/${event.orderId}`}>#{event.orderId.toString()}</a>,
        <span class="nowrap">
          <Moment visit={visit} at={event.receivedAt} />
        </span>
      ])}
    />
  )
}

const Empty = ({ query: { isAll }, visit }: ListProps) => {
  const say = sayOf(visit, paymentsText)
  return isAll
    ? <Nothing icon="topup" title={say("none")} />
    : <Nothing icon="check" title={say("open.none")} text={say("open.none.text")} />
}

export const PaymentsView = (props: ListProps) => {
  const { events, hasOlder, query, visit } = props
  const say = sayOf(visit, paymentsText)
  const last = events.at(-1)
  return (
    <>
      <PageHeading title={say("title")} lead={say("lead")} />
      {query.isAll && query.days.isRefused ? <Notice kind="warning">{say("days.problem")}</Notice> : null}
      <Card>
        <Tabs {...props} />
        {query.isAll
          ? <Filter {...props} />
          : events.length === 0
          ? null
          : <p class="card-body border-bottom text-secondary mb-0">{say("open.hint")}</p>}
        {events.length === 0 ? <Empty {...props} /> : <Table {...props} />}
        <Pager
          newest={visit.query.has("before") ? { href: paymentsPath(query), text: say("newest") } : undefined}
          older={hasOlder && last !== undefined
            ? { href: paymentsPath(query, { before: last.id.toString() }), text: say("older") }
            : undefined}
        />
      </Card>
    </>
  )
}
