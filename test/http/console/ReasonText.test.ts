/** Why a payment event has its outcome, in words for people. */
import { assert, describe, it } from "@effect/vitest"
import { reasonFor } from "../../../src/http/console/admin/payments/EventParts.tsx"
import type { PageContext } from "../../../src/http/console/PageContext.ts"
import { formatsOf } from "../../../src/platform/Formats.ts"
import type { Language } from "../../../src/domain/Language.ts"
import { type Reason, reason, reasonOf, reasonWords, wordsOf } from "../../../src/orders/Reason.ts"

const say = (language: Language, why: Reason | undefined, note = "") =>
  reasonFor({ language, formats: formatsOf(language, "UTC") } as PageContext, { note, reason: why })

const other = reason("other_amount", {
  paid_minor: "994",
  paid_currency: "cny",
  asked_minor: "1000",
  asked_currency: "cny"
})
const due = reason("dispute_open_due", {
  reason: "product_not_received",
  status: "needs_response",
  due_at: "2027-01-15T08:00:00.000Z"
})

describe("why an event has its outcome", () => {
  it("is said in the reader's language and currency", () => {
    assert.strictEqual(say("en", other), "paid ¥9.94, asked for ¥10.00")
    assert.strictEqual(say("zh", other), "实付 ¥9.94，应付 ¥10.00")
    assert.match(
      say("en", due),
      /^a dispute to be answered at the provider \(product not received, answer before Jan 15, 2027/
    )
    assert.match(say("zh", due), /^争议需要在支付平台答复（product not received，请在 2027-01-15/)
  })

  it("is the note where no reason was kept", () => {
    assert.strictEqual(say("zh", undefined, "an older note"), "an older note")
  })

  it("is kept as a code and values, and read back", () => {
    for (const code of Object.keys(reasonWords)) assert.strictEqual(reasonOf({ code, values: {} })?.code, code)
    assert.deepStrictEqual(reasonOf(JSON.parse(JSON.stringify(other))), other)
    for (const kept of [null, 7, {}, { code: "none" }, { code: 7 }]) assert.isUndefined(reasonOf(kept))
    assert.deepStrictEqual(reasonOf({ code: "early", values: { a: 7, b: "x" } })?.values, { b: "x" })
  })

  it("has words for logs, with what is missing left out", () => {
    assert.strictEqual(wordsOf(other), "paid 994 cny, asked for 1000 cny (minor units)")
    assert.strictEqual(wordsOf(reason("told")), "")
  })
})
