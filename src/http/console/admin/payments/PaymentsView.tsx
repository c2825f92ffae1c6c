/**
 * Payment events: those that people have to look at, and all of them with a filter.
 */
import { type EventItem, eventOutcomes } from "../../../../events/PaymentEvents.ts"
import type { Page } from "../../Answer.ts"
import {
  amountColumn,
  byId,
  type ItemColumn,
  type Listed,
  type ListFilter,
  listPage,
  timeColumn
} from "../../kit/List.tsx"
import { Tabs } from "../../kit/Parts.tsx"
import { type PageContext, sayOf } from "../../PageContext.ts"
import { dayFilters, daysWarning } from "../FilterDays.ts"
import { factName, minorText, OutcomeBadge, outcomeName, sourceFilter, sourceName } from "./EventParts.tsx"
import type { PaymentsQuery } from "./PaymentsQuery.ts"
import { reasonFor } from "./ReasonText.ts"

const filterOf = (context: PageContext, { days, filter }: PaymentsQuery): ReadonlyArray<ListFilter> => {
  const say = sayOf(context, "payments")
  return [
    { is: "text", name: "q", label: say("search"), value: filter.text },
    sourceFilter(context, say("provider"), filter.provider),
    {
      is: "choice",
      name: "outcome",
      label: say("outcome"),
      value: filter.outcome,
      options: eventOutcomes.map((outcome) => [outcome, outcomeName(context, outcome)])
    },
    ...dayFilters(context, days)
  ]
}

const columnsOf = (context: PageContext): ReadonlyArray<ItemColumn<EventItem>> => {
  const say = sayOf(context, "payments")
  return [
    {
      title: say("event"),
      cell: (event) => (
        <>
          <a href={`/admin/payments/${event.id}`}>#{event.id.toString()} {factName(context, event.fact)}</a>
          <div class="text-secondary small">{sourceName(context, event.provider)}</div>
        </>
      )
    },
    amountColumn(say("amount"), ({ amountMinor, currency }) => minorText(context, amountMinor, currency)),
    {
      title: say("outcome"),
      cell: (event) => (
        <>
          <OutcomeBadge context={context} event={event} />
          <div class="d-none d-md-block text-secondary small break-anywhere">{reasonFor(context, event)}</div>
        </>
      )
    },
    {
      title: say("order"),
      wide: true,
      cell: ({ orderId }) => orderId === null ? "–" : <a href={`/admin/orders/${orderId}`}>#{orderId.toString()}</a>
    },
    timeColumn(context, say("received"), ({ receivedAt }) => receivedAt)
  ]
}

/** `openCount` is how many wait for somebody. */
export const paymentsPage = (
  context: PageContext,
  query: PaymentsQuery,
  events: Listed<EventItem>,
  openCount: number
): Page => {
  const say = sayOf(context, "payments")
  const { days, isAll } = query
  const waiting = openCount === 0 ? undefined : context.formats.count(openCount)
  return listPage({
    context,
    path: "/admin/payments",
    title: say("title"),
    lead: say("lead"),
    warning: isAll ? daysWarning(context, days) : undefined,
    // Those that wait are shown whole.
    ...isAll ? { kept: { view: "all" }, filter: filterOf(context, query) } : {},
    ...events,
    cursor: byId,
    columns: columnsOf(context),
    empty: isAll
      ? { icon: "topup", title: say("none") }
      : { icon: "check", title: say("open.none"), text: say("open.none.text") },
    children: (
      <>
        <Tabs
          tabs={[
            { href: "/admin/payments", text: say("toLookAt"), isShown: !isAll, waiting },
            { href: "/admin/payments?view=all", text: say("tab.all"), isShown: isAll }
          ]}
        />
        {isAll || events.items.length === 0
          ? null
          : <p class="card-body border-bottom text-secondary mb-0">{say("open.hint")}</p>}
      </>
    )
  })
}
