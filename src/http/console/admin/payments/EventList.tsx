/**
 * What providers have said, as two tabs of `/admin/payments`: the events that people have to look at, and all of them with a filter.
 */
import { Effect } from "effect"
import { type EventItem, eventOutcomes, PaymentEvents } from "../../../../events/PaymentEvents.ts"
import {
  amountColumn,
  byId,
  type ItemColumn,
  type ListFilter,
  listPage,
  readListed,
  timeColumn
} from "../../kit/List.tsx"
import { Small } from "../../kit/Parts.tsx"
import { type PageContext, sayOf, type UserContext } from "../../PageContext.ts"
import { oneOf, searchText } from "../../Params.ts"
import { dayFilters, daysWarning, readDays } from "../FilterDays.ts"
import {
  factName,
  minorText,
  orderColumn,
  OutcomeBadge,
  outcomeName,
  reasonFor,
  sourceFilter,
  sourceName,
  sources
} from "./EventParts.tsx"
import { paymentTabs } from "./PaymentTabs.tsx"

const PAGE_SIZE = 50

const columnsOf = (context: PageContext): ReadonlyArray<ItemColumn<EventItem>> => {
  const say = sayOf(context, "payments")
  return [
    {
      title: say("event"),
      cell: (event) => (
        <>
          <a href={`/admin/payments/${event.id}`}>#{event.id.toString()} {factName(context, event.fact)}</a>
          <Small>{sourceName(context, event.provider)}</Small>
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
    orderColumn(context),
    timeColumn(context, say("received"), ({ receivedAt }) => receivedAt)
  ]
}

/** Everything, narrowed by what the address says. */
const readFilter = (context: PageContext) => {
  const { query } = context
  const say = sayOf(context, "payments")
  const days = readDays(context)
  const { fromMs, toMs } = days
  const [text, provider] = [searchText(query, "q"), oneOf(sources, query.get("provider"))]
  const outcome = oneOf(eventOutcomes, query.get("outcome"))
  const outcomes = eventOutcomes.map((one) => [one, outcomeName(context, one)] as const)
  const fields: ReadonlyArray<ListFilter> = [
    { is: "text", name: "q", label: say("search"), value: text },
    sourceFilter(context, say("provider"), provider),
    { is: "choice", name: "outcome", label: say("outcome"), value: outcome, options: outcomes },
    ...dayFilters(context, days)
  ]
  return { filter: { text, provider, outcome, fromMs, toMs }, fields, warning: daysWarning(context, days) }
}

/** `view`: those that wait are shown whole, all of them with a filter. */
export const eventList = Effect.fnUntraced(function*(context: UserContext, view: "review" | "events") {
  const say = sayOf(context, "payments")
  const events = yield* PaymentEvents
  const all = view === "events" ? readFilter(context) : undefined
  const filter = all?.filter ?? { open: true }
  const found = yield* readListed(context, { size: PAGE_SIZE }, (range) => events.list(filter, range))
  return listPage({
    context,
    path: "/admin/payments",
    title: say("title"),
    lead: say("lead"),
    kept: { view },
    ...all === undefined ? {} : { warning: all.warning, filter: all.fields },
    ...found,
    cursor: byId,
    columns: columnsOf(context),
    empty: all === undefined
      ? { icon: "check", title: say("open.none"), text: say("open.none.text") }
      : { icon: "topup", title: say("none") },
    children: (
      <>
        {yield* paymentTabs(context, view)}
        {all !== undefined || found.items.length === 0
          ? null
          : <p class="card-body border-bottom text-secondary mb-0">{say("open.hint")}</p>}
      </>
    )
  })
})
