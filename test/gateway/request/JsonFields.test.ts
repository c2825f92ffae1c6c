import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import { Buffer } from "node:buffer"
import { NESTING_LEVELS_MAX } from "../../../src/gateway/request/JsonBytes.ts"
import { rewriteObject, scanObject } from "../../../src/gateway/request/JsonFields.ts"

const bytes = (text: string) => Buffer.from(text)

const membersOf = (text: string) => {
  const body = bytes(text)
  const scanned = scanObject(body)
  if (!scanned.ok) throw new Error(scanned.message)
  return scanned.fields.map((field) => [field.key, body.toString("utf8", field.valueStart, field.valueEnd)])
}

const rewrite = (text: string, changes: Record<string, string | undefined>) => {
  const body = bytes(text)
  const scanned = scanObject(body)
  if (!scanned.ok) throw new Error(scanned.message)
  return Buffer.from(rewriteObject(body, scanned.fields, new Map(Object.entries(changes)))).toString()
}

describe("scanObject", () => {
  it.each([
    ["{}", []],
    [" {\n} ", []],
    ['{"a":1}', [["a", "1"]]],
    ['{ "a" : -1.50e+2 , "b" : [ {"c":"}"} ] }', [["a", "-1.50e+2"], ["b", '[ {"c":"}"} ]']]],
    ['{"mod\\u0065l":"x\\"y\\\\"}', [["model", '"x\\"y\\\\"']]],
    ['{"漢字":"😀","":null}', [["漢字", '"😀"'], ["", "null"]]]
  ])("finds the members of %s", (text, expected) => {
    assert.deepStrictEqual(membersOf(text), expected)
  })

  it.each([
    ["", "must be a JSON object"],
    ["[]", "must be a JSON object"],
    ['"a"', "must be a JSON object"],
    ["{", "not valid JSON"],
    ['{"a"}', "not valid JSON"],
    ['{"a":}', "not valid JSON"],
    ['{"a":1,}', "not valid JSON"],
    ['{"a":1 "b":2}', "not valid JSON"],
    ['{"a":1}{}', "not valid JSON"],
    ['{"a":"x}', "not valid JSON"],
    ['{"a\\x":1}', "not valid JSON"],
    ['{"a":[1}', "not valid JSON"],
    ["{a:1}", "not valid JSON"],
    ['{"a":1,"a":2}', 'repeats the key "a"'],
    ['{"model":1,"mod\\u0065l":2}', 'repeats the key "model"'],
    ["\ufeff{}", "byte order mark"]
  ])("refuses %s", (text, message) => {
    const scanned = scanObject(bytes(text))
    assert.include(scanned.ok ? "accepted" : scanned.message, message)
  })

  it("refuses what is not UTF-8", () => {
    const scanned = scanObject(Buffer.concat([bytes('{"a":"'), Buffer.from([0xc3, 0x28]), bytes('"}')]))
    assert.include(scanned.ok ? "accepted" : scanned.message, "UTF-8")
  })

  it("bounds the nesting, the object itself included", () => {
    const nested = (levels: number) => bytes(`{"a":${"[".repeat(levels - 1)}${"]".repeat(levels - 1)}}`)
    assert.isTrue(scanObject(nested(NESTING_LEVELS_MAX)).ok)
    assert.isFalse(scanObject(nested(NESTING_LEVELS_MAX + 1)).ok)
  })

  it("crosses long strings with escapes at every offset", () => {
    for (let length = 55; length < 75; length++) {
      const value = JSON.stringify(`${"x".repeat(length)}"\\${"y".repeat(100)}\\\\"`)
      assert.deepStrictEqual(membersOf(`{"a":${value},"b":2}`), [["a", value], ["b", "2"]])
    }
  })

  it.prop("agrees with JSON.parse", [Schema.Record(Schema.String, Schema.Json)], ([value]) => {
    for (const text of [JSON.stringify(value), JSON.stringify(value, null, 2)]) {
      assert.deepStrictEqual(
        membersOf(text).map(([key, raw]) => [key, JSON.stringify(JSON.parse(raw ?? ""))]),
        Object.entries(value).map(([key, member]) => [key, JSON.stringify(member)])
      )
    }
  })
})

describe("rewriteObject", () => {
  it.each([
    ['{"a":1,"b":2,"c":3}', { b: "9" }, '{"a":1,"b":9,"c":3}'],
    ['{"a":1, "b":2,\n"c":3}', { c: undefined }, '{"a":1, "b":2}'],
    ['{"a":1,"b":2}', { a: undefined }, '{"b":2}'],
    ['{"a":1,"b":2}', { a: undefined, b: undefined }, "{}"],
    ['{"a":1,"b":2}', { a: undefined, b: undefined, c: "3" }, '{"c":3}'],
    ["{ }", { a: "1", b: "2" }, '{"a":1,"b":2}'],
    [' {"a": 1.0 } ', { b: "true" }, ' {"a": 1.0,"b":true } '],
    ['{"a":1}', { z: undefined }, '{"a":1}'],
    ['{"a" :\t1}', { a: "2" }, '{"a" :\t2}'],
    [' {"a":1, "b" : 2 } ', { a: "1", b: "2" }, ' {"a":1, "b" : 2 } '],
    ['{"a":1, "b":2,"c":3}', { a: "1", b: "3", c: "3" }, '{"a":1,"b":3,"c":3}'],
    ['{"a":1,"b":2}', { a: "1", c: "3" }, '{"a":1,"b":2,"c":3}'],
    ['{"a":"é"}', { a: '"\u00c3\u00a9"' }, '{"a":"\u00c3\u00a9"}'],
    ['{"mod\\u0065l":"x"}', { model: '"y"' }, '{"mod\\u0065l":"y"}']
  ])("of %s with %o is %s", (text, changes, expected) => {
    assert.strictEqual(rewrite(text, changes), expected)
  })

  it.prop(
    "changes what it is told and keeps the bytes of the rest",
    [Schema.Record(Schema.String, Schema.Json), Schema.Array(Schema.Literals(["replace", "remove", "keep"]))],
    ([value, actions]) => {
      const text = JSON.stringify(value, null, 3)
      const before = membersOf(text)
      const changes: Record<string, string | undefined> = {}
      before.forEach(([key], index) => {
        const action = actions[index % Math.max(1, actions.length)] ?? "keep"
        if (action !== "keep") changes[key ?? ""] = action === "remove" ? undefined : '["changed"]'
      })
      const has = (key: string | undefined) => Object.hasOwn(changes, key ?? "")
      const expected = before
        .map(([key, raw]) => has(key) ? [key, changes[key ?? ""]] : [key, raw])
        .filter(([, raw]) => raw !== undefined)
      assert.deepStrictEqual(membersOf(rewrite(text, changes)), expected)
    }
  )
})
