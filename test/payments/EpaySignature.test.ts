/**
 * The EPay signature against the protocol's own vectors, and the law of it: what is signed verifies, and with any one
 * thing changed it does not.
 */
import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import { createHash } from "node:crypto"
import { type EpayParams, sign, verify } from "../../src/payments/EpaySignature.ts"
import { KEY, vectors } from "./EpayWorld.ts"

const signed = (
  params: EpayParams,
  key = KEY
): EpayParams => [...params, ["sign", sign(params, key)], ["sign_type", "MD5"]]

const Name = Schema.String.check(Schema.isPattern(/^[a-z_]{1,8}$/))
const Value = Schema.String.check(Schema.isPattern(/^[\w .:/&=%+余额充值😀-]{1,12}$/u))
const Params = Schema.Array(Schema.Tuple([Name, Value])).check(Schema.isMinLength(1), Schema.isMaxLength(8))

/** No name twice, and none that is not signed. */
const honest = (pairs: EpayParams): EpayParams => {
  const params = new Map(pairs)
  params.delete("sign")
  params.delete("sign_type")
  return [...params]
}

const replaced = (params: EpayParams, at: number, by: readonly [string, string]): EpayParams =>
  params.map((pair, index) => index === at ? by : pair)

describe("EpaySignature", () => {
  it.each(Object.entries(vectors))("signs the protocol's vector: %s", (_, vector) => {
    assert.strictEqual(sign(vector.params, KEY), vector.sign)
    assert.strictEqual(sign(vector.params.toReversed(), KEY), vector.sign)
    assert.strictEqual(sign([["param", ""], ...vector.params, ["sign_type", "MD5"], ["sign", "x"]], KEY), vector.sign)
    assert.isTrue(verify([...vector.params, ["sign", vector.sign], ["sign_type", "MD5"]], KEY))
  })

  it("sorts by byte, where UTF-16 sorts otherwise", () => {
    const params: EpayParams = [["\u{10000}", "2"], ["\uffee", "1"], ["a", "3"], ["B", "4"]]
    const text = `B=4&a=3&\uffee=1&\u{10000}=2${KEY}`
    assert.strictEqual(sign(params, KEY), createHash("md5").update(text, "utf8").digest("hex"))
  })

  it("verifies nothing with an empty key", () => {
    const params = signed(vectors.notify.params, "")
    assert.isFalse(verify(params, ""))
    assert.isFalse(verify(params, KEY))
  })

  it("takes a signature in upper case, which says the same", () => {
    assert.isTrue(verify([...vectors.notify.params, ["sign", vectors.notify.sign.toUpperCase()]], KEY))
  })

  it.each<[string, ReadonlyArray<readonly [string, string]>]>([
    ["none", []],
    ["an empty one", [["sign", ""]]],
    ["a short one", [["sign", vectors.notify.sign.slice(0, 31)]]],
    ["a long one", [["sign", `${vectors.notify.sign}0`]]],
    ["one with a space", [["sign", `${vectors.notify.sign} `]]],
    ["32 characters of more bytes", [["sign", "é".repeat(32)]]],
    ["the right one twice", [["sign", vectors.notify.sign], ["sign", vectors.notify.sign]]],
    ["the right one, then another", [["sign", vectors.notify.sign], ["sign", "0".repeat(32)]]],
    ["another, then the right one", [["sign", "0".repeat(32)], ["sign", vectors.notify.sign]]],
    ["the right one under another name", [["Sign", vectors.notify.sign]]]
  ])("refuses %s", (_, given) => {
    assert.isFalse(verify([...vectors.notify.params, ...given], KEY))
  })

  it("verifies over parameters that nobody knows", () => {
    const right: EpayParams = [...vectors.notify.params, ["sign", vectors.notify.sign]]
    assert.isTrue(verify([...right, ["unknown", ""]], KEY))
    assert.isFalse(verify([...right, ["unknown", "1"]], KEY))
    assert.isTrue(verify(signed([...vectors.notify.params, ["unknown", "1"]]), KEY))
  })

  it.prop("verifies what it signed, with no other key", [Params, Schema.String], ([pairs, key]) => {
    const params = signed(honest(pairs), key)
    return verify(params, key) === (key !== "") && !verify(params, `${key}x`)
  })

  it.prop(
    "breaks when a name, a value or a digit changes, or a parameter goes",
    [Params, Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 1_000 })), Name, Value],
    ([pairs, choice, otherName, otherValue]) => {
      const params = honest(pairs)
      const all = signed(params)
      const at = choice % Math.max(1, params.length)
      const [name, value] = params[at] ?? ["", ""]
      if (name === "" || params.some(([known]) => known === otherName) || otherName.startsWith("sign")) return true
      const digits = sign(params, KEY)
      const digit = choice % digits.length
      const wrongSign = digits.slice(0, digit) + (digits[digit] === "0" ? "1" : "0") + digits.slice(digit + 1)
      const changes: ReadonlyArray<EpayParams> = [
        replaced(all, at, [otherName, value]),
        replaced(all, at, [name, value === otherValue ? `${otherValue}!` : otherValue]),
        replaced(all, at, [name, ""]),
        all.filter((_, index) => index !== at),
        [...all, [otherName, otherValue]],
        replaced(all, params.length, ["sign", wrongSign])
      ]
      return changes.every((changed) => !verify(changed, KEY))
    }
  )
})
