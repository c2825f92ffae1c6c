/**
 * What happened to an order, in one list: how it was to be paid, what providers said, what administrators did.
 */
import type { ComponentChildren } from "preact"
import type { OrderRecord } from "../../../../events/OrderHistory.ts"
import type { EventItem } from "../../../../events/PaymentEvents.ts"
import type { Attempt } from "../../../../orders/Order.ts"
import type { AuditItem } from "../../../../platform/AuditTrail.ts"
import { AdminLink } from "../../ui/AdminLink.tsx"
import { methodName } from "../../ui/OrderParts.tsx"
import { Badge, Card, Moment } from "../../ui/Parts.tsx"
import { sayOf, type Visit } from "../../Visit.ts"
import { factName, minorText, OutcomeBadge, sourceName } from "../payments/EventParts.tsx"
import { reasonFor } from "../payments/ReasonText.ts"
import { adminOrdersText } from "./AdminOrdersText.ts"

interface Entry {
  readonly at: Date
  readonly body: ComponentChildren
}

/** What stands for whoever acts, in words. */
export const whoName = (visit: Visit, { actor, email }: Pick<AuditItem, "actor" | "email">): string =>
  actor === "cli" ? sayOf(visit, adminOrdersText)("cli") : email ?? actor

const attemptState = (visit: Visit, state: Attempt["state"]): string => {
  const say = sayOf(visit, adminOrdersText)
  return ({
    open: say("attempt.open"),
    processing: say("attempt.processing"),
    paid: say("attempt.paid"),
    closed: say("attempt.closed")
  })[state]
}

const attemptEntry = (visit: Visit, attempt: Attempt): Entry => ({
  at: attempt.createdAt,
  body: (
    <>
      <div>
        {sayOf(visit, adminOrdersText)("attempt", { method: methodName(visit, attempt.provider, attempt.method) })},
        {" "}
        <span class="nowrap">{minorText(visit, attempt.amountMinor, attempt.currency)}</span>{" "}
        <Badge tone={attempt.state === "paid" ? "green" : "secondary"}>{attemptState(visit, attempt.state)}</Badge>
      </div>
      <code class="small break-anywhere">{attempt.reference}</code>
    </>
  )
})

const eventEntry = (visit: Visit, event: EventItem): Entry => ({
  at: event.receivedAt,
  body: (
    <>
      <div>
        {sourceName(visit, event.provider)}:{" "}
        <AdminLink visit={visit} isText class="text-decoration-underline" href={`/admin/payments/${event.id}`}>
          {factName(visit, event.fact)}
        </AdminLink>
        {event.amountMinor === null ? null : (
          <>
            , <span class="nowrap">{minorText(visit, event.amountMinor, event.currency)}</span>
          </>
        )} <OutcomeBadge visit={visit} event={event} />
      </div>
      {reasonFor(visit, event) === ""
        ? null
        : <div class="text-secondary small break-anywhere">{reasonFor(visit, event)}</div>}
      {event.payment === null ? null : <code class="small break-anywhere">{event.payment}</code>}
    </>
  )
})

const changeName = (visit: Visit, change: AuditItem): string => {
  const say = sayOf(visit, adminOrdersText)
  const who = whoName(visit, change)
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

const amountIn = (visit: Visit, change: AuditItem): string | undefined => {
  const amount = textIn(change, "amount_minor")
  const currency = textIn(change, "currency")
  return amount === undefined || currency === undefined ? undefined : minorText(visit, BigInt(amount), currency)
}

const changeEntry = (visit: Visit, change: AuditItem): Entry => {
  const amount = amountIn(visit, change)
  return {
    at: change.at,
    body: (
      <>
        <div class="break-anywhere">
          {changeName(visit, change)}
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
const entriesOf = (visit: Visit, { attempts, changes, events, order }: OrderRecord): ReadonlyArray<Entry> => {
  const entries: ReadonlyArray<Entry> = [
    { at: order.createdAt, body: sayOf(visit, adminOrdersText)("placed") },
    // What an administrator completed is told by the change.
    ...attempts.filter(({ completedBy }) => completedBy === null).map((attempt) => attemptEntry(visit, attempt)),
    ...events.toReversed().map((event) => eventEntry(visit, event)),
    ...changes.toReversed().map((change) => changeEntry(visit, change))
  ]
  return entries.toSorted((a, b) => a.at.getTime() - b.at.getTime())
}

export const OrderTimeline = ({ record, visit }: { readonly visit: Visit; readonly record: OrderRecord }) => (
  <Card title={sayOf(visit, adminOrdersText)("timeline")}>
    <ol class="list-group list-group-flush list-unstyled mb-0">
      {entriesOf(visit, record).map(({ at, body }, index) => (
        <li key={index} class="list-group-item">
          <div class="row g-1">
            <div class="col-12 col-md-3 text-secondary">
              <Moment visit={visit} at={at} />
            </div>
            <div class="col-12 col-md-9">{body}</div>
          </div>
        </li>
      ))}
    </ol>
  </Card>
)
