/**
 * The texts of notices: complete in both languages, with the same placeholders, each said by some notice; and what a notice of each kind
 * says.
 */
import { assert, describe, it } from "@effect/vitest"
import { Option } from "effect"
import { languages } from "../../src/domain/Language.ts"
import { accountChanges, type noticeData, type NoticeKind, noticeKinds } from "../../src/notices/NoticeKinds.ts"
import { mailText, noticeTexts, textOfNotice } from "../../src/notices/NoticeTexts.ts"
import { sourceFiles } from "../tidy/SourceFiles.ts"

const placeholders = (text: string): ReadonlyArray<string> =>
  Array.from(text.matchAll(/\{(\w+)[,}]/g), ([, name = ""]) => name).toSorted()

const order = { order_id: "7", order_kind: "topup", plan: null }
const money = { amount_minor: "1000", currency: "cny" }
const dispute = {
  dispute_id: "du_1",
  provider: "stripe",
  reason: "fraudulent",
  due_at: "2026-12-01T10:00:00Z",
  ...money
}

/** One of each. */
const examples: { readonly [K in NoticeKind]: (typeof noticeData)[K]["Encoded"] } = {
  low_balance: { balance_micros: "1500000", threshold_micros: "5000000" },
  plan_ending: { subscription_id: "1", plan: "Basic", ends_at: "2026-12-01T10:00:00Z" },
  payment_received: { payment_id: "1", paid_minor: "1000", currency: "cny", credit_micros: "1400000", ...order },
  refund: { refund_id: "1", payment_id: "1", ...money, ...order },
  refund_failed: { refund_id: "1", payment_id: "1", ...money, ...order },
  new_network: { address: "192.0.2.1", device: "Firefox · Linux", at: "2026-12-01T10:00:00Z" },
  account_changed: { change: "password", detail: null, address: "192.0.2.1", at: "2026-12-01T10:00:00Z" },
  review_needed: { event_id: "1", provider: "epay", event: "TRADE_SUCCESS", ...money },
  dispute,
  dispute_due: dispute,
  channel_down: { channel_id: "3", channel: "openai" },
  ledger_drift: { accounts: 1, drift_micros: "5" },
  debt: { accounts: 3, owed_micros: "12000000" },
  disk_low: { server: "a", free_bytes: "1073741824" },
  webhook_test: {}
}

describe("texts of notices", () => {
  it("are complete in both languages, with the same placeholders", () => {
    assert.deepStrictEqual(Object.keys(noticeTexts.zh).toSorted(), Object.keys(noticeTexts.en).toSorted())
    for (const [key, text] of Object.entries(noticeTexts.en)) {
      const other = Object.entries(noticeTexts.zh).find(([known]) => known === key)?.[1] ?? ""
      assert.isTrue(text !== "" && other !== "", key)
      assert.deepStrictEqual(placeholders(text), placeholders(other), key)
    }
  })

  it("are each said by some notice", () => {
    const [source] = sourceFiles(["src/notices"], /NoticeTexts\.ts$/)
    const made = new Set([
      ...noticeKinds.map((kind) => `${kind}.link`),
      ...["dispute", "dispute_due", "refund", "refund_failed"].flatMap((kind) => [`${kind}.title`, `${kind}.text`]),
      ...accountChanges.map((change) => `account_changed.${change}`)
    ])
    const unsaid = Object.keys(noticeTexts.en).filter((key) => !source?.text.includes(`"${key}"`) && !made.has(key))
    assert.deepStrictEqual(unsaid, [])
  })

  for (const kind of noticeKinds) {
    it(`${kind}: leaves no placeholder, in either language`, () => {
      for (const language of languages) {
        const said = Option.getOrThrow(textOfNotice(kind, examples[kind], language))
        const body = mailText(said, { language, siteName: "Realms", publicUrl: "https://realms.example" })
        for (const text of [said.title, said.text, said.link, body]) {
          assert.notMatch(text, /[{}]|undefined|NaN|Invalid/, `${kind} ${language}: ${text}`)
        }
        assert.notInclude(said.title, "\n")
        assert.match(said.path, /^\/[\w/]*$/)
        assert.include(body, `https://realms.example${said.path}`)
      }
    })
  }

  it("says times with their zone, amounts in their currency, and one or many", () => {
    const text = (kind: NoticeKind) => Option.getOrThrow(textOfNotice(kind, examples[kind], "en"))
    assert.match(text("plan_ending").text, /Dec 1, 2026, 10:00:00\sAM UTC/)
    assert.include(text("refund").text, "¥10.00")
    assert.include(text("ledger_drift").text, "The balance of 1 account differs")
    assert.include(text("debt").text, "3 accounts owe $12.00")
    assert.strictEqual(text("refund").path, "/pay/topup/7")
    assert.include(text("dispute").text, "Answer it there by Dec 1, 2026")
  })

  it("says nothing of data that is not of its kind", () => {
    assert.isTrue(Option.isNone(textOfNotice("refund", { amount_minor: "x" }, "en")))
  })
})
