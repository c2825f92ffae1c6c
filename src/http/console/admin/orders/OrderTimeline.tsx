/**
 * What happened to an order, in one list: how it was to be paid, what providers said, what administrators did.
 */
import type { ComponentChildren } from "preact"
import type { OrderRecord } from "../../../../events/OrderHistory.ts"
import type { EventItem } from "../../../../events/PaymentEvents.ts"
import type { Attempt } from "../../../../orders/Order.ts"
import type { AuditItem } from "../../../../platform/AuditTrail.ts"
import { type PageContext, sayOf } from "../../PageContext.ts"
import { AdminLink } from "../../ui/AdminLink.tsx"
import { methodName } from "../../ui/OrderParts.tsx"
import { Badge, Card, Moment } from "../../ui/Parts.tsx"
import { factName, minorText, OutcomeBadge, sourceName } from "../payments/EventParts.tsx"
import { reasonFor } from "../payments/ReasonText.ts"

interface Entry {
  readonly at: Date
  readonly body: ComponentChildren
}

/** What stands for whoever acts, in words. */
export const whoName = (context: PageContext, { actor, email }: Pick<AuditItem, "actor" | "email">): string =>
  actor === "cli" ? sayOf(context, "adminOrders")("cli") : email ?? actor

const attemptState = (context: PageContext, state: Attempt["state"]): string => {
  const say = sayOf(context, "adminOrders")
  return ({
    open: say("attempt.open"),
    processing: say("attempt.processing"),
    paid: say("attempt.paid"),
    closed: say("attempt.closed")
  })[state]
}

const attemptEntry = (context: PageContext, attempt: Attempt): Entry => ({
  at: attempt.createdAt,
  body: (
    <>
      <div>
        {sayOf(context, "adminOrders")("attempt", { method: methodName(context, attempt.provider, attempt.method) })},
        {" "}
        <span class="nowrap">{minorText(context, attempt.amountMinor, attempt.currency)}</span>{" "}
        <Badge tone={attempt.state === "paid" ? "green" : "secondary"}>{attemptState(context, attempt.state)}</Badge>
      </div>
      <code class="small break-anywhere">{attempt.reference}</code>
    </>
  )
})

const eventEntry = (context: PageContext, event: EventItem): Entry => ({
  at: event.receivedAt,
  body: (
    <>
      <div>
        {sourceName(context, event.provider)}:{" "}
        <AdminLink context={context} isText class="text-decoration-underline" href={`/admin/payments/${event.id}`}>
          {factName(context, event.fact)}
        </AdminLink>
        {event.amountMinor === null ? null : (
          <>
            , <span class="nowrap">{minorText(context, event.amountMinor, event.currency)}</span>
          </>
        )} <OutcomeBadge context={context} event={event} />
      </div>
      {reasonFor(context, event) === ""
        ? null
        : <div class="text-secondary small break-anywhere">{reasonFor(context, event)}</div>}
      {event.payment === null ? null : <code class="small break-anywhere">{event.payment}</code>}
    </>
  )
})

const changeName = (context: PageContext, change: AuditItem): string => {
  const say = sayOf(context, "adminOrders")
  const who = whoName(context, change)
  const names: ReadonlyMap<string, string> = new Map([
    ["order.completed", say("change.completed", { who })],
    ["order.cancelled", say("change.cancelled", { who })],
    ["order.refund_requested", say("change.requested", { who })],
    ["order.refund_succeeded", say("change.done")],
    ["order.refund_done", say("change.done")],
    ["order.refund_pending", say("change.pending")],
    ["order.refund_requires_action", say("change.pending")],
    ["order.refund_canceled", say("change.failed")],
    ["order.refund_unanswered", say("change.unknown")],
    ["order.refund_failed", say("change.failed")],
    ["order.refund_unknown", say("change.unknown")]
  ])
  return names.get(change.action) ?? say("change.other", { who })
}

const textIn = (change: AuditItem, field: string): string | undefined => {
  const value = change.after?.[field]
  return typeof value === "string" && value !== "" ? value : undefined
}

const amountIn = (context: PageContext, change: AuditItem): string | undefined => {
  const amount = textIn(change, "amount_minor")
  const currency = textIn(change, "currency")
  return amount === undefined || currency === undefined ? undefined : minorText(context, BigInt(amount), currency)
}

const changeEntry = (context: PageContext, change: AuditItem): Entry => {
  const amount = amountIn(context, change)
  return {
    at: change.at,
    body: (
      <>
        <div class="break-anywhere">
          {changeName(context, change)}
          {amount === undefined ? null : (
            <>
              , <span class="nowrap">{amount}</span>
            </>
          )}
        </div>
        {[textIn(change, "note"), textIn(change, "problem")].map((text) =>
          text === undefined ? null : <div key={text} class="text-secondary small break-anywhere">{text}</div>
        )}
      </>
    )
  }
}

/** Oldest first: as it is told. */
const entriesOf = (context: PageContext, { attempts, changes, events, order }: OrderRecord): ReadonlyArray<Entry> => {
  const entries: ReadonlyArray<Entry> = [
    { at: order.createdAt, body: sayOf(context, "adminOrders")("placed") },
    // What an administrator completed is told by the change.
    ...attempts.filter(({ completedBy }) => completedBy === null).map((attempt) => attemptEntry(context, attempt)),
    ...events.toReversed().map((event) => eventEntry(context, event)),
    ...changes.toReversed().map((change) => changeEntry(context, change))
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
