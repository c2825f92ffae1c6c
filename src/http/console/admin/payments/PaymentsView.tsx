/**
 * Payment events: those that people have to look at, and all of them with a filter.
 */
import { type EventItem, eventOutcomes } from "../../../../events/PaymentEvents.ts"
import type { ItemColumn } from "../../kit/ItemTable.tsx"
import { List, type ListFilter } from "../../kit/List.tsx"
import { Tabs } from "../../kit/Tabs.tsx"
import { type PageContext, sayOf } from "../../PageContext.ts"
import { Notice } from "../../ui/Forms.tsx"
import { Moment, PageHeading } from "../../ui/Parts.tsx"
import { sources } from "../orders/OrdersQuery.ts"
import { factName, minorText, OutcomeBadge, outcomeName, sourceName } from "./EventParts.tsx"
import type { PaymentsQuery } from "./PaymentsQuery.ts"
import { reasonFor } from "./ReasonText.ts"

interface ListProps {
  readonly context: PageContext
  readonly query: PaymentsQuery
  readonly events: ReadonlyArray<EventItem>
  readonly hasOlder: boolean
  /** How many wait for somebody. */
  readonly openCount: number
}

/** What all of them are narrowed by; those that wait are shown whole. */
const filterOf = ({ query: { days, filter, isAll }, context }: ListProps): ReadonlyArray<ListFilter> => {
  const say = sayOf(context, "payments")
  return !isAll ? [] : [
    { is: "text", name: "q", label: say("search"), value: filter.text },
    {
      is: "choice",
      name: "provider",
      label: say("provider"),
      value: filter.provider,
      options: sources.map((source) => [source, sourceName(context, source)])
    },
    {
      is: "choice",
      name: "outcome",
      label: say("outcome"),
      value: filter.outcome,
      options: eventOutcomes.map((outcome) => [outcome, outcomeName(context, outcome)])
    },
    { is: "day", name: "from", label: say("from"), value: days.from },
    { is: "day", name: "to", label: say("to"), value: days.to }
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
    {
      title: say("amount"),
      number: true,
      cell: (event) => <span class="nowrap">{minorText(context, event.amountMinor, event.currency)}</span>
    },
    {
      title: say("outcome"),
      cell: (event) => (
        <>
          <OutcomeBadge context={context} event={event} />
          {reasonFor(context, event) === ""
            ? null
            : <div class="d-none d-md-block text-secondary small break-anywhere">{reasonFor(context, event)}</div>}
        </>
      )
    },
    {
      title: say("order"),
      wide: true,
      cell: ({ orderId }) => orderId === null ? "–" : <a href={`/admin/orders/${orderId}`}>#{orderId.toString()}</a>
    },
    {
      title: say("received"),
      wide: true,
      cell: (event) => (
        <span class="nowrap">
          <Moment context={context} at={event.receivedAt} />
        </span>
      )
    }
  ]
}

export const PaymentsView = (props: ListProps) => {
  const { events, hasOlder, openCount, query: { days, isAll }, context } = props
  const say = sayOf(context, "payments")
  return (
    <>
      <PageHeading title={say("title")} lead={say("lead")} />
      {isAll && days.isRefused ? <Notice kind="warning">{say("days.problem")}</Notice> : null}
      <List
        context={context}
        path="/admin/payments"
        kept={isAll ? { view: "all" } : {}}
        caption={say("title")}
        items={events}
        hasMore={hasOlder}
        cursor={{ name: "before", of: ({ id }) => id }}
        filter={filterOf(props)}
        empty={isAll
          ? { icon: "topup", title: say("none") }
          : { icon: "check", title: say("open.none"), text: say("open.none.text") }}
        columns={columnsOf(context)}
      >
        <Tabs
          tabs={[
            {
              href: "/admin/payments",
              text: say("toLookAt"),
              isShown: !isAll,
              waiting: openCount === 0 ? undefined : context.formats.count(openCount)
            },
            { href: "/admin/payments?view=all", text: say("tab.all"), isShown: isAll }
          ]}
        />
        {isAll || events.length === 0
          ? null
          : <p class="card-body border-bottom text-secondary mb-0">{say("open.hint")}</p>}
      </List>
    </>
  )
}
