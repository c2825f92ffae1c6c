/**
 * What pages of the administration decide apart from their views: texts of recorded changes and of tests, the inputs of settings,
 * and what a form of a row goes on from.
 */
import { assert, describe, it } from "@effect/vitest"
import { Result } from "effect"
import { ledgerKinds } from "../../../../src/accounts/LedgerKinds.ts"
import { boundsOf, decodeSettings, defaultTexts, fieldOf, settingKeys } from "../../../../src/config/SettingDocument.ts"
import { ActionRefused } from "../../../../src/confirmations/Confirmations.ts"
import { pageOf } from "../../../../src/http/console/admin/audit/Audit.tsx"
import { testText } from "../../../../src/http/console/admin/channels/ChannelTexts.ts"
import { refusedText } from "../../../../src/http/console/admin/confirmations/ConfirmationParts.tsx"
import { editOf } from "../../../../src/http/console/admin/RowForms.tsx"
import {
  problemText,
  settingInput,
  valueText as settingText
} from "../../../../src/http/console/admin/settings/SettingTexts.ts"
import { percentText } from "../../../../src/http/console/admin/usage/Channels.tsx"
import { formatsOf } from "../../../../src/platform/Formats.ts"
import { hasText } from "../../../../src/http/console/text/Texts.ts"
import { sourceFiles } from "../../../tidy/SourceFiles.ts"

const context = { language: "en", formats: formatsOf("en", "UTC") } as const

const setting = {
  key: "registration.mode",
  kind: "choice",
  options: ["open", "closed", "later"],
  text: "open",
  fileText: "open",
  isSet: true,
  source: "file",
  updatedAt: null,
  updatedBy: null
} as const

const integers = settingKeys.filter((key) => fieldOf(key).kind === "integer")

describe("settings that are whole numbers", () => {
  it.each(integers)("%s: the bounds that its problem names are those that it is checked by", (key) => {
    const bounds = boundsOf(key)
    if (bounds === undefined) throw new Error(`${key} has no bounds`)
    const { max, min, orZero = false } = bounds
    const isRight = (value: number) =>
      Result.isSuccess(decodeSettings({ ...defaultTexts(), [key]: String(value) }, "h"))
    assert.deepStrictEqual([min, max, min - 1, max + 1].map(isRight), [true, true, orZero && min === 1, false])
    if (min > 0) assert.strictEqual(isRight(0), orZero)
    for (const language of ["en", "zh"] as const) {
      const formats = formatsOf(language, "UTC")
      const text = problemText({ language, formats }, key, "shape")
      for (const bound of [min, max]) assert.include(text, formats.count(bound))
    }
  })

  it("say in both languages where 0 is right besides", () => {
    const text = (language: "en" | "zh") =>
      problemText({ language, formats: formatsOf(language, "UTC") }, "retention.subscription_minutes_days", "shape")
    assert.strictEqual(text("en"), "Enter 0 or a whole number from 400 to 36,500.")
    assert.strictEqual(text("zh"), "请填写 0，或 400 至 36,500 之间的整数。")
  })
})

describe("pages of the administration", () => {
  it("lead from a recorded change to the page of its target, where there is one", () => {
    const table: ReadonlyArray<readonly [target: string, page: string | undefined]> = [
      ["user:7", "/admin/users/7"],
      ["order:12", "/admin/orders/12"],
      ["payment:3", "/admin/payments/3"],
      ["model:gpt-4o", undefined],
      ["channel:2", "/admin/channels/2"],
      ["redemption_batch:4", "/admin/codes/4"],
      ["toString:4", undefined],
      ["user:7 ", undefined]
    ]
    for (const [target, page] of table) assert.strictEqual(pageOf(target), page, target)
  })

  it("have words for every action that is recorded", () => {
    const recorded = sourceFiles(["src"], /\.tsx?$/).filter(({ path }) => !path.startsWith("src/http/"))
      .flatMap(({ text }) => {
        const calls = text.split("recordChange(sql").slice(1).map((call) =>
          (call.split("secondPerson")[0] ?? "").slice(0, 300)
        )
        return calls.flatMap((call) =>
          [...call.matchAll(/action: "([a-z_]+\.[a-z_]+)"/g)].map(([, action = ""]) => action)
        )
      })
    assert.isAbove(new Set(recorded).size, 25)
    assert.deepStrictEqual(recorded.filter((action) => !hasText("auditAction", action)), [])
  })

  it("have words for every kind of ledger entry", () => {
    assert.deepStrictEqual(Object.keys(ledgerKinds).filter((kind) => !hasText("ledgerEntry", kind)), [])
  })

  it("say what a test of a channel came to, with its status where there was an answer", () => {
    const outcome = { model: "m", reason: null, status: 200, latencyMs: 1_000 }
    assert.include(testText(context, outcome), "It works: m answered")
    assert.include(testText(context, { ...outcome, reason: "unauthorized", status: 401 }), "status 401")
    assert.notInclude(testText(context, { ...outcome, reason: "connect", status: null }), "status")
    assert.strictEqual(testText(context, "unknown_model"), "The channel does not serve this model.")
  })

  it("ask for a setting by its kind, and never show a secret", () => {
    const label = { label: "l" }
    const options: ReadonlyArray<readonly [string, string]> = [["open", "Open"], ["closed", "Closed"], [
      "later",
      "later"
    ]]
    assert.deepInclude(settingInput(context, setting, label), { is: "select", options, initial: "open" })
    const secret = settingInput(context, { ...setting, kind: "secret", text: "" }, label)
    assert.deepInclude(secret, { is: "secret", placeholder: "Leave empty to keep it" })
    assert.deepInclude(settingInput(context, { ...setting, kind: "integer" }, label), { is: "integer" })
    assert.deepInclude(settingInput(context, { ...setting, kind: "lines" }, label), { is: "lines" })
    assert.deepInclude(settingInput(context, { ...setting, kind: "flag", text: "true" }, label), {
      is: "switch",
      initial: "true"
    })
    const image = settingInput(context, { ...setting, kind: "image", text: "data:image/png;base64,AAAA" }, label)
    assert.deepInclude(image, { is: "file" })
    assert.notInclude(JSON.stringify(image), "AAAA")
  })

  it("say the value of a setting in words, also where it is empty", () => {
    assert.strictEqual(settingText(context, { ...setting, kind: "flag" }, "false"), "No")
    assert.strictEqual(settingText(context, setting, "closed"), "Closed")
    assert.strictEqual(settingText(context, setting, "later"), "later")
    assert.strictEqual(settingText(context, { ...setting, kind: "lines" }, ""), "empty")
    assert.strictEqual(settingText(context, { ...setting, kind: "lines" }, "x".repeat(200)).length, 101)
    assert.strictEqual(settingText(context, { ...setting, kind: "image" }, "data:x"), "an image")
  })

  it("go on from the revision that a form was filled in on, and from the row's own once it was overtaken", () => {
    const row = { revision: 5n }
    const own = new URLSearchParams("name=a")
    const sent = new URLSearchParams("name=b&revision=4")
    assert.deepStrictEqual(editOf(row, own), { state: { values: own, problems: {} }, revision: "5" })
    assert.strictEqual(editOf(row, own, { values: sent, problems: { name: "wrong" } }).revision, "4")
    assert.strictEqual(editOf(row, own, { values: sent, problems: { meanwhile: "now" } }).revision, "5")
  })

  it("say why a confirmed action was refused: in the reader's language, or as it was refused where that is not in the table", () => {
    const refusal = (code: string) => new ActionRefused({ code, reason: "the setting is not valid" })
    assert.strictEqual(refusedText(context, refusal("DebitRefused")), "the balance or the debt no longer allows it")
    assert.strictEqual(refusedText({ language: "zh" }, refusal("DoneBefore")), "该操作已经执行过，请驳回本申请")
    assert.strictEqual(refusedText(context, refusal("SettingsRefused")), "the setting is not valid")
  })

  it("say shares in percent with one decimal", () => {
    assert.strictEqual(percentText(context, 1, 3), "33.3")
    assert.strictEqual(percentText(context, 2, 2), "100")
  })
})
