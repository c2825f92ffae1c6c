/**
 * JSON made fit for rows: what PostgreSQL does not take goes, and everything else means what it meant.
 */
import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import { databaseJson, databaseText, isDatabaseJson, isDatabaseText } from "../../src/postgres/DatabaseText.ts"

describe("texts that rows can hold", () => {
  it.each([
    [String.raw`{"a":"x\u0000y"}`, String.raw`{"a":"xy"}`],
    [String.raw`{"a\u0000b":["\u0000"]}`, String.raw`{"ab":[""]}`],
    [String.raw`"\u0000\u0000"`, `""`],
    [String.raw`"\\\u0000"`, String.raw`"\\"`],
    [String.raw`"\ud800"`, String.raw`"\ufffd"`],
    [String.raw`"\udc00\uD83D\uDE00\uDBFFx"`, String.raw`"\ufffd\uD83D\uDE00\ufffdx"`],
    [String.raw`"\ud800\ud83d\ude00"`, String.raw`"\ufffd\ud83d\ude00"`],
    [String.raw`"\ud83d\u0000\ude00"`, String.raw`"\ufffd\ufffd"`]
  ])("%s becomes %s", (json, clean) => {
    assert.strictEqual(databaseJson(json), clean)
    assert.isFalse(isDatabaseJson(json))
    assert.isTrue(isDatabaseJson(clean))
  })

  it.each([
    `{}`,
    `"余额"`,
    String.raw`"\\u0000"`,
    String.raw`"\\\\u0000 \\\\\\ud800"`,
    String.raw`"\u4f59\n\"\/"`,
    String.raw`"\ud83d\ude00"`
  ])("%s stays as it is", (json) => {
    assert.strictEqual(databaseJson(json), json)
    assert.isTrue(isDatabaseJson(json))
  })

  it.prop("whatever a value's texts are, they are fit afterwards, and the same where they were", [
    Schema.Array(Schema.String),
    Schema.Array(Schema.Literals(["\0", "\ud800", "\udc00", "\\", "u0000", '"', "😀", "a"]))
  ], ([texts, parts]) => {
    const all = [...texts, parts.join("")]
    const expected = all.map((text) => text.toWellFormed().replaceAll("\0", ""))
    const clean: unknown = JSON.parse(databaseJson(JSON.stringify(all)))
    assert.deepStrictEqual(clean, expected)
    assert.deepStrictEqual(all.map(databaseText), expected)
    assert.isTrue(expected.every(isDatabaseText))
    assert.strictEqual(isDatabaseJson(JSON.stringify(all)), all.every(isDatabaseText))
  })

  it("takes a document of any depth", () => {
    const deep = `${"[".repeat(1_000_000)}"\\u0000"`
    assert.isFalse(isDatabaseJson(deep))
  })
})
