/**
 * The console's texts: the same in both languages but for the words, none without a reader, and figures as their readers
 * expect them.
 */
import { assert, describe, it } from "@effect/vitest"
import { DateTime } from "effect"
import { formatsOf, timeZoneOf } from "../../../src/http/console/text/Formats.ts"
import { fill, languageOf, type Messages } from "../../../src/http/console/text/Messages.ts"
import { sourceFiles } from "../../tidy/SourceFiles.ts"

const files = sourceFiles(["src/http"], /\.tsx?$/)

/** Every set of messages that some module exports, with the module's path. */
const sets = await Promise.all(
  files.filter(({ text }) => /=\s*defineMessages\(/.test(text)).map(async ({ path }) => {
    const module: Readonly<Record<string, unknown>> = await import(`../../../${path}`)
    return { path, messages: Object.values(module).filter(isMessages) }
  })
)

function isMessages(value: unknown): value is Messages<string> {
  return typeof value === "object" && value !== null && "en" in value && "zh" in value
}

const placeholders = (text: string): ReadonlyArray<string> => (text.match(/\{\w+\}/g) ?? []).toSorted()

/** Pages, and what gives the reasons that they word. */
const readers = [...files, ...sourceFiles(["src/events", "src/orders"], /\.ts$/)].filter(({ text }) =>
  !/=\s*defineMessages\(/.test(text) || /\bsay\(/.test(text)
)
  .map(({ text }) => text).join("\n")

describe("texts", () => {
  it("finds them", () => assert.isAbove(sets.flatMap(({ messages }) => messages).length, 3))

  for (const { messages, path } of sets) {
    it(`${path}: is complete, with the same placeholders and no empty text`, () => {
      for (const { en, zh } of messages) {
        assert.deepStrictEqual(Object.keys(en).toSorted(), Object.keys(zh).toSorted())
        for (const [key, text] of Object.entries(en)) {
          const other = zh[key] ?? ""
          assert.isTrue(text.trim() !== "" && other.trim() !== "", key)
          assert.deepStrictEqual(placeholders(text), placeholders(other), key)
        }
      }
    })

    it(`${path}: has no text that no page says`, () => {
      const keys = messages.flatMap(({ en }) => Object.keys(en))
      assert.deepStrictEqual(keys.filter((key) => !readers.includes(`"${key}"`)), [])
    })
  }

  it("fills placeholders, and shows one that has no value", () => {
    assert.strictEqual(fill("{a} of {b}, {a}", { a: 1, b: "x" }), "1 of x, 1")
    assert.strictEqual(fill("{a}", {}), "{a}")
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

  it("writes times in the reader's zone", () => {
    const at = DateTime.toDateUtc(DateTime.makeUnsafe("2026-11-24T17:30:00Z"))
    assert.match(formatsOf("en", "UTC").time(at), /Nov 24, 2026, 5:30:00\sPM/)
    assert.match(formatsOf("zh", "Asia/Shanghai").time(at), /2026年11月25日 01:30:00/)
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
