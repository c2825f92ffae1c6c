import { type EventOutcome, isFinal } from "../../src/orders/Settlement.ts"
import { assert, describe, it } from "@effect/vitest"
import { DateTime } from "effect"
import type { FactBody, PaymentFact } from "../../src/payments/PaymentFact.ts"
import type { Attempt, Order, OrderState } from "../../src/orders/Order.ts"
import { judge } from "../../src/events/PaymentRules.ts"

const epoch = DateTime.toDate(DateTime.makeUnsafe(0))

const order = (state: OrderState): Order => ({
  id: 1n,
  kind: state === "active" ? "subscription" : "topup",
  userId: 1n,
  amountFen: 1_000n,
  creditMicros: 1_400_000n,
  terms: null,
  state,
  subscriptionId: null,
  createdAt: epoch,
  expiresAt: epoch,
  settledAt: null
})

const attempt = (state: Attempt["state"], payment: string | null = state === "paid" ? "pay_1" : null): Attempt => ({
  id: 1n,
  orderKind: "topup",
  orderId: 1n,
  provider: "epay",
  method: "alipay",
  amountMinor: 1_000n,
  currency: "cny",
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

const about = (more: object = {}): Readonly<Record<string, PaymentFact>> => ({
  Refunded: told({ _tag: "Refunded", amountMinor: 400n, currency: "cny" }, more),
  RefundFailed: told({ _tag: "RefundFailed", refund: "re_1", amountMinor: 400n, currency: "cny" }, more),
  DisputeOpened: told({ _tag: "DisputeOpened", dispute: "dp_1", amountMinor: 400n, currency: "cny" }, more),
  DisputeClosed: told({ _tag: "DisputeClosed", dispute: "dp_1", won: true, amountMinor: 400n, currency: "cny" }, more)
})

/** Every place an order and the attempt that is named can be in together; null when there is none of ours. */
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

const judged = (fact: PaymentFact, place: Place): string => {
  const at = places[place]
  const verdict = judge(fact, at?.[0], at?.[1])
  return verdict._tag === "Note" ? verdict.outcome : verdict._tag
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
      for (const place of where) assert.strictEqual(judged(fact, place), expected, place)
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
  each({ "right": paid() }, [...byAnother, "unknown"], "exception")
  each(
    {
      "too little": paid({ amountMinor: 999n }),
      "too much": paid({ amountMinor: 1_001n }),
      "in another currency": paid({ currency: "usd" }),
      "to another merchant": paid({ merchant: "1002" }),
      "to no merchant": paid({ merchant: "" }),
      "by no payment": told(paid(), { payment: null }),
      "for another reference": told(paid(), { reference: "topup_2_nonce" }),
      "for no reference": told(paid(), { reference: null })
    },
    everywhere,
    "exception"
  )
})

describe("what refunds and disputes mean", () => {
  each(about(), byThis, "TakeBack")
  each(about(), fulfillable, "parked")
  each(about(), byAnother, "ignored")
  each(about(), ["unknown"], "parked")
  each(about({ currency: "usd" }), byThis, "exception")
  each(about({ payment: null }), everywhere, "ignored")
  each(about({ reference: null }), byThis, "TakeBack")
  const { Refunded, ...unnamed } = about({ reference: null })
  if (Refunded !== undefined) each({ "Refunded, without our reference": Refunded }, ["unknown"], "ignored")
  each(unnamed, ["unknown"], "parked")
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
  each({ Unreadable: told({ _tag: "Unreadable", why: "no amount" }) }, everywhere, "exception")

  const finished = { kind: "TRADE_FINISHED", provider: "epay" as const }
  const end = (more: Partial<PaymentFact> = {}) =>
    told({ _tag: "Unreadable", why: "the trade is finished" }, { ...finished, ...more })
  each({ "TRADE_FINISHED": end() }, byThis, "duplicate")
  each({ "TRADE_FINISHED, never settled": end() }, everywhere.filter((place) => !byThis.includes(place)), "exception")
  each(
    {
      "TRADE_FINISHED of another trade": end({ payment: "pay_9" }),
      "TRADE_FINISHED of no trade": end({ payment: null }),
      "TRADE_FINISHED, of another provider": end({ provider: "stripe" })
    },
    everywhere,
    "exception"
  )

  it("says why, in words that name what was asked for and what came", () => {
    const verdict = judge(paid({ amountMinor: 1n }), ...places["open, pending"])
    assert.strictEqual(
      verdict._tag === "Note" ? verdict.note : "",
      "paid 1 cny, asked for 1000 cny (minor units)"
    )
  })

  it("an outcome is final unless its event waits or was only received", () => {
    const outcomes: ReadonlyArray<readonly [EventOutcome, boolean]> = [
      ["received", false],
      ["parked", false],
      ["applied", true],
      ["duplicate", true],
      ["ignored", true],
      ["exception", true]
    ]
    for (const [outcome, expected] of outcomes) assert.strictEqual(isFinal(outcome), expected, outcome)
  })
})
