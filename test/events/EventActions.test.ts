/**
 * What root can do about a payment event, by what the provider says and by the state of the order.
 */
import { assert, describe, it } from "@effect/vitest"
import { DateTime } from "effect"
import { EventId, OrderId } from "../../src/domain/Ids.ts"
import { Minor } from "../../src/domain/Money.ts"
import type { EventDetails } from "../../src/events/PaymentEvents.ts"
import { possibleActions } from "../../src/events/EventActions.ts"

const event: EventDetails["event"] = {
  id: EventId.make(1n),
  provider: "stripe",
  kind: "payment_intent.succeeded",
  fact: "Paid",
  outcome: "needs_review",
  note: "",
  reason: undefined,
  payment: "pi_1",
  reference: null,
  amountMinor: Minor.make(500n),
  currency: "cny",
  deliveries: 1,
  receivedAt: DateTime.toDateUtc(DateTime.makeUnsafe(0)),
  orderId: null,
  resolution: null,
  resolutionNote: null,
  resolvedBy: null,
  resolvedAt: null,
  creditedMicros: null,
  creditedUserId: null,
  isOpen: true
}

const actionsOf = (
  of: Partial<EventDetails["event"]>,
  order?: Pick<NonNullable<EventDetails["order"]>, "kind" | "state">
): string =>
  possibleActions({
    event: { ...event, ...of },
    evidence: {},
    order: order && { id: OrderId.make(1n), ...order },
    buyer: undefined,
    suggestedMicros: undefined
  }).join(" ")

describe("actions on a payment event", () => {
  it("are those that fit what was paid, the likeliest first", () => {
    const table: ReadonlyArray<readonly [actions: string, ...of: Parameters<typeof actionsOf>]> = [
      ["credit refund refunded dismiss", {}],
      ["accept accept_part credit refund refunded dismiss", {}, { kind: "topup", state: "pending" }],
      ["accept credit refund refunded dismiss", {}, { kind: "subscription", state: "expired" }],
      ["credit refund refunded dismiss", {}, { kind: "topup", state: "paid" }],
      ["credit refunded dismiss", { provider: "manual" }],
      ["refund refunded dismiss", { fact: "Unreadable" }, { kind: "topup", state: "pending" }],
      ["dismiss", { payment: null }],
      ["dismiss", { fact: "Dispute" }],
      ["", { isOpen: false }, { kind: "topup", state: "pending" }]
    ]
    for (const [actions, ...of] of table) assert.strictEqual(actionsOf(...of), actions)
  })
})
