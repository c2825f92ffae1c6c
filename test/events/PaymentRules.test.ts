import { assert, describe, it } from "@effect/vitest"
import { DateTime } from "effect"
import { AttemptId, OrderId, PaymentId, UserId } from "../../src/domain/Ids.ts"
import { decide, type Named } from "../../src/events/PaymentRules.ts"
import type { Attempt, Order, OrderState } from "../../src/orders/Order.ts"
import type { Payment } from "../../src/orders/Payments.ts"
import { wordsOf } from "../../src/orders/Reason.ts"
import { type EventOutcome, isFinal } from "../../src/orders/Settlement.ts"
import type { FactBody, PaymentFact } from "../../src/payments/PaymentFact.ts"

const epoch = DateTime.toDate(DateTime.makeUnsafe(0))

const order = (state: OrderState): Order => ({
  id: OrderId.make(1n),
  kind: state === "active" ? "subscription" : "topup",
  userId: UserId.make(1n),
  amountFen: 1_000n,
  creditMicros: 1_400_000n,
  bonusMicros: 0n,
  terms: null,
  state,
  subscriptionId: null,
  createdAt: epoch,
  expiresAt: epoch,
  settledAt: null
})

const attempt = (state: Attempt["state"], payment: string | null = state === "paid" ? "pay_1" : null): Attempt => ({
  id: AttemptId.make(1n),
  orderKind: "topup",
  orderId: OrderId.make(1n),
  provider: "epay",
  method: "alipay",
  amountMinor: 1_000n,
  currency: "cny",
  gateway: "pay.example.com",
  merchant: "1001",
  reference: "topup_1_nonce",
  session: null,
  sessionUrl: null,
  sessionExpiresAt: null,
  payable: false,
  payment,
  state,
  debitedMicros: 0n,
  minorPerFen: "1",
  completedBy: null,
  createdAt: epoch
})

const payment = (state: Payment["state"], more: Partial<Payment> = {}): Payment => ({
  id: PaymentId.make(1n),
  provider: "epay",
  scope: "pay.example.com|1001",
  payment: "pay_1",
  state,
  manual: false,
  paidMinor: 1_000n,
  currency: "cny",
  attemptId: AttemptId.make(1n),
  orderId: OrderId.make(1n),
  creditedUserId: null,
  creditedMicros: null,
  debitedMicros: 0n,
  correctedMicros: 0n,
  ...more
})

const told = (body: FactBody, more: Partial<PaymentFact> = {}): PaymentFact => {
  const identity = {
    provider: "epay",
    eventKey: "e",
    kind: "k",
    payment: "pay_1",
    reference: "topup_1_nonce",
    atSeconds: 1
  }
  return Object.assign({}, identity, body, more) as PaymentFact
}

const paid = (more: object = {}) =>
  told({ _tag: "Paid", merchant: "1001", method: null, amountMinor: 1_000n, currency: "cny", ...more })

const refund = { _tag: "Refund", refund: "re_1", own: null, amountMinor: 400n, currency: "cny" } as const
const dispute = {
  _tag: "Dispute",
  dispute: "dp_1",
  takenMinor: null,
  reason: "fraudulent",
  dueBySeconds: 1_800_000_000,
  amountMinor: 400n,
  currency: "cny"
} as const

const about = (more: object = {}): Readonly<Record<string, PaymentFact>> => ({
  Refunded: told({ _tag: "Refunded", amountMinor: 400n, currency: "cny" }, more),
  "a refund under way": told({ ...refund, state: "pending" }, more),
  "a refund": told({ ...refund, state: "succeeded" }, more),
  "a refund that failed": told({ ...refund, state: "failed" }, more),
  "a dispute": told({ ...dispute, status: "needs_response" }, more),
  "a dispute that is won": told({ ...dispute, status: "won" }, more)
})

/** Every place an order and the attempt that is named can be in together; null when it is not ours. */
const places = {
  unknown: null,
  "open, pending": [attempt("open"), order("pending")],
  "open, cancelled": [attempt("open"), order("cancelled")],
  "open, expired": [attempt("open"), order("expired")],
  "processing, pending": [attempt("processing"), order("pending")],
  "processing, cancelled": [attempt("processing"), order("cancelled")],
  "closed, pending": [attempt("closed"), order("pending")],
  "closed, cancelled": [attempt("closed"), order("cancelled")],
  "closed, expired": [attempt("closed"), order("expired")],
  "closed, paid by another": [attempt("closed"), order("paid")],
  "closed, active by another": [attempt("closed"), order("active")],
  "closed, refunded of another": [attempt("closed"), order("refunded")],
  "closed, disputed of another": [attempt("closed"), order("disputed")],
  "paid by this": [attempt("paid"), order("paid")],
  "active by this": [attempt("paid"), order("active")],
  "refunded of this": [attempt("paid"), order("refunded")],
  "disputed of this": [attempt("paid"), order("disputed")],
  "paid by this attempt's other payment": [attempt("paid", "pay_0"), order("paid")]
} as const satisfies Record<string, readonly [Attempt, Order] | null>

type Place = keyof typeof places

const namedAt = (place: Place): Named => {
  const at = places[place]
  const isPaidByThis = at !== null && at[0].payment === "pay_1"
  return {
    attempt: at?.[0],
    order: at?.[1],
    attempts: at === null ? [] : [at[0]],
    payment: isPaidByThis ? payment("fulfilled") : undefined,
    manual: undefined
  }
}

const decided = (fact: PaymentFact, named: Named): string => {
  const decision = decide(fact, named)
  return decision._tag === "Note" ? decision.outcome : decision._tag
}

const fulfillable: ReadonlyArray<Place> = [
  "open, pending",
  "open, cancelled",
  "open, expired",
  "processing, pending",
  "processing, cancelled",
  "closed, pending",
  "closed, cancelled",
  "closed, expired"
]
const byAnother: ReadonlyArray<Place> = [
  "closed, paid by another",
  "closed, active by another",
  "closed, refunded of another",
  "closed, disputed of another",
  "paid by this attempt's other payment"
]
const byThis: ReadonlyArray<Place> = ["paid by this", "active by this", "refunded of this", "disputed of this"]
const everywhere: ReadonlyArray<Place> = ["unknown", ...fulfillable, ...byAnother, ...byThis]

const each = (kinds: Readonly<Record<string, PaymentFact>>, where: ReadonlyArray<Place>, expected: string): void => {
  for (const [name, fact] of Object.entries(kinds)) {
    it(`${name}: ${expected} when ${where.length === everywhere.length ? "anywhere" : where.join("; ")}`, () => {
      for (const place of where) assert.strictEqual(decided(fact, namedAt(place)), expected, place)
    })
  }
}

describe("what a payment means", () => {
  it("every place is in the tables", () => {
    assert.sameMembers([...everywhere], Object.keys(places))
  })
  each({ "right": paid() }, fulfillable, "Fulfil")
  each(
    { "right, of whatever merchant": paid({ merchant: null }), "by another method": paid({ method: "wxpay" }) },
    fulfillable,
    "Fulfil"
  )
  each({ "right": paid() }, byThis, "duplicate")
  each({ "right": paid() }, [...byAnother, "unknown"], "needs_review")
  each(
    {
      "too little": paid({ amountMinor: 999n }),
      "too much": paid({ amountMinor: 1_001n }),
      "in another currency": paid({ currency: "usd" }),
      "to another merchant": paid({ merchant: "1002" }),
      "to no merchant": paid({ merchant: "" })
    },
    [...fulfillable, ...byAnother, "unknown"],
    "needs_review"
  )
  each({ "of another amount than the first time": paid({ amountMinor: 999n }) }, byThis, "duplicate")

  const states = ["in_review", "dismissed", "fulfilled", "credited", "refunded"] as const
  const rights: Readonly<Record<typeof states[number], string>> = {
    in_review: "Fulfil",
    dismissed: "Fulfil",
    fulfilled: "duplicate",
    credited: "duplicate",
    refunded: "duplicate"
  }
  for (const state of states) {
    it(`a payment that is ${state}, told once more as it should be: ${rights[state]}`, () => {
      const named = { ...namedAt("open, pending"), payment: payment(state) }
      assert.strictEqual(decided(paid(), named), rights[state])
    })
  }

  it("a payment that paid one order and comes for another needs a review", () => {
    const named = { ...namedAt("open, pending"), payment: payment("fulfilled", { orderId: OrderId.make(2n) }) }
    assert.strictEqual(decided(paid(), named), "needs_review")
  })

  it("a payment that is known by root's word counts once, under whatever name", () => {
    const manual = payment("fulfilled", { provider: "manual", scope: "", manual: true })
    const named = { ...namedAt("open, pending"), manual }
    assert.strictEqual(decided(paid(), named), "duplicate")
    assert.strictEqual(decided(paid({ amountMinor: 1n }), named), "duplicate")
    assert.strictEqual(decided(paid(), { ...named, manual: { ...manual, orderId: OrderId.make(2n) } }), "needs_review")
  })

  it("a payment of another shop on the same Stripe account is ignored", () => {
    const foreign = told(paid(), { provider: "stripe", reference: null })
    assert.strictEqual(decided(foreign, namedAt("unknown")), "ignored")
  })
})

describe("what refunds and disputes mean", () => {
  each(about(), byThis, "ClawBack")
  each(about(), fulfillable, "deferred")
  each(about(), byAnother, "deferred")
  each(about(), ["unknown"], "ignored")
  each(about({ currency: "usd" }), byThis, "needs_review")
  each(about({ payment: null }), everywhere, "ignored")
  each(about({ reference: null }), byThis, "ClawBack")

  const decisions: Readonly<Record<Payment["state"], readonly [refund: string, failed: string, dispute: string]>> = {
    in_review: ["deferred", "deferred", "deferred"],
    dismissed: ["applied", "applied", "applied"],
    fulfilled: ["ClawBack", "ClawBack", "ClawBack"],
    credited: ["ClawBack", "ClawBack", "ClawBack"],
    refunded: ["applied", "Reopen", "needs_review"]
  }
  const ofState = (state: Payment["state"]): Named => ({ ...namedAt("unknown"), payment: payment(state) })
  const states = ["in_review", "dismissed", "fulfilled", "credited", "refunded"] as const
  it.each(states)("of a payment that is %s", (state) => {
    const facts = [{ ...refund, state: "succeeded" }, { ...refund, state: "failed" }, {
      ...dispute,
      status: "won"
    }] as const
    assert.deepStrictEqual(facts.map((fact) => decided(told(fact), ofState(state))), [...decisions[state]])
  })

  const attentions: ReadonlyArray<readonly [status: string, seen: string | undefined]> = [
    ["needs_response", "a dispute to be answered at the provider (fraudulent, answer before 2027-01-15T08:00:00.000Z)"],
    ["under_review", undefined],
    ["won", undefined],
    ["lost", undefined],
    ["appeal_review", undefined],
    [
      "warning_needs_response",
      "an inquiry of the payer's bank (warning_needs_response, fraudulent, answer before 2027-01-15T08:00:00.000Z); " +
      "no money has moved"
    ],
    ["warning_closed", undefined],
    [
      "prevented",
      "an inquiry of the payer's bank (prevented, fraudulent, answer before 2027-01-15T08:00:00.000Z); no money has moved"
    ],
    ["shuffled", "a dispute in a state that is not known (shuffled)"]
  ]
  it.each(attentions)("of a dispute that is %s people see: %s", (status, seen) => {
    const decision = decide(told({ ...dispute, status }), ofState("fulfilled"))
    const attention = decision._tag === "ClawBack" ? decision.attention : assert.fail(decision._tag)
    assert.strictEqual(attention && wordsOf(attention), seen)
    const inReview = decide(told({ ...dispute, status }), ofState("in_review"))
    assert.strictEqual(inReview._tag === "Note" && inReview.outcome, seen === undefined ? "deferred" : "needs_review")
  })

  it("a fraud warning, what cannot be read and an event of the test mode move nothing", () => {
    const ours = { ...namedAt("paid by this") }
    for (const body of [{ _tag: "FraudWarning", fraudType: "x" }, { _tag: "UnreadableClawback", why: "" }] as const) {
      assert.strictEqual(decided(told(body), ours), "needs_review")
      assert.strictEqual(decided(told(body), namedAt("unknown")), "ignored")
    }
    assert.strictEqual(decided(told({ _tag: "TestMode" }), namedAt("open, pending")), "needs_review")
    assert.strictEqual(decided(told({ _tag: "TestMode" }), namedAt("unknown")), "ignored")
  })
})

describe("what the rest means", () => {
  const isOpen = (place: Place): boolean => place.startsWith("open")
  const isProcessing = (place: Place): boolean => place.startsWith("processing")
  const processing = { Processing: told({ _tag: "Processing" }, { payment: null }) }
  const ended = { Ended: told({ _tag: "Ended" }, { payment: null }) }
  each(processing, everywhere.filter(isOpen), "Process")
  each(processing, everywhere.filter((place) => !isOpen(place)), "ignored")
  each(ended, everywhere.filter((place) => isOpen(place) || isProcessing(place)), "Close")
  each(ended, everywhere.filter((place) => !isOpen(place) && !isProcessing(place)), "ignored")
  each({ Nothing: told({ _tag: "Nothing", why: "of no consequence" }) }, everywhere, "ignored")
  each({ Unreadable: told({ _tag: "Unreadable", why: "no amount" }) }, everywhere, "needs_review")

  const finished = { kind: "TRADE_FINISHED", provider: "epay" as const }
  const end = (more: Partial<PaymentFact> = {}) =>
    told({ _tag: "Unreadable", why: "the trade is finished" }, { ...finished, ...more })
  each({ "TRADE_FINISHED": end() }, byThis, "duplicate")
  each(
    { "TRADE_FINISHED, never settled": end() },
    everywhere.filter((place) => !byThis.includes(place)),
    "needs_review"
  )
  each(
    {
      "TRADE_FINISHED of no trade": end({ payment: null }),
      "TRADE_FINISHED, of another provider": end({ provider: "stripe" })
    },
    [...fulfillable, ...byAnother],
    "needs_review"
  )

  it("says why, in words that name what was asked for and what came", () => {
    const decision = decide(paid({ amountMinor: 1n }), namedAt("open, pending"))
    assert.strictEqual(
      decision._tag === "Note" ? wordsOf(decision.reason) : "",
      "paid 1 cny, asked for 1000 cny (minor units)"
    )
  })

  it("an outcome is final unless its event waits or was only received", () => {
    const outcomes: ReadonlyArray<readonly [EventOutcome, boolean]> = [
      ["received", false],
      ["deferred", false],
      ["applied", true],
      ["duplicate", true],
      ["ignored", true],
      ["needs_review", true]
    ]
    for (const [outcome, expected] of outcomes) assert.strictEqual(isFinal(outcome), expected, outcome)
  })
})
