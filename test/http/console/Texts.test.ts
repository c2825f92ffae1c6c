/**
 * The console's texts: the same in both languages but for the words, none without a reader, and figures as their readers
 * expect them.
 */
import { assert, describe, it } from "@effect/vitest"
import { DateTime, Record } from "effect"
import { FailureReason } from "../../../src/channels/FailureReason.ts"
import { settingFields, settingKeys, settingKinds } from "../../../src/config/SettingDocument.ts"
import { languageOf } from "../../../src/domain/Language.ts"
import { capabilities } from "../../../src/domain/ModelTerms.ts"
import { RangeRefused } from "../../../src/finance/FinanceError.ts"
import { resolutions } from "../../../src/events/PaymentEvents.ts"
import { formatsOf, timeZoneOf } from "../../../src/platform/Formats.ts"
import { fill, type MessageValues, numberNames } from "../../../src/platform/Messages.ts"
import { texts } from "../../../src/http/console/text/Texts.ts"
import { roles } from "../../../src/identity/Roles.ts"
import { deliveryChannels, deliveryStates } from "../../../src/notices/DeliveryList.ts"
import { noticeKinds } from "../../../src/notices/NoticeKinds.ts"
import { webhookFailures } from "../../../src/notices/WebhookClient.ts"
import { RefundNotPossible } from "../../../src/orders/OrderError.ts"
import { ConfirmationRefused } from "../../../src/platform/SecondPerson.ts"
import { sourceFiles } from "../../tidy/SourceFiles.ts"

/** Names of placeholders, plurals and formatted numbers. */
const placeholders = (text: string): ReadonlyArray<string> =>
  Array.from(text.matchAll(/\{(\w+)[,}]/g), ([, name = ""]) => name).toSorted()

/** Pages, and what gives the reasons that they word. */
const readers = sourceFiles(["src/http", "src/events", "src/finance", "src/orders"], /\.tsx?$/).map(({ text }) => text)

/** Keys that are made of codes, by section: code that says them names the codes alone. */
const ofCodes: Readonly<Record<string, ReadonlyArray<string>>> = {
  books: RangeRefused.fields.reason.literals.map((reason) => `range.${reason}`),
  capability: capabilities,
  channels: FailureReason.literals.map((reason) => `test.${reason}`),
  confirmation: ConfirmationRefused.fields.reason.literals,
  notices: [
    ...noticeKinds.map((kind) => `kind.${kind}`),
    ...["url", "credentials", "secret", "fragment", "forbidden"].map((problem) => `problem.${problem}`),
    ...webhookFailures.map((failure) => `why.${failure}`),
    ...deliveryStates.map((state) => `state.${state}`),
    ...deliveryChannels.map((channel) => `channel.${channel}`)
  ],
  orderAction: RefundNotPossible.fields.why.literals.map((why) => `refund.${why}`),
  payments: resolutions.map((resolution) => `resolution.${resolution}`),
  role: roles.flatMap((role) => [role, `${role}.hint`]),
  setting: [...settingKeys.flatMap((key) => [key, `${key}.hint`]), ...settingKinds.map((kind) => `problem.${kind}`)],
  settings: Object.values(settingFields).map(({ section }) => `section.${section}`)
}

/** Sections that word what the database and upstreams call by name, whatever that is. */
const named: ReadonlySet<string> = new Set(["auditAction", "auditTarget", "callReason", "ledgerEntry", "paymentFact"])

/** Code names every other key whole, so that each text is found. */
const isSaid = (section: string, key: string): boolean =>
  named.has(section) || ofCodes[section]?.includes(key) === true ||
  readers.some((text) => text.includes(`"${key}"`))

const sections: ReadonlyArray<readonly [name: string, Readonly<Record<string, string>>]> = Record.toEntries(texts.en)

describe("texts", () => {
  it("have the same sections in both languages", () => {
    assert.deepStrictEqual(Object.keys(texts.zh).toSorted(), Object.keys(texts.en).toSorted())
    assert.isAbove(sections.length, 30)
  })

  for (const [name, english] of sections) {
    const chinese: Readonly<Record<string, string>> = texts.zh[
      Record.keys(texts.zh).find((key) => key === name) ?? "words"
    ]

    it(`${name}: is complete, with the same placeholders and no empty text`, () => {
      assert.deepStrictEqual(Object.keys(chinese).toSorted(), Object.keys(english).toSorted())
      for (const [key, text] of Object.entries(english)) {
        const other = chinese[key] ?? ""
        assert.isTrue(text.trim() !== "" && other.trim() !== "", key)
        assert.deepStrictEqual(placeholders(text), placeholders(other), key)
      }
    })

    it(`${name}: has no text that no page says`, () => {
      assert.deepStrictEqual(Object.keys(english).filter((key) => !isSaid(name, key)), [])
    })
  }

  it("say a word once that two sections share under one key", () => {
    const seen = new Map<string, string>()
    const repeated = sections.flatMap(([name, english]) =>
      Object.entries(english).flatMap(([key, text]) => {
        const chinese: Readonly<Record<string, string>> = texts.zh[
          Record.keys(texts.zh).find((known) => known === name) ?? "words"
        ]
        const same = `${key} ${text} ${chinese[key]}`
        const other = seen.get(same)
        seen.set(same, name)
        return other === undefined ? [] : [`${key}: ${other} and ${name}`]
      })
    )
    assert.deepStrictEqual(repeated, [])
  })

  it("read every plural, and say one and many", () => {
    for (const language of ["en", "zh"] as const) {
      for (const section of Object.values(texts[language])) {
        for (const text of Object.values<string>(section)) {
          const values = Object.fromEntries(placeholders(text).map((name) => [name, 2_000]))
          assert.notMatch(fill(language, text, values), /[{}]/, text)
        }
      }
    }
    assert.strictEqual(fill("en", texts.en.words.days, { count: 1 }), "1 day")
    assert.strictEqual(fill("en", texts.en.words.days, { count: 3_000 }), "3,000 days")
    assert.strictEqual(fill("zh", texts.zh.words.days, { count: 1 }), "1 天")
  })

  it("count and format only what cannot be text, so that none shows NaN", () => {
    const counted = new Set<string>()
    for (const language of ["en", "zh"] as const) {
      for (const section of Object.values(texts[language])) {
        for (const text of Object.values<string>(section)) {
          for (const [, name = ""] of text.matchAll(/\{(\w+),/g)) counted.add(name)
        }
      }
    }
    assert.deepStrictEqual([...counted].toSorted(), [...numberNames].toSorted())
    // Compiles only where text is refused.
    const isTextTaken: string extends MessageValues[typeof numberNames[number]] ? true : false = false
    assert.isFalse(isTextTaken)
  })

  it("fills placeholders, and shows one that has no value", () => {
    assert.strictEqual(fill("en", "{a} of {b}, {a}", { a: 1, b: "x" }), "1 of x, 1")
    assert.strictEqual(fill("en", "{a}", {}), "{a}")
  })

  it("speaks the language that a browser asks for first", () => {
    const table: ReadonlyArray<readonly [header: string | undefined, language: string]> = [
      [undefined, "en"],
      ["", "en"],
      ["zh-CN,zh;q=0.9,en;q=0.8", "zh"],
      ["en-GB,en;q=0.9,zh;q=0.8", "en"],
      ["fr, zh;q=0.5", "zh"],
      ["en;q=0.2, zh;q=0.7", "zh"],
      ["zh;q=0, en", "en"],
      ["de, fr", "en"],
      [";;;,,q=", "en"]
    ]
    for (const [header, language] of table) assert.strictEqual(languageOf(header), language, String(header))
  })

  it("writes money exactly, in either language", () => {
    const en = formatsOf("en", "UTC")
    const zh = formatsOf("zh", "UTC")
    assert.strictEqual(en.usd(1_234_567_000_001n), "$1,234,567.000001")
    assert.strictEqual(zh.usd(1_500_000n), "$1.50")
    assert.strictEqual(en.cny(123_456n), "¥1,234.56")
    assert.strictEqual(en.minor(1_234n, "usd"), "$12.34")
    assert.strictEqual(en.minor(1_234n, "jpy"), "¥1,234")
    assert.strictEqual(en.usd(9_007_199_254_740_993n), "$9,007,199,254.740993")
  })

  it("cuts money to cents where it is read at a glance, never above what it is", () => {
    const { usdFixed, usdRounded } = formatsOf("en", "UTC")
    const table: ReadonlyArray<readonly [micros: bigint, text: string]> = [
      [3_456_789_123_456n, "$3,456,789.12"],
      [999_999n, "$0.99"],
      [10_000n, "$0.01"],
      [9_999n, "$0.009999"],
      [1n, "$0.000001"],
      [0n, "$0.00"],
      [-1n, "-$0.000001"],
      [-10_001n, "-$0.02"],
      [-1_500_000n, "-$1.50"]
    ]
    for (const [micros, text] of table) assert.strictEqual(usdRounded(micros), text)
    assert.strictEqual(usdFixed(12_300n), "$0.012300")
  })

  it("writes times in the reader's zone", () => {
    const at = DateTime.toDateUtc(DateTime.makeUnsafe("2026-11-24T17:30:00Z"))
    assert.match(formatsOf("en", "UTC").time(at), /Nov 24, 2026, 5:30:00\sPM/)
    const zh = formatsOf("zh", "Asia/Shanghai")
    assert.strictEqual(zh.time(at), "2026-11-25 01:30:00")
    assert.strictEqual(zh.date(at), "2026-11-25")
    const midnight = DateTime.toDateUtc(DateTime.makeUnsafe("2026-11-24T16:00:00Z"))
    assert.strictEqual(zh.time(midnight), "2026-11-25 00:00:00")
  })

  it("takes a zone only when it is one", () => {
    for (const name of [undefined, "", "Mars/Olympus", "../etc", "x".repeat(100)]) {
      assert.strictEqual(timeZoneOf(name), "UTC")
    }
    assert.strictEqual(timeZoneOf("Asia/Shanghai"), "Asia/Shanghai")
    // Browsers say either name of a zone that has two.
    for (const [one, other] of [["Asia/Kolkata", "Asia/Calcutta"], ["Europe/Kyiv", "Europe/Kiev"]]) {
      assert.notStrictEqual(timeZoneOf(one), "UTC")
      assert.strictEqual(timeZoneOf(one), timeZoneOf(other))
    }
  })
})
