/**
 * What root can do about a payment event, by what the provider says, by what has become of the payment and by the state of the order;
 * and what each of it would do to the buyer's balance.
 */
import { assert, describe, it } from "@effect/vitest"
import { DateTime } from "effect"
import { AttemptId, EventId, OrderId, PaymentId, UserId } from "../../src/domain/Ids.ts"
import { Fen, Micros, Minor } from "../../src/domain/Money.ts"
import type { SoldPlan } from "../../src/domain/Plan.ts"
import {
  balanceAfter,
  differenceOf,
  effectOf,
  type EventAction,
  possibleActions,
  type Reviewed
} from "../../src/events/EventActions.ts"
import type { Attempt, Order } from "../../src/orders/Order.ts"
import type { Payment } from "../../src/orders/Payments.ts"
import { unlimited } from "../support/PlanTerms.ts"

const at = DateTime.toDateUtc(DateTime.makeUnsafe(0))

const event: Reviewed["event"] = {
  id: EventId.make(1n),
  provider: "stripe",
  kind: "payment_intent.succeeded",
  fact: "Paid",
  outcome: "needs_review",
  note: "",
  reason: undefined,
  payment: "pi_1",
  paymentId: PaymentId.make(1n),
  reference: null,
  amountMinor: Minor.make(500n),
  currency: "cny",
  deliveries: 1,
  receivedAt: at,
  orderId: null,
  resolution: null,
  resolutionNote: null,
  resolvedBy: null,
  resolvedAt: null,
  creditedMicros: null,
  creditedUserId: null,
  isOpen: true
}

const payment: Payment = {
  id: PaymentId.make(1n),
  provider: "stripe",
  scope: "",
  payment: "pi_1",
  state: "in_review",
  manual: false,
  paidMinor: Minor.make(500n),
  currency: "cny",
  attemptId: AttemptId.make(1n),
  orderId: OrderId.make(1n),
  creditedUserId: null,
  creditedMicros: null,
  debitedMicros: Micros.make(0n),
  correctedMicros: Micros.make(0n)
}

const attempt: Attempt = {
  id: AttemptId.make(1n),
  orderKind: "topup",
  orderId: OrderId.make(1n),
  provider: "stripe",
  method: null,
  amountMinor: Minor.make(1_000n),
  currency: "cny",
  gateway: "",
  merchant: "",
  reference: "topup_1_x",
  session: null,
  sessionUrl: null,
  sessionExpiresAt: null,
  payable: true,
  payment: null,
  state: "open",
  debitedMicros: Micros.make(0n),
  minorPerFen: "1",
  completedBy: null,
  createdAt: at
}

const order: Order = {
  id: OrderId.make(1n),
  kind: "topup",
  userId: UserId.make(1n),
  amountFen: Fen.make(1_000n),
  creditMicros: Micros.make(1_400_001n),
  bonusMicros: Micros.make(0n),
  terms: null,
  state: "pending",
  subscriptionId: null,
  createdAt: at,
  expiresAt: at,
  settledAt: null
}

const terms: SoldPlan = {
  planId: 1n,
  code: "basic",
  name: "Basic",
  priceFen: 1_200n,
  ...unlimited,
  groupCode: null,
  requestsPerMinute: 0,
  tokensPerMinute: 0,
  concurrentCalls: 0
}

interface Case {
  readonly event?: Partial<typeof event>
  /** Null: none is known. */
  readonly payment?: Partial<Payment> | null
  readonly order?: Partial<Order>
  readonly attempt?: Partial<Attempt>
  readonly backMinor?: bigint
}

const caseOf = (of: Case): Reviewed => ({
  event: { ...event, ...of.event },
  payment: of.payment === null ? undefined : { ...payment, ...of.payment },
  asked: of.order && { order: { ...order, ...of.order }, attempt: { ...attempt, ...of.attempt } },
  backMinor: of.backMinor ?? 0n,
  balance: { usdMicros: Micros.make(2_000_000n), owedMicros: Micros.make(0n) },
  suggestedMicros: 700_000n
})

const plan = { kind: "subscription", terms, creditMicros: Micros.make(0n) } as const

describe("actions on a payment event", () => {
  it("are those that fit, the likeliest first", () => {
    const table: ReadonlyArray<readonly [actions: string, of: Case]> = [
      ["credit refund refunded dismiss", {}],
      ["accept accept_part credit refund refunded dismiss", { order: {} }],
      // As much as was asked for: there is no part of it.
      ["accept credit refund refunded dismiss", { order: {}, attempt: { amountMinor: Minor.make(500n) } }],
      ["accept credit refund refunded dismiss", { order: { ...plan, state: "expired" } }],
      ["credit refund refunded dismiss", { order: { state: "paid" } }],
      ["credit refund refunded dismiss", { order: {}, attempt: { currency: "usd" } }],
      ["credit refund refunded dismiss", { order: {}, attempt: { provider: "epay" } }],
      ["credit refund refunded dismiss", { order: {}, payment: { attemptId: null } }],
      ["credit refunded dismiss", { event: { provider: "manual" } }],
      ["credit refunded dismiss", { backMinor: 500n }],
      ["refund refunded dismiss", { event: { fact: "Unreadable" }, order: {} }],
      ["refunded dismiss", { event: { fact: "Unreadable" }, payment: { paidMinor: null } }],
      // Something has come of it meanwhile.
      ["dismiss", { order: {}, payment: { state: "credited" } }],
      ["dismiss", { order: {}, payment: { state: "fulfilled" } }],
      ["dismiss", { payment: { state: "refunded" } }],
      ["dismiss", { event: { payment: null }, payment: null }],
      ["dismiss", { event: { fact: "Dispute" } }],
      ["", { event: { isOpen: false }, order: {} }]
    ]
    for (const [actions, of] of table) assert.strictEqual(possibleActions(caseOf(of)).join(" "), actions)
  })

  it("say what they do to the buyer's balance before they do it", () => {
    const credit = (action: EventAction, of: Case, owed = 0n) => {
      const effect = effectOf(
        { ...caseOf(of), balance: { usdMicros: Micros.make(2_000_000n), owedMicros: Micros.make(owed) } },
        action
      )
      return effect?._tag === "Credit"
        ? [effect.micros, effect.debitMicros, effect.recoveredMicros, effect.after?.usdMicros, effect.after?.owedMicros]
        : effect
    }
    assert.deepStrictEqual(credit("accept", { order: {} }), [1_400_001n, 0n, 0n, 3_400_001n, 0n])
    // Half was paid: rounded down.
    assert.deepStrictEqual(credit("accept_part", { order: {} }), [700_000n, 0n, 0n, 2_700_000n, 0n])
    assert.deepStrictEqual(credit("credit", {}, 300_000n), [700_000n, 0n, 300_000n, 2_400_000n, 0n])
    // A part of the payment has gone back before.
    assert.deepStrictEqual(credit("credit", { backMinor: 100n }), [700_000n, 140_000n, 0n, 2_560_000n, 0n])
    assert.deepStrictEqual(credit("accept", { order: plan }), { _tag: "Plan", terms })
    assert.deepStrictEqual(credit("accept", {}), undefined)
    assert.deepStrictEqual(credit("refund", { backMinor: 100n }), { _tag: "GiveBack", minor: 400n, currency: "cny" })
    assert.deepStrictEqual(credit("refunded", {}), { _tag: "None", keeps: false })
    assert.deepStrictEqual(credit("dismiss", {}), { _tag: "None", keeps: true })
    assert.deepStrictEqual(credit("dismiss", { event: { fact: "Dispute" } }), { _tag: "None", keeps: false })
    assert.deepStrictEqual(credit("dismiss", { payment: { state: "credited" } }), { _tag: "None", keeps: false })
  })

  it("take what a balance does not have as a debt", () => {
    const balance = { usdMicros: Micros.make(5n), owedMicros: Micros.make(2n) }
    assert.deepStrictEqual(balanceAfter(balance, 1n), { usdMicros: 5n, owedMicros: 1n })
    assert.deepStrictEqual(balanceAfter(balance, 10n), { usdMicros: 13n, owedMicros: 0n })
    assert.deepStrictEqual(balanceAfter(balance, -9n), { usdMicros: 0n, owedMicros: 6n })
  })

  it("stand beside the difference between what came in and what was asked for", () => {
    assert.deepStrictEqual(differenceOf(caseOf({ order: {} })), { _tag: "Amount", minor: -500n, currency: "cny" })
    assert.deepStrictEqual(differenceOf(caseOf({ order: {}, attempt: { currency: "usd" } })), {
      _tag: "Currency",
      asked: "usd",
      paid: "cny"
    })
    assert.isUndefined(differenceOf(caseOf({})))
    assert.isUndefined(differenceOf(caseOf({ order: {}, event: { fact: "Dispute" } })))
  })
})
