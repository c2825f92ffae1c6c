/**
 * What happened to an order, in one list: how it was to be paid, what providers said, what administrators did.
 */
import type { ComponentChildren } from "preact"
import type { OrderRecord } from "../../../../events/OrderHistory.ts"
import type { EventItem } from "../../../../events/PaymentEvents.ts"
import type { Attempt } from "../../../../orders/Order.ts"
import type { AuditItem } from "../../../../platform/AuditTrail.ts"
import { methodName } from "../../kit/Orders.tsx"
import { AdminLink, Card, Moment, Small, StateBadge, type States } from "../../kit/Parts.tsx"
import { type PageContext, sayOf } from "../../PageContext.ts"
import type { TextKey } from "../../text/Texts.ts"
import { factName, minorText, OutcomeBadge, reasonFor, sourceName } from "../payments/EventParts.tsx"

interface Entry {
  readonly at: Date
  readonly body: ComponentChildren
}

/** Who has acted, in words. */
export const whoName = (context: PageContext, { actor, email }: Pick<AuditItem, "actor" | "email">): string =>
  actor === "cli" ? sayOf(context, "adminOrders")("cli") : email ?? actor

const attempts: States<Attempt["state"], TextKey<"adminOrders">> = {
  open: ["secondary", "attempt.open"],
  processing: ["secondary", "attempt.processing"],
  paid: ["green", "attempt.paid"],
  closed: ["secondary", "attempt.closed"]
}

const attemptEntry = (context: PageContext, attempt: Attempt): Entry => {
  const say = sayOf(context, "adminOrders")
  const method = methodName(context, attempt.provider, attempt.method)
  return {
    at: attempt.createdAt,
    body: (
      <>
        <div>
          {say("attempt", { method })} ·{" "}
          <span class="nowrap">{minorText(context, attempt.amountMinor, attempt.currency)}</span>{" "}
          <StateBadge say={say} states={attempts} state={attempt.state} />
        </div>
        <code class="small break-anywhere">{attempt.reference}</code>
      </>
    )
  }
}

const eventEntry = (context: PageContext, event: EventItem): Entry => ({
  at: event.receivedAt,
  body: (
    <>
      <div>
        {sourceName(context, event.provider)} ·{" "}
        <AdminLink context={context} isText class="text-decoration-underline" href={`/admin/payments/${event.id}`}>
          {factName(context, event.fact)}
        </AdminLink>
        {event.amountMinor === null ? null : (
          <>
            {" · "}
            <span class="nowrap">{minorText(context, event.amountMinor, event.currency)}</span>
          </>
        )} <OutcomeBadge context={context} event={event} />
      </div>
      <Small>{reasonFor(context, event)}</Small>
      {event.payment === null ? null : <code class="small break-anywhere">{event.payment}</code>}
    </>
  )
})

const changes: ReadonlyMap<string, TextKey<"adminOrders">> = new Map([
  ["order.completed", "change.completed"],
  ["order.cancelled", "change.cancelled"],
  ["order.refund_requested", "change.requested"],
  ["order.refund_succeeded", "change.done"],
  ["order.refund_done", "change.done"],
  ["order.refund_pending", "change.pending"],
  ["order.refund_requires_action", "change.pending"],
  ["order.refund_canceled", "change.failed"],
  ["order.refund_unanswered", "change.unknown"],
  ["order.refund_failed", "change.failed"],
  ["order.refund_unknown", "change.unknown"]
])

const textIn = (change: AuditItem, field: string): string | undefined => {
  const value = change.after?.[field]
  return typeof value === "string" && value !== "" ? value : undefined
}

const changeEntry = (context: PageContext, change: AuditItem): Entry => {
  const [amount, currency] = [textIn(change, "amount_minor"), textIn(change, "currency")]
  const key = changes.get(change.action) ?? "change.other"
  return {
    at: change.at,
    body: (
      <>
        <div class="break-anywhere">
          {sayOf(context, "adminOrders")(key, { who: whoName(context, change) })}
          {amount === undefined || currency === undefined ? null : (
            <>
              {" · "}
              <span class="nowrap">{minorText(context, BigInt(amount), currency)}</span>
            </>
          )}
        </div>
        <Small>{textIn(change, "note")}</Small>
        <Small>{textIn(change, "problem")}</Small>
      </>
    )
  }
}

/** Oldest first: as it is told. */
const entriesOf = (context: PageContext, record: OrderRecord): ReadonlyArray<Entry> => {
  const entries: ReadonlyArray<Entry> = [
    { at: record.order.createdAt, body: sayOf(context, "adminOrders")("placed") },
    // What an administrator completed is told by the change.
    ...record.attempts.filter(({ completedBy }) => completedBy === null).map((one) => attemptEntry(context, one)),
    ...record.events.toReversed().map((event) => eventEntry(context, event)),
    ...record.changes.toReversed().map((change) => changeEntry(context, change))
  ]
  return entries.toSorted((a, b) => a.at.getTime() - b.at.getTime())
}

export const OrderTimeline = ({ record, context }: { readonly context: PageContext; readonly record: OrderRecord }) => (
  <Card title={sayOf(context, "adminOrders")("timeline")}>
    <ol class="list-group list-group-flush list-unstyled mb-0">
      {entriesOf(context, record).map(({ at, body }, index) => (
        <li key={index} class="list-group-item">
          <div class="row g-1">
            <div class="col-12 col-md-3 text-secondary">
              <Moment context={context} at={at} />
            </div>
            <div class="col-12 col-md-9">{body}</div>
          </div>
        </li>
      ))}
    </ol>
  </Card>
)
