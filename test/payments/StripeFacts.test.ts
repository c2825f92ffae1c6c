/**
 * Every event of Stripe that says something of money, in the settlement's language; and what says nothing, or nothing that
 * can be understood.
 */
import { assert, describe, it } from "@effect/vitest"
import { readFileSync } from "node:fs"
import type { FactBody, PaymentFact } from "../../src/payments/PaymentFact.ts"
import { stripeEventTypes } from "../../src/payments/StripeEventTypes.ts"
import { eventFact } from "../../src/payments/StripeFacts.ts"

type Json = { readonly [name: string]: unknown }

const event = (type: string, object: unknown): Json => ({
  id: "evt_1",
  object: "event",
  created: 1_700_000_000,
  type,
  data: { object }
})

const factOf = (type: string, object: unknown): PaymentFact => {
  const fact = eventFact(event(type, object), true)
  if (fact === undefined) throw new Error(`no fact of ${type}`)
  return fact
}

/** Without what all facts of these tests have alike. */
const bodyOf = (type: string, object: unknown): FactBody & Pick<PaymentFact, "payment" | "reference"> => {
  const { atSeconds, eventKey, kind, provider, ...rest } = factOf(type, object)
  assert.deepStrictEqual([provider, eventKey, kind, atSeconds], ["stripe", "evt_1", type, 1_700_000_000])
  return rest
}

const session = (changed: Json = {}): Json => ({
  id: "cs_1",
  object: "checkout.session",
  client_reference_id: "topup_1",
  metadata: { reference: "topup_1" },
  status: "complete",
  payment_status: "paid",
  payment_intent: "pi_1",
  amount_total: 2000,
  currency: "cny",
  ...changed
})

const charge = (changed: Json = {}): Json => ({
  id: "ch_1",
  object: "charge",
  amount: 2000,
  amount_refunded: 500,
  currency: "cny",
  metadata: { reference: "topup_1" },
  payment_intent: "pi_1",
  ...changed
})

const refund = (changed: Json = {}): Json => ({
  id: "re_1",
  object: "refund",
  amount: 500,
  currency: "cny",
  payment_intent: "pi_1",
  metadata: {},
  status: "failed",
  ...changed
})

const dispute = (changed: Json = {}): Json => ({
  id: "du_1",
  object: "dispute",
  amount: 2000,
  currency: "cny",
  payment_intent: "pi_1",
  status: "needs_response",
  ...changed
})

const ours = { payment: "pi_1", reference: "topup_1" }
const unnamed = { payment: "pi_1", reference: null }
const money = { amountMinor: 2000n, currency: "cny" }
const part = { amountMinor: 500n, currency: "cny" }
const paid = { _tag: "Paid", merchant: null, method: null, ...money, ...ours }
const refundOf = (state: string) => ({ _tag: "Refund", refund: "re_1", own: null, state, ...part, ...unnamed })
const disputeOf = (status: string, more: Json = {}) => ({
  _tag: "Dispute",
  dispute: "du_1",
  status,
  takenMinor: null,
  reason: "",
  dueBySeconds: null,
  ...money,
  ...unnamed,
  ...more
})

const COMPLETED = "checkout.session.completed"
const SUCCEEDED = "checkout.session.async_payment_succeeded"
const FAILED = "checkout.session.async_payment_failed"
const EXPIRED = "checkout.session.expired"

describe("StripeFacts", () => {
  it.each<[type: string, what: string, object: Json, fact: Json]>([
    [COMPLETED, "paid", session(), paid],
    [COMPLETED, "unpaid", session({ payment_status: "unpaid" }), { _tag: "Processing", ...ours }],
    [COMPLETED, "with nothing to pay", session({ payment_status: "no_payment_required" }), { _tag: "Ended", ...ours }],
    [SUCCEEDED, "paid", session(), paid],
    [FAILED, "unpaid", session({ payment_status: "unpaid" }), { _tag: "Ended", ...ours }],
    [EXPIRED, "unpaid", session({ status: "expired", payment_status: "unpaid", payment_intent: null }), {
      _tag: "Ended",
      payment: null,
      reference: "topup_1"
    }],
    ["charge.refunded", "in part", charge(), { _tag: "Refunded", ...part, ...ours }],
    ["charge.refunded", "in full", charge({ amount_refunded: 2000 }), { _tag: "Refunded", ...money, ...ours }],
    ["charge.refunded", "no more", charge({ amount_refunded: 0 }), {
      _tag: "Refunded",
      amountMinor: 0n,
      currency: "cny",
      ...ours
    }],
    ["refund.updated", "failed", refund(), refundOf("failed")],
    ["refund.updated", "canceled", refund({ status: "canceled" }), refundOf("canceled")],
    ["refund.failed", "failed", refund(), refundOf("failed")],
    ["charge.refund.updated", "failed", refund(), refundOf("failed")],
    ["refund.created", "under way", refund({ status: "pending" }), refundOf("pending")],
    ["refund.updated", "succeeded", refund({ status: "succeeded" }), refundOf("succeeded")],
    ["refund.updated", "waiting for the payer", refund({ status: "requires_action" }), refundOf("requires_action")],
    ["refund.updated", "asked for by us", refund({ status: "succeeded", metadata: { realms_refund: "17" } }), {
      ...refundOf("succeeded"),
      own: 17n
    }],
    ["refund.updated", "with an invalid row", refund({ status: "succeeded", metadata: { realms_refund: "0x1" } }), {
      ...refundOf("succeeded")
    }],
    ["charge.dispute.funds_withdrawn", "under review", dispute({ status: "under_review" }), disputeOf("under_review")],
    ["charge.dispute.funds_reinstated", "won", dispute({ status: "won" }), disputeOf("won")],
    [
      "charge.dispute.created",
      "an inquiry",
      dispute({ status: "warning_needs_response", reason: "general" }),
      disputeOf("warning_needs_response", { reason: "general" })
    ],
    [
      "charge.dispute.updated",
      "prevented",
      dispute({ status: "prevented", evidence_details: { due_by: 1_800_000_000 } }),
      disputeOf("prevented", { dueBySeconds: 1_800_000_000 })
    ],
    [
      "charge.dispute.updated",
      "with an invalid time",
      dispute({ evidence_details: { due_by: 1e15 } }),
      disputeOf("needs_response")
    ],
    [
      "charge.dispute.created",
      "with what the balance says",
      dispute({
        balance_transactions: [{ amount: -2000, currency: "cny", fee: 1500 }, { amount: 500, currency: "CNY" }]
      }),
      disputeOf("needs_response", { takenMinor: 1_500n })
    ],
    [
      "charge.dispute.closed",
      "with a balance of another currency",
      dispute({ status: "won", balance_transactions: [{ amount: -280, currency: "usd" }] }),
      disputeOf("won")
    ],
    ["radar.early_fraud_warning.created", "a warning", {
      id: "issfr_1",
      object: "radar.early_fraud_warning",
      fraud_type: "made_with_stolen_card",
      payment_intent: "pi_1"
    }, {
      _tag: "FraudWarning",
      fraudType: "made_with_stolen_card",
      ...unnamed
    }],
    ["charge.dispute.created", "open", dispute(), disputeOf("needs_response")],
    ["charge.dispute.closed", "lost", dispute({ status: "lost" }), disputeOf("lost")],
    ["charge.dispute.closed", "in an unknown state", dispute({ status: "settled" }), disputeOf("settled")]
  ])("translates %s: %s", (type, _, object, fact) => {
    assert.deepStrictEqual<unknown>(bodyOf(type, object), fact)
    const intent = object["payment_intent"]
    // Expanded, the intent is an object.
    if (typeof intent !== "string") return
    const expanded = { ...object, payment_intent: { id: intent, object: "payment_intent", status: "processing" } }
    assert.deepStrictEqual<unknown>(bodyOf(type, expanded), fact)
  })

  it.each<[type: string, what: string, object: Json]>([
    [COMPLETED, "a session of somebody else", session({ client_reference_id: null, metadata: {} })],
    [COMPLETED, "a session with neither", session({ client_reference_id: undefined, metadata: null })],
    [COMPLETED, "references that are no text", session({ client_reference_id: 7, metadata: { reference: "" } })],
    [SUCCEEDED, "a session of somebody else", session({ client_reference_id: null, metadata: {} })],
    [FAILED, "a session of somebody else", session({ client_reference_id: null, metadata: {} })],
    [EXPIRED, "a session of somebody else", session({ client_reference_id: null, metadata: {}, status: "expired" })],
    [COMPLETED, "an open session", session({ status: "open", payment_status: "unpaid" })],
    [COMPLETED, "a status that is unknown", session({ status: null, payment_status: null })],
    [SUCCEEDED, "a payment status that is unknown", session({ payment_status: "Paid" })],
    ["payment_intent.succeeded", "an event of another kind", { id: "pi_1", amount: 2000, currency: "cny" }],
    ["checkout.session.completed ", "a kind with a space", session()],
    ["constructor", "a kind of no kind", session()]
  ])("finds nothing in %s: %s", (type, _, object) => {
    assert.strictEqual(bodyOf(type, object)._tag, "Nothing")
  })

  it("takes a reference of our form from metadata only, never from what a payer may fill in", () => {
    const reference = (changed: Json) => factOf(COMPLETED, session(changed)).reference
    assert.strictEqual(reference({ metadata: { realms_reference: "sub_3_c", reference: "topup_1_a" } }), "sub_3_c")
    assert.strictEqual(reference({ client_reference_id: "sub_3_c", metadata: { reference: "topup_1_a" } }), "topup_1_a")
    assert.isNull(reference({ client_reference_id: "topup_1_a", metadata: { reference: "INV-2024" } }))
    assert.isNull(reference({ client_reference_id: "topup_1_a", metadata: {} }))
    assert.isNull(reference({ client_reference_id: "sub_2_b", metadata: null }))
    assert.isNull(reference({ client_reference_id: null, metadata: { reference: "INV-2024-001" } }))
  })

  it("tells a delayed payment that has failed from one under way by its intent", () => {
    const tag = (status: string) =>
      bodyOf(COMPLETED, session({ payment_status: "unpaid", payment_intent: { id: "pi_1", status } }))._tag
    assert.strictEqual(tag("processing"), "Processing")
    assert.strictEqual(tag("succeeded"), "Processing")
    assert.strictEqual(tag("requires_payment_method"), "Ended")
    assert.strictEqual(tag("canceled"), "Ended")
  })

  it("leaves a dispute without its payment or its state to people", () => {
    const bare = dispute({ payment_intent: null, charge: null })
    for (
      const unreadable of [
        bare,
        dispute({ status: "s".repeat(101) }),
        dispute({ status: null }),
        dispute({ id: null }),
        dispute({ amount: "7" })
      ]
    ) {
      assert.strictEqual(bodyOf("charge.dispute.created", unreadable)._tag, "UnreadableClawback")
    }
    const expanded = dispute({ payment_intent: null, charge: { id: "ch_1", payment_intent: "pi_9" } })
    assert.strictEqual(factOf("charge.dispute.created", expanded).payment, "pi_9")
  })

  it("names the charge of a refund, dispute or warning without a payment intent, so that its payment can be asked for", () => {
    const bare = { payment_intent: null, charge: "ch_1" }
    for (
      const [type, object] of [
        ["refund.updated", refund(bare)],
        ["charge.dispute.created", dispute(bare)],
        ["radar.early_fraud_warning.created", { id: "issfr_1", ...bare }]
      ] as const
    ) {
      const { charge, payment } = factOf(type, object)
      assert.deepStrictEqual([payment, charge], [null, "ch_1"], type)
      assert.isUndefined(factOf(type, { ...object, payment_intent: "pi_1" }).charge)
    }
  })

  it("takes no text for an id, a state or a currency that no row could keep, and cuts what is only shown", () => {
    const long = "x".repeat(3_000)
    assert.isNull(factOf(COMPLETED, session({ payment_intent: `pi_${long}` })).payment)
    assert.isNull(factOf(COMPLETED, session({ metadata: { realms_reference: `topup_1_${long}` } })).reference)
    assert.strictEqual(factOf(COMPLETED, session({ currency: long }))._tag, "Unreadable")
    assert.strictEqual(factOf("refund.updated", refund({ id: long }))._tag, "UnreadableClawback")
    assert.strictEqual(factOf("charge.dispute.created", dispute({ id: long }))._tag, "UnreadableClawback")
    const sum = Array.from({ length: 2_000 }, () => ({ amount: -Number.MAX_SAFE_INTEGER, currency: "cny" }))
    const told = factOf("charge.dispute.created", dispute({ reason: long, balance_transactions: sum }))
    assert.isTrue(told._tag === "Dispute" && told.reason.length === 101 && told.takenMinor === null)
    const odd = eventFact({ ...event(long, session()), id: `evt_${long}` }, true)
    assert.match(odd?.eventKey ?? "", /^sha256:[0-9a-f]{64}$/)
    assert.strictEqual(odd?.kind.length, 101)
    for (const created of [-1, 1e15, Number.MAX_SAFE_INTEGER]) {
      assert.strictEqual(eventFact({ ...event(COMPLETED, session()), created }, true)?.atSeconds, 0)
    }
  })

  it("leaves a session that is paid, and that its event calls ended, to people", () => {
    for (const type of [FAILED, EXPIRED]) assert.strictEqual(factOf(type, session())._tag, "Unreadable")
  })

  it("leaves a refund in an unknown state, without an id or an amount to people", () => {
    for (
      const changed of [{ status: undefined }, { status: "teleported" }, { id: null }, { amount: -1 }, { currency: 7 }]
    ) {
      assert.strictEqual(bodyOf("refund.updated", refund(changed))._tag, "UnreadableClawback")
    }
    assert.strictEqual(bodyOf("charge.refunded", charge({ amount_refunded: "7" }))._tag, "UnreadableClawback")
  })

  it("takes no money from an event of the test mode under a live key, nor from a connected account", () => {
    const test = { ...event(COMPLETED, session()), livemode: false }
    const fact = eventFact(test, true)
    assert.deepStrictEqual([fact?._tag, fact?.payment, fact?.reference], ["TestMode", null, "topup_1"])
    assert.strictEqual(eventFact(test, false)?._tag, "Paid")
    assert.strictEqual(eventFact({ ...test, livemode: true }, true)?._tag, "Paid")
    const inside = { ...event(COMPLETED, session({ livemode: false })), livemode: true }
    for (const doubtful of [inside, { ...test, livemode: "false" }, { ...test, livemode: 0 }]) {
      assert.strictEqual(eventFact(doubtful, true)?._tag, "TestMode")
    }
    const connected = eventFact({ ...test, livemode: true, account: "acct_1" }, true)
    assert.deepStrictEqual([connected?._tag, connected?.payment], ["Nothing", null])
  })

  it("takes a refund's failure from its event, whatever the refund says of itself", () => {
    assert.deepStrictEqual<unknown>(bodyOf("refund.failed", refund({ status: "succeeded" })), refundOf("failed"))
  })

  it("writes currencies in lower case", () => {
    const upper = { currency: "CNY" }
    for (
      const [type, object] of [
        [COMPLETED, session(upper)],
        ["charge.refunded", charge(upper)],
        ["refund.failed", refund(upper)],
        ["charge.dispute.created", dispute(upper)],
        ["charge.dispute.closed", dispute({ ...upper, status: "lost" })]
      ] as const
    ) {
      const fact = factOf(type, object)
      assert.strictEqual("currency" in fact ? fact.currency : "", "cny", type)
    }
  })

  const amounts: ReadonlyArray<readonly [type: string, name: string, make: (changed: Json) => Json]> = [
    [COMPLETED, "amount_total", session],
    [SUCCEEDED, "amount_total", session],
    ["charge.refunded", "amount_refunded", charge],
    ["refund.failed", "amount", refund],
    ["charge.dispute.created", "amount", dispute],
    ["charge.dispute.closed", "amount", (changed) => dispute({ status: "lost", ...changed })]
  ]
  it.each(amounts)("cannot read %s without a whole %s and a currency", (type, name, make) => {
    const unreadable = type.startsWith("checkout") ? "Unreadable" : "UnreadableClawback"
    for (const amount of [-1, 0.5, 2000.01, null, undefined, "2000", true, 2 ** 53, Number.NaN, {}, [2000]]) {
      const fact = factOf(type, make({ [name]: amount }))
      assert.strictEqual(fact._tag, unreadable, String(amount))
      assert.strictEqual(fact.payment, "pi_1")
    }
    for (const currency of [null, undefined, "", 156]) {
      assert.strictEqual(factOf(type, make({ currency }))._tag, unreadable, String(currency))
    }
    assert.notStrictEqual(factOf(type, make({ [name]: Number.MAX_SAFE_INTEGER }))._tag, unreadable)
  })

  it("cannot read a refund or a dispute without an id", () => {
    assert.strictEqual(factOf("refund.failed", refund({ id: "" }))._tag, "UnreadableClawback")
    assert.strictEqual(factOf("charge.dispute.created", dispute({ id: undefined }))._tag, "UnreadableClawback")
    assert.strictEqual(factOf("charge.dispute.closed", dispute({ id: null }))._tag, "UnreadableClawback")
  })

  it.each([undefined, null, {}, "evt_1", 1, [], [event(COMPLETED, session())], { id: "evt_1" }, { type: COMPLETED }])(
    "finds no event in %j",
    (json) => assert.isUndefined(eventFact(json, true))
  )

  it("finds no event without a proper id and type", () => {
    for (const changed of [{ id: "" }, { id: 1 }, { id: null }, { type: "" }, { type: 2 }]) {
      assert.isUndefined(eventFact({ ...event(COMPLETED, session()), ...changed }, true))
    }
  })

  it("cannot read an event without an object, and reads one without a time", () => {
    for (const data of [undefined, null, {}, { object: null }, { object: "cs_1" }, { object: [session()] }]) {
      assert.strictEqual(eventFact({ ...event(COMPLETED, session()), data }, true)?._tag, "Unreadable")
    }
    for (const created of [undefined, null, "now", 1.5]) {
      assert.strictEqual(eventFact({ ...event(COMPLETED, session()), created }, true)?.atSeconds, 0)
    }
  })
})

describe("the events that Stripe is asked to send", () => {
  const docs = readFileSync(new URL("../../docs/payments.md", import.meta.url), "utf8")
  it("are known, each of them, and named in the docs", () => {
    for (const type of stripeEventTypes) {
      assert.notMatch(JSON.stringify(bodyOf(type, {})), /say nothing of orders/, type)
      assert.include(docs, `\`${type}\``)
    }
  })
})
