/**
 * The text of redemption codes: random enough to be money, and read again however somebody typed it.
 */
import { assert, describe, it } from "@effect/vitest"
import { Redacted } from "effect"
import { hashOfCode, hintOfCode, makeCode } from "../../src/redemption/CodeText.ts"

const hashOf = (text: string) => hashOfCode(Redacted.make(text))?.toString("hex")

describe("the text of a code", () => {
  it("is in groups of letters and digits that nobody mistakes, each time another", () => {
    const codes = Array.from({ length: 500 }, () => Redacted.value(makeCode()))
    for (const code of codes) assert.match(code, /^RLM(?:-[0-9A-HJKMNP-TV-Z]{5}){4}$/)
    assert.strictEqual(new Set(codes).size, codes.length)
    assert.strictEqual(new Set(codes.flatMap((code) => Array.from(code.slice(4).replaceAll("-", "")))).size, 32)
  })

  it("is found however it was typed, and by nothing else", () => {
    const code = "RLM-01ABC-DEFGH-JKMNP-QRSTV"
    const table = [
      "rlm-01abc-defgh-jkmnp-qrstv",
      "  RLM 01ABC DEFGH JKMNP QRSTV\n",
      "01ABCDEFGHJKMNPQRSTV",
      "RLM-OIABC-DEFGH-JKMNP-QRSTV",
      "rlm-olabc-defgh-jkmnp-qrstv",
      "RLM—01ABC–DEFGH‐JKMNP_QRSTV",
      "ＲＬＭ－０１ＡＢＣ－ＤＥＦＧＨ－ＪＫＭＮＰ－ＱＲＳＴＶ"
    ]
    for (const typed of table) assert.strictEqual(hashOf(typed), hashOf(code), typed)
    assert.isString(hashOf(code))
    assert.notStrictEqual(hashOf("RLM-01ABC-DEFGH-JKMNP-QRSTW"), hashOf(code))
    const none = [
      "",
      "RLM",
      "RLM-01ABC-DEFGH-JKMNP",
      `${code}-00000`,
      "RLM-U1ABC-DEFGH-JKMNP-QRSTV",
      code.repeat(10),
      "％"
    ]
    for (const typed of none) assert.isUndefined(hashOf(typed), typed)
    assert.strictEqual(hintOfCode(Redacted.make(code)), "RSTV")
  })
})
