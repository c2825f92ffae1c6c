/**
 * `/admin/payments`: every payment with its customer, how it was paid, its state and its dispute; and, as tabs, what providers have said.
 */
import { Effect } from "effect"
import { type FoundPayment, PaymentSearch, paymentStandings } from "../../../../events/PaymentSearch.ts"
import { adminPage, routes } from "../../ConsoleRoute.ts"
import { amountColumn, byId, type ItemColumn, readListPage, timeColumn } from "../../kit/List.tsx"
import { methodName } from "../../kit/Orders.tsx"
import { AdminLink, Small, StateBadge } from "../../kit/Parts.tsx"
import { type PageContext, sayOf, type UserContext } from "../../PageContext.ts"
import { oneOf } from "../../Params.ts"
import { dayFilters, daysWarning, readSearch } from "../FilterDays.ts"
import { eventList } from "./EventList.tsx"
import { DisputeBadge, factName, minorText, orderColumn, paymentStates, sourceFilter, sources } from "./EventParts.tsx"
import { PaymentRoutes } from "./Payment.tsx"
import { paymentTabs } from "./PaymentTabs.tsx"

/** Where a payment is looked at: by what was said of it, else by its order. */
export const pathOf = ({ eventId, orderId }: FoundPayment): string | undefined =>
  eventId !== null ? `/admin/payments/${eventId}` : orderId === null ? undefined : `/admin/orders/${orderId}`

const columnsOf = (context: PageContext): ReadonlyArray<ItemColumn<FoundPayment>> => {
  const say = sayOf(context, "payments")
  return [
    {
      title: say("payment"),
      cell: (found) => {
        const path = pathOf(found)
        return (
          <>
            {path === undefined
              ? <span class="break-anywhere">{found.payment}</span>
              : <a class="break-anywhere" href={path}>{found.payment}</a>}
            <Small>{methodName(context, found.provider, found.method)}</Small>
            <div class="d-md-none text-secondary small break-anywhere">{found.email}</div>
          </>
        )
      }
    },
    {
      title: say("customer"),
      wide: true,
      cell: ({ email, userId }) =>
        userId === null
          ? <span class="text-secondary">{say("customer.none")}</span>
          : <a class="break-anywhere" href={`/admin/users/${userId}`}>{email}</a>
    },
    amountColumn(say("amount"), ({ currency, paidMinor }) => minorText(context, paidMinor, currency)),
    {
      title: say("state"),
      cell: ({ backMinor, currency, disputeStatus, standing }) => (
        <>
          <StateBadge say={say} states={paymentStates} state={standing} />
          {standing === "part_refunded"
            ? <Small>{say("back", { amount: minorText(context, backMinor, currency) })}</Small>
            : null}
          {disputeStatus === null ? null : (
            <div class="d-md-none mt-1">
              <DisputeBadge status={disputeStatus} />
            </div>
          )}
        </>
      )
    },
    {
      title: factName(context, "Dispute"),
      wide: true,
      cell: ({ disputeStatus }) => disputeStatus === null ? "–" : <DisputeBadge status={disputeStatus} />
    },
    orderColumn(context),
    timeColumn(context, say("received"), ({ createdAt }) => createdAt)
  ]
}

const paymentList = Effect.fnUntraced(function*(context: UserContext) {
  const say = sayOf(context, "payments")
  const { days, filter } = readSearch(context, { state: paymentStandings, provider: sources, dispute: ["any"] })
  const { dispute, state: standing, ...search } = filter
  const payments = yield* PaymentSearch
  return yield* readListPage({
    context,
    read: (range) => payments.list({ ...search, standing, disputed: dispute !== undefined }, range),
    path: "/admin/payments",
    title: say("title"),
    lead: say("lead"),
    actions: <AdminLink context={context} class="btn" href="/admin/exports">{say("exports")}</AdminLink>,
    warning: daysWarning(context, days),
    filter: [
      { is: "text", name: "q", label: say("search.payment"), value: filter.text },
      { is: "text", name: "user", label: say("customer"), value: filter.user, hint: say("customer.hint") },
      {
        is: "choice",
        name: "state",
        label: say("state"),
        value: standing,
        options: paymentStandings.map((one) => [one, say(paymentStates[one][1])] as const)
      },
      {
        is: "choice",
        name: "dispute",
        label: factName(context, "Dispute"),
        value: dispute,
        options: [["any", say("disputed")]]
      },
      sourceFilter(context, say("provider"), filter.provider),
      ...dayFilters(context, days)
    ],
    cursor: byId,
    columns: columnsOf(context),
    empty: { icon: "topup", title: say("payments.none"), text: say("payments.none.text") },
    none: say("payments.none.matching"),
    children: yield* paymentTabs(context, "payments")
  })
})

const list = (context: UserContext) => {
  const view = oneOf(["review", "events"], context.query.get("view"))
  return view === undefined ? paymentList(context) : eventList(context, view)
}

export const PaymentsRoutes = routes(adminPage("/admin/payments", list), PaymentRoutes)
