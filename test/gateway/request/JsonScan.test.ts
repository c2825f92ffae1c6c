import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import { Buffer } from "node:buffer"
import { NESTING_LEVELS_MAX } from "../../../src/gateway/request/JsonBytes.ts"
import { JSON_VALUES_MAX, JsonScan } from "../../../src/gateway/request/JsonScan.ts"
import { parseJson } from "../../../src/gateway/JsonValue.ts"

/** Whether the scan takes the text for one JSON value, and what it saved. */
const scan = (text: string) => {
  const body = Buffer.from(text)
  const json = new JsonScan(body)
  const start = json.space(0)
  const end = json.value(start, 1)
  return { accepted: end >= 0 && json.space(end) === body.length, scan: json, bytes: body.length }
}

const accepts = (text: string): boolean => scan(text).accepted

describe("JsonScan", () => {
  it.each([
    "null",
    "true",
    "false",
    "-0",
    "0.5e+10",
    "1E-3",
    '""',
    '"\\u00e9\\n\\/"',
    "[]",
    "{}",
    " [ 1 , -2.5 ] ",
    '[1,"a",{"b":[null]}]',
    '{"a":{},"a":[]}'
  ])("accepts %s", (text) => assert.isTrue(accepts(text)))

  it.each([
    "",
    "nul",
    "nulll",
    "True",
    "+1",
    "01",
    "-",
    "1.",
    ".5",
    "1e",
    "1e+",
    "NaN",
    '"',
    '"\\x"',
    '"\\u12g4"',
    '"\\u123"',
    '"\n"',
    "'a'",
    "[",
    "[1",
    "[1,]",
    "[,1]",
    "[1 2]",
    "{",
    "{a:1}",
    '{"a"}',
    '{"a":}',
    '{"a":1,}',
    '{"a":1 "b":2}',
    "[1}",
    "// x\n1",
    "[1]]",
    "1 2"
  ])("refuses %j", (text) => assert.isFalse(accepts(text)))

  it.prop("accepts what JSON.stringify writes", [Schema.Json], ([value]) => {
    for (const text of [JSON.stringify(value), JSON.stringify(value, null, 2)]) assert.isTrue(accepts(text), text)
  })

  it.prop(
    "agrees with JSON.parse on broken texts",
    [Schema.Json, Schema.Int, Schema.Literals([...'{}[],:"\\ \n0-e.tnu/']), Schema.Boolean],
    ([value, place, letter, replaces]) => {
      const text = JSON.stringify(value)
      const at = Math.abs(place) % (text.length + 1)
      const broken = text.slice(0, at) + letter + text.slice(replaces ? at + 1 : at)
      // A byte beyond ASCII may be cut in two; Buffer writes such halves as a replacement.
      const seen = Buffer.from(broken).toString()
      assert.strictEqual(accepts(seen), parseJson(seen) !== undefined, seen)
    }
  )

  it("crosses long strings with and without escapes", () => {
    for (const length of [0, 1, 255, 1_023, 1_024, 1_025, 5_000]) {
      for (const tail of ["", "\n", "\u00e9", '"', "\\"]) {
        const text = JSON.stringify(`${"x".repeat(length)}${tail}${"y".repeat(length)}`)
        assert.isTrue(accepts(text))
        assert.isFalse(accepts(text.slice(0, -1)))
        assert.isFalse(accepts(text.replace(/y?"$/, '\u0001"')))
      }
    }
  })

  it.prop("saves what decoding and leaving out spaces saves", [Schema.Json], ([value]) => {
    const compact = JSON.stringify(value)
    for (const text of [compact, JSON.stringify(value, null, 3)]) {
      const { bytes, scan: json } = scan(text)
      // Escapes of one letter take two bytes, those by number six.
      const escapes = [...compact.matchAll(/\\(u....|.)/g)].map(([, kind]) => kind ?? "")
      const saved = escapes.map((kind) => kind.length === 1 ? 1 : 5 - extraBytes(kind)).reduce((a, b) => a + b, 0)
      assert.strictEqual(bytes - json.saved, Buffer.byteLength(compact) - saved)
    }
  })

  it("bounds the values, but not flat arrays of numbers", () => {
    const empty = (count: number) => `[${Array.from({ length: count }, () => "{}").join(",")}]`
    assert.isTrue(accepts(empty(JSON_VALUES_MAX - 1)))
    assert.isFalse(accepts(empty(JSON_VALUES_MAX)))
    const numbers = Array.from({ length: JSON_VALUES_MAX }, (_, index) => index).join(",")
    assert.strictEqual(scan(`[${numbers}]`).scan.values, 1)
    assert.isTrue(accepts(`[[${numbers}],[${numbers}]]`))
    assert.isFalse(accepts(`[${numbers},"a"]`))
  })

  it("bounds the nesting", () => {
    const nested = (levels: number) => `${"[".repeat(levels)}${"]".repeat(levels)}`
    assert.isTrue(accepts(nested(NESTING_LEVELS_MAX)))
    assert.isFalse(accepts(nested(NESTING_LEVELS_MAX + 1)))
  })
})

/** UTF-8 bytes beyond the first of what an escape by number stands for; half of a pair is counted alone. */
const extraBytes = (kind: string): number => {
  const unit = Number.parseInt(kind.slice(1), 16)
  return unit < 0x80 ? 0 : unit < 0x800 ? 1 : 2
}
