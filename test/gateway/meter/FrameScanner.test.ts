/**
 * The scanner of bytes against a plain walk over the parsed value: for any frame both find the same output strings, whatever the
 * spelling of the JSON.
 */
import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import { Buffer } from "node:buffer"
import { silentKeys, silentTreeKeys } from "../../../src/gateway/meter/FrameKeys.ts"
import { FrameScanner } from "../../../src/gateway/meter/FrameScanner.ts"
import { STRINGS_MAX } from "../../../src/gateway/meter/FrameStrings.ts"

type Json = null | boolean | number | string | ReadonlyArray<Json> | { readonly [key: string]: Json }

const isRecord = (value: Json): value is { readonly [key: string]: Json } =>
  typeof value === "object" && value !== null && !Array.isArray(value)
const isList = (value: Json): value is ReadonlyArray<Json> => Array.isArray(value)

/** The rule as it is written: strings under keys that are not in the list. */
const outputOf = (value: Json, key: string, inArguments: boolean): ReadonlyArray<string> => {
  if (typeof value === "string") return !inArguments && silentKeys.includes(key) || value === "" ? [] : [value]
  if (isList(value)) return value.flatMap((item) => outputOf(item, "", inArguments))
  if (!isRecord(value)) return []
  return Object.entries(value).flatMap(([name, member]) =>
    !inArguments && silentTreeKeys.includes(name)
      ? []
      : outputOf(member, name, inArguments || name === "arguments" && typeof member === "object")
  )
}

const scan = (text: string) => {
  const data = Buffer.from(text)
  const scanner = new FrameScanner("chat")
  scanner.read(data)
  const { count, ends, sizes, starts } = scanner.strings
  const strings = Array.from({ length: count }, (_, index) => {
    const found: unknown = JSON.parse(`"${data.toString("utf8", starts[index], ends[index])}"`)
    return { text: String(found), size: sizes[index] ?? -1 }
  })
  return { scanner, strings }
}

/** Every string its own text, so that none is a repeat of another. */
const numbered = (value: Json): Json => {
  let next = 0
  const visit = (one: Json): Json => {
    if (typeof one === "string") return one === "" ? "" : `${one}${next++}`
    if (isList(one)) return one.map(visit)
    if (isRecord(one)) return Object.fromEntries(Object.entries(one).map(([key, member]) => [key, visit(member)]))
    return one
  }
  return visit(value)
}

const Key = Schema.Literals([
  "content",
  "text",
  "message",
  "delta",
  "arguments",
  "function",
  "role",
  "id",
  "type",
  "logprobs",
  "error",
  "audio",
  "signature",
  "musings",
  "x"
])
const Leaf = Schema.Union([
  Schema.Null,
  Schema.Boolean,
  Schema.Int,
  Schema.String,
  Schema.Literals(["", '"', "\\", "漢\n"])
])

/** Few members each, so that frames are small and their keys vary. */
const few = Schema.isMaxLength(6)
const members = <A extends Schema.Top>(value: A) => Schema.Array(Schema.Tuple([Key, value])).check(few)
const Small = Schema.Union([Leaf, Schema.Array(Leaf).check(few), Schema.Struct({ members: members(Leaf) })])
const Middle = Schema.Union([Small, Schema.Array(Small).check(few), Schema.Struct({ members: members(Small) })])
const Choice = Schema.Struct({ members: members(Schema.Union([Middle, Schema.Struct({ members: members(Middle) })])) })

/** The JSON value of a generated value: `members` becomes an object. */
const made = (value: unknown): Json => {
  if (Array.isArray(value)) return value.map(made)
  if (typeof value === "object" && value !== null && "members" in value && Array.isArray(value.members)) {
    return Object.fromEntries(value.members.map(([key, member]: ReadonlyArray<unknown>) => [String(key), made(member)]))
  }
  return typeof value === "string" || typeof value === "number" || typeof value === "boolean" ? value : null
}

const escapeAll = (text: string) =>
  text.replace(/[^\u0020-\u007e]/g, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`)

describe("FrameScanner", () => {
  it.prop("finds the strings that a walk over the parsed frame finds", [Schema.Array(Choice)], ([choices]) => {
    const frame = numbered({ id: "c", choices: made(choices), usage: null })
    const expected = isRecord(frame) ? outputOf(frame["choices"] ?? null, "", false) : []
    for (const text of [JSON.stringify(frame), JSON.stringify(frame, null, 2), escapeAll(JSON.stringify(frame))]) {
      const { strings } = scan(text)
      assert.deepStrictEqual(strings.map((one) => one.text), [...expected])
      // Half of a surrogate pair has no UTF-8 form to be measured by.
      const measured = strings.filter((one) => one.text.isWellFormed())
      assert.isTrue(measured.every((one) => one.size === Buffer.byteLength(one.text)))
    }
  }, { arbitrary: { runs: 500 } })

  it.prop("never fails on what is cut or is no JSON", [Schema.Array(Choice), Schema.Int], ([choices, cut]) => {
    const text = JSON.stringify({ choices: made(choices) })
    const { strings } = scan(text.slice(0, Math.abs(cut) % (text.length + 1)))
    assert.isAtMost(strings.length, text.length)
  })

  it("tells the choices of a frame apart, by index or by place", () => {
    const { scanner } = scan(JSON.stringify({
      choices: [{ index: 3, delta: { content: "a" }, finish_reason: "stop" }, { delta: { content: "b" } }, {
        index: -1
      }]
    }))
    assert.deepStrictEqual(scanner.choiceIndexes.slice(0, scanner.choiceCount), [3, 1, 2])
    assert.deepStrictEqual(scanner.strings.owners.slice(0, scanner.strings.count), [0, 1])
  })

  it("counts all of a frame of more strings than it tells apart", () => {
    const content = Array.from({ length: STRINGS_MAX + 1000 }, (_, index) => `${100_000 + index}`)
    const data = Buffer.from(JSON.stringify({ choices: [{ delta: { content } }] }))
    const scanner = new FrameScanner("chat")
    scanner.read(data)
    assert.strictEqual(scanner.strings.count, STRINGS_MAX)
    assert.strictEqual(scanner.strings.sizeOf(0, STRINGS_MAX), content.length * 6)
  })

  it("judges a frame by itself, whatever came before it in the stream", () => {
    const frames = [
      { message: "Welcome", choices: [] },
      { code: 500 },
      { message: "Model does not exist", code: 500 },
      { error: { message: "gone" } },
      { choices: [{ delta: { content: "a" } }], usage: { prompt_tokens: 1 } },
      { message: "again" },
      {}
    ]
    const seen = ({ hasChoice, hasChoices, hasCounts, hasError, usages }: FrameScanner) => ({
      hasChoice,
      hasChoices,
      hasCounts,
      hasError,
      usages: [...usages]
    })
    const scanner = new FrameScanner("chat")
    for (const frame of frames) {
      scanner.read(Buffer.from(JSON.stringify(frame)))
      assert.deepStrictEqual(seen(scanner), seen(scan(JSON.stringify(frame)).scanner), JSON.stringify(frame))
    }
  })

  it("reads a frame that is nested very deep", () => {
    const depth = 200_000
    const { strings } = scan(`{"choices":[{"delta":{"content":${"[".repeat(depth)}"abc"${"]".repeat(depth)}}}]}`)
    assert.deepStrictEqual(strings.map((one) => one.text), ["abc"])
  })
})
