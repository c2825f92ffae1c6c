/**
 * The form that starts a payment: the protocol's vectors field by field, and what no form is made for.
 */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Redacted } from "effect"
import { Buffer } from "node:buffer"
import { type EpayParams, verify } from "../../src/payments/EpaySignature.ts"
import { epayForm, type EpayOrder } from "../../src/payments/EpayStart.ts"
import { epayConfig, KEY, shown, vectors } from "./EpayWorld.ts"

const order = (changed: Partial<EpayOrder> = {}): EpayOrder => ({
  reference: "topup_1001",
  method: "alipay",
  amountFen: 2000n,
  name: "Realms Top-up topup_1001",
  notifyUrl: "https://realms.example.com/api/pay/epay/notify",
  returnUrl: "https://realms.example.com/pay/topup/1001",
  device: "pc",
  ...changed
})

const nameIn = (fields: EpayParams): string => new Map(fields).get("name") ?? ""

const sorted = (fields: EpayParams): EpayParams => fields.toSorted(([a], [b]) => (a < b ? -1 : 1))

describe("EpayStart", () => {
  it.effect.each([
    ["alipay", order(), vectors.english] as const,
    ["wxpay", order({ name: "余额充值", method: "wxpay" }), vectors.chinese] as const
  ])("makes the protocol's form for %s", ([, asked, vector]) =>
    Effect.gen(function*() {
      const { action, fields } = yield* epayForm(epayConfig(), asked)
      assert.strictEqual(action, "https://pay.example.com/submit.php")
      assert.deepStrictEqual(
        sorted(fields),
        sorted([...vector.params, ["sign", vector.sign], ["sign_type", "MD5"]])
      )
      assert.notInclude(shown(fields), KEY)
    }))

  it.effect("leaves the device out when it is not known", () =>
    Effect.gen(function*() {
      const { fields } = yield* epayForm(epayConfig(), order({ device: undefined }))
      assert.isFalse(fields.some(([name]) => name === "device"))
      assert.isTrue(verify(fields, KEY))
    }))

  it.effect.each<[gateway: string, action: string]>([
    ["https://pay.example.com", "https://pay.example.com/submit.php"],
    ["https://pay.example.com/", "https://pay.example.com/submit.php"],
    ["https://pay.example.com//", "https://pay.example.com/submit.php"],
    [" https://pay.example.com/epay/ ", "https://pay.example.com/epay/submit.php"],
    ["http://127.0.0.1:9000", "http://127.0.0.1:9000/submit.php"]
  ])("posts to the page of %j", ([gateway, action]) =>
    Effect.gen(function*() {
      assert.strictEqual((yield* epayForm(epayConfig({ gateway }), order())).action, action)
    }))

  it.effect.each<[name: string, cut: string]>([
    ["x".repeat(127), "x".repeat(127)],
    ["x".repeat(128), "x".repeat(127)],
    ["余".repeat(50), "余".repeat(42)],
    [`x${"余".repeat(50)}`, `x${"余".repeat(42)}`],
    [`xx${"余".repeat(50)}`, `xx${"余".repeat(41)}`],
    ["😀".repeat(40), "😀".repeat(31)],
    [`${"x".repeat(124)}😀`, "x".repeat(124)],
    [`${"x".repeat(123)}😀`, `${"x".repeat(123)}😀`],
    ["a\ud800b", "a\ufffdb"]
  ])("cuts the title %j before it signs", ([name, cut]) =>
    Effect.gen(function*() {
      const { fields } = yield* epayForm(epayConfig(), order({ name }))
      assert.strictEqual(nameIn(fields), cut)
      assert.isAtMost(Buffer.byteLength(nameIn(fields)), 127)
      assert.isTrue(verify(fields, KEY))
    }))

  it.effect("has no line breaks in the title, which a browser would write in its own way", () =>
    Effect.gen(function*() {
      const { fields } = yield* epayForm(epayConfig(), order({ name: "Basic\r\nplan\n\tfor\u0000you" }))
      assert.strictEqual(nameIn(fields), "Basic plan for you")
      assert.isTrue(verify(fields, KEY))
    }))

  it.effect.each<[bigint, string]>([[1n, "0.01"], [10n, "0.10"], [100n, "1.00"], [123_456_789n, "1234567.89"]])(
    "writes %s fen with two decimals",
    ([amountFen, money]) =>
      Effect.gen(function*() {
        const { fields } = yield* epayForm(epayConfig(), order({ amountFen }))
        assert.strictEqual(new Map(fields).get("money"), money)
      })
  )

  it.effect("signs neighbours apart", () =>
    Effect.gen(function*() {
      const signOf = (changed: Partial<EpayOrder>) =>
        Effect.map(epayForm(epayConfig(), order(changed)), ({ fields }) => new Map(fields).get("sign"))
      const changes: ReadonlyArray<Partial<EpayOrder>> = [
        {},
        { reference: "topup_1002" },
        { method: "wxpay" },
        { amountFen: 2001n },
        { name: "x" },
        { notifyUrl: "https://x" },
        { returnUrl: "https://x" },
        { device: "mobile" }
      ]
      assert.strictEqual(new Set(yield* Effect.forEach(changes, signOf)).size, changes.length)
    }))

  it.effect.each<[string, Parameters<typeof epayConfig>[0]]>([
    ["switched off", { enabled: false }],
    ["without a key", { key: Redacted.make("") }],
    ["without a pid", { partnerId: "" }],
    ["without a gateway", { gateway: "" }],
    ["with a gateway that is not an address", { gateway: "pay.example.com" }],
    ["with a gateway of another kind", { gateway: "javascript:alert(1)" }],
    ["with a password in the address", { gateway: "https://a:b@pay.example.com" }],
    ["with a query in the address", { gateway: "https://pay.example.com/?x=1" }],
    ["with a fragment in the address", { gateway: "https://pay.example.com/#x" }]
  ])("is off when %s", ([, changed]) =>
    Effect.gen(function*() {
      const error = yield* Effect.flip(epayForm(epayConfig(changed), order()))
      assert.strictEqual(error._tag, "ProviderOff")
      assert.notInclude(shown(error), KEY)
    }))

  it.effect.each<[string, Partial<EpayOrder>, string]>([
    ["a method that is not offered", { method: "qqpay" }, "this way of paying is not offered"],
    ["no method", { method: "" }, "this way of paying is not offered"],
    ["a method in capitals", { method: "Alipay" }, "this way of paying is not offered"],
    ["an amount of zero", { amountFen: 0n }, "the amount is not above zero"],
    ["an amount below zero", { amountFen: -1n }, "the amount is not above zero"]
  ])("refuses an order with %s", ([, changed, why]) =>
    Effect.gen(function*() {
      const error = yield* Effect.flip(epayForm(epayConfig(), order(changed)))
      assert.strictEqual(error._tag === "ProviderRefused" ? error.why : error._tag, why)
    }))
})
