/**
 * What a notify says: verified over everything it carries, refused when it is not the gateway's, and money only when the
 * gateway says so in words that can be read.
 */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Redacted } from "effect"
import { createHash } from "node:crypto"
import { readNotify } from "../../src/payments/EpayNotify.ts"
import { type EpayParams, sign } from "../../src/payments/EpaySignature.ts"
import type { PaymentFact } from "../../src/payments/PaymentFact.ts"
import { withoutEvidence } from "../support/WithoutEvidence.ts"
import { epayConfig, KEY, shown, vectors } from "./EpayWorld.ts"

const TRADE = "20160806151343349021"

const signed = (
  params: EpayParams,
  key = KEY
): EpayParams => [...params, ["sign", sign(params, key)], ["sign_type", "MD5"]]

/** The notify with values replaced; `undefined` leaves a parameter out. */
const told = (changed: { readonly [name: string]: string | undefined } = {}): EpayParams => {
  const values = { ...Object.fromEntries(vectors.notify.params), ...changed }
  return signed(Object.entries(values).flatMap(([name, value]) => value === undefined ? [] : [[name, value] as const]))
}

const read = (params: EpayParams, config = epayConfig()) => Effect.map(readNotify(params, config), withoutEvidence)

const doubtOf = (params: EpayParams, config = epayConfig()) =>
  Effect.map(Effect.flip(read(params, config)), (error) => {
    assert.notInclude(shown(error), KEY)
    return [error._tag, error.why]
  })

/** The identity of a paid trade: the gateway, the merchant, the trade and its status, and what was paid for which reference. */
const keyOf = (
  { fen = 2000, host = "pay.example.com", reference = "topup_1001", trade = TRADE }: {
    readonly fen?: number
    readonly host?: string
    readonly reference?: string
    readonly trade?: string
  }
) => {
  const paidFor = createHash("sha256").update(`${reference}\n${fen}`).digest("hex").slice(0, 16)
  return `${host}:1001:${trade}:TRADE_SUCCESS:${paidFor}`
}

const paid: Extract<PaymentFact, { readonly _tag: "Paid" }> = {
  _tag: "Paid",
  provider: "epay",
  eventKey: keyOf({}),
  gateway: "pay.example.com",
  account: "1001",
  kind: "TRADE_SUCCESS",
  payment: TRADE,
  reference: "topup_1001",
  atSeconds: 0,
  merchant: "1001",
  method: "alipay",
  amountMinor: 2000n,
  currency: "cny"
}

describe("EpayNotify", () => {
  it.effect("reads the protocol's vector as a payment", () =>
    Effect.gen(function*() {
      const { params, sign } = vectors.notify
      assert.deepStrictEqual(yield* read([...params, ["sign", sign], ["sign_type", "MD5"]]), paid)
      assert.deepStrictEqual(yield* read([["sign", sign.toUpperCase()], ...params.toReversed()]), paid)
    }))

  it.effect.each<[{ readonly [name: string]: string | undefined }, object]>([
    [{ money: "20" }, {}],
    [{ money: "20.0" }, {}],
    [{ money: "0.01" }, { amountMinor: 1n, eventKey: keyOf({ fen: 1 }) }],
    [{ type: "wxpay" }, { method: "wxpay" }],
    [{ type: undefined }, { method: null }],
    [{ name: undefined, param: "x", buyer: "somebody" }, {}],
    [{ out_trade_no: "sub_2" }, { reference: "sub_2", eventKey: keyOf({ reference: "sub_2" }) }],
    [{ trade_no: "T2" }, { payment: "T2", eventKey: keyOf({ trade: "T2" }) }]
  ])("reads a payment with %j", ([changed, expected]) =>
    Effect.gen(function*() {
      assert.deepStrictEqual<unknown>(yield* read(told(changed)), { ...paid, ...expected })
    }))

  it.effect("goes on verifying while EPay is switched off", () =>
    Effect.gen(function*() {
      const off = epayConfig({ enabled: false, types: [] })
      assert.deepStrictEqual(yield* read(told(), off), paid)
      assert.deepStrictEqual(yield* doubtOf(told().slice(0, -2), off), [
        "NotVerified",
        "the signature is missing or wrong"
      ])
    }))

  it.effect("verifies nothing without a key, not even what is signed with none", () =>
    Effect.gen(function*() {
      const keyless = epayConfig({ key: Redacted.make("") })
      for (const params of [signed(vectors.notify.params, ""), told(), []]) {
        assert.deepStrictEqual(yield* doubtOf(params, keyless), ["NotVerified", "there is no key to verify with"])
      }
    }))

  it.effect.each<[string, EpayParams]>([
    ["no parameters", []],
    ["no signature", vectors.notify.params],
    ["an empty signature", [...vectors.notify.params, ["sign", ""]]],
    ["a short signature", [...vectors.notify.params, ["sign", vectors.notify.sign.slice(1)]]],
    ["another's signature", signed(vectors.notify.params, "another key")],
    ["the form that started it, whose signature every payer sees", [
      ...vectors.english.params,
      ["trade_status", "TRADE_SUCCESS"],
      ["sign", vectors.english.sign]
    ]],
    ["a changed amount", [
      ...vectors.notify.params.map(([name, value]) => [name, name === "money" ? "2000.00" : value] as const),
      ["sign", vectors.notify.sign]
    ]],
    ["something added", [...vectors.notify.params, ["extra", "1"], ["sign", vectors.notify.sign]]]
  ])("refuses %s", ([, params]) =>
    Effect.gen(function*() {
      assert.deepStrictEqual(yield* doubtOf(params), ["NotVerified", "the signature is missing or wrong"])
    }))

  it.effect.each<[string, EpayParams]>([
    ["another value", signed([["money", "0.01"], ...vectors.notify.params])],
    ["an empty value, which is not signed", [...told(), ["money", ""]]],
    ["no value in the first", [["money", ""], ...told()]],
    ["two signatures", [...told(), ["sign", "0".repeat(32)]]],
    ["two sign_types", [...told(), ["sign_type", "RSA"]]]
  ])("refuses a parameter given twice with different values: %s", ([, params]) =>
    Effect.gen(function*() {
      assert.deepStrictEqual(yield* doubtOf(params), [
        "NotVerified",
        "a parameter is given twice with different values"
      ])
    }))

  it.effect.each<[string, EpayParams]>([
    ["everything, as in the query and in the form", [...told(), ...told()]],
    ["the amount", [["money", "20.00"], ...told()]],
    ["the signature", [...told(), ["sign", vectors.notify.sign]]],
    ["an empty value", [["param", ""], ...told(), ["param", ""]]]
  ])("reads a parameter once that is given twice with the same value: %s", ([, params]) =>
    Effect.gen(function*() {
      assert.deepStrictEqual(yield* read(params), paid)
    }))

  it.effect("refuses a value that is signed twice over: the signature is of each name once", () =>
    Effect.gen(function*() {
      const twice = [...vectors.notify.params, ["money", "20.00"]] as const
      assert.deepStrictEqual(yield* doubtOf(signed(twice)), ["NotVerified", "the signature is missing or wrong"])
    }))

  it.effect("refuses more than it needs to look at, signed or not", () =>
    Effect.gen(function*() {
      const many = (count: number) => Array.from({ length: count }, (_, index) => [`p${index}`, "1"] as const)
      const room = 64 - told().length
      assert.strictEqual((yield* read(signed([...vectors.notify.params, ...many(room)])))._tag, "Paid")
      assert.deepStrictEqual(yield* doubtOf(signed([...vectors.notify.params, ...many(room + 1)])), [
        "NotVerified",
        "too many parameters"
      ])
      assert.deepStrictEqual(yield* doubtOf(told({ param: "x".repeat(16_384) })), [
        "NotVerified",
        "the parameters are too long"
      ])
    }))

  it.effect("says nothing of a trade that is not paid", () =>
    Effect.gen(function*() {
      for (const status of ["WAIT_BUYER_PAY", "TRADE_CLOSED", "trade_finished", "trade_success", "TRADE_SUCCESS "]) {
        const fact = yield* read(told({ trade_status: status }))
        assert.strictEqual(fact._tag, "Nothing")
        assert.strictEqual(fact.eventKey, `pay.example.com:1001:${TRADE}:${status}`)
      }
      assert.strictEqual((yield* read(told({ trade_status: undefined })))._tag, "Nothing")
    }))

  it.effect("takes the start form's signature for no payment", () =>
    Effect.gen(function*() {
      const { params, sign } = vectors.english
      assert.strictEqual((yield* read([...params, ["sign", sign], ["sign_type", "MD5"]]))._tag, "Nothing")
    }))

  it.effect.each<[{ readonly [name: string]: string | undefined }, string]>([
    [{ pid: "1002" }, "the pid is another merchant's"],
    [{ pid: "" }, "the pid is another merchant's"],
    [{ pid: undefined }, "the pid is another merchant's"],
    [{ pid: "1001 " }, "the pid is another merchant's"],
    [
      { trade_status: "TRADE_FINISHED" },
      "the trade is finished (TRADE_FINISHED): look at the gateway whether it was paid"
    ],
    [{ pid: "1002", trade_status: "TRADE_FINISHED" }, "the pid is another merchant's"],
    [{ pid: "1002", trade_status: "WAIT_BUYER_PAY" }, "the pid is another merchant's"],
    [{ trade_no: undefined }, "trade_no or out_trade_no is missing"],
    [{ trade_no: "" }, "trade_no or out_trade_no is missing"],
    [{ out_trade_no: undefined }, "trade_no or out_trade_no is missing"],
    ...[undefined, "", "-20", "2e1", "20.001", "+20", " 20", "9".repeat(40)].map((money) =>
      [{ money }, "the money is no amount"] satisfies [object, string]
    )
  ])("is at a loss, for people to look, about %j", ([changed, why]) =>
    Effect.gen(function*() {
      const fact = yield* read(told(changed))
      assert.strictEqual(fact._tag, "Unreadable")
      assert.strictEqual(fact._tag === "Unreadable" ? fact.why : "", why)
      assert.notStrictEqual(fact.eventKey, paid.eventKey)
      assert.match(fact.eventKey, /:unreadable:[0-9a-f]{16}$/)
    }))

  it.effect("believes no pid while none is set", () =>
    Effect.gen(function*() {
      assert.strictEqual((yield* read(told({ pid: "" }), epayConfig({ partnerId: "" })))._tag, "Unreadable")
      assert.strictEqual((yield* read(told({ pid: undefined }), epayConfig({ partnerId: "" })))._tag, "Unreadable")
    }))

  it.effect("tells unreadable tellings apart, and knows the same one again", () =>
    Effect.gen(function*() {
      const key = (changed: { readonly [name: string]: string | undefined }) =>
        Effect.map(read(told(changed)), (fact) => fact.eventKey)
      assert.strictEqual(yield* key({ money: "x" }), yield* key({ money: "x" }))
      assert.notStrictEqual(yield* key({ money: "x" }), yield* key({ money: "y" }))
      assert.notStrictEqual(yield* key({ trade_no: "" }), yield* key({ trade_no: "", out_trade_no: "topup_1002" }))
    }))

  it.effect("is the same event for the same trade, reference and amount, whatever else it says", () =>
    Effect.gen(function*() {
      for (const changed of [{ money: "20" }, { type: "wxpay" }, { param: "again" }]) {
        assert.strictEqual((yield* read(told(changed))).eventKey, paid.eventKey)
      }
      for (const changed of [{ money: "30" }, { out_trade_no: "topup_7" }, { trade_no: "T2" }]) {
        assert.notStrictEqual((yield* read(told(changed))).eventKey, paid.eventKey)
      }
      const elsewhere = yield* read(told(), epayConfig({ gateway: "https://pay.example.com:8443/" }))
      assert.strictEqual(elsewhere.eventKey, keyOf({ host: "pay.example.com:8443" }))
      const slash = yield* read(told(), epayConfig({ gateway: "https://PAY.example.com//" }))
      assert.strictEqual(slash.eventKey, paid.eventKey)
    }))

  it.effect("keeps the identity of a long trade number short, and its own", () =>
    Effect.gen(function*() {
      const key = (trade_no: string) => Effect.map(read(told({ trade_no })), (fact) => fact.eventKey)
      const long = yield* key("9".repeat(500))
      assert.match(long, /^sha256:[0-9a-f]{64}$/)
      assert.strictEqual(yield* key("9".repeat(500)), long)
      assert.notStrictEqual(yield* key(`${"9".repeat(499)}8`), long)
    }))
})
