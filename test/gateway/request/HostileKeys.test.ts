import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import { Buffer } from "node:buffer"
import type { Call, Refused } from "../../../src/gateway/request/Call.ts"
import { messageFields } from "../../../src/gateway/request/ChatTable.ts"
import { textOf } from "../../../src/gateway/request/InputTexts.ts"
import { foldKey, OBJECT_MEMBERS_MAX } from "../../../src/gateway/request/ReadMembers.ts"
import { UNKNOWN_FIELDS_MAX } from "../../../src/gateway/request/ReadBody.ts"
import { chat, embeddings, encode, messages, refusalOf, responses } from "./Bodies.ts"
import { parseCall } from "../../../src/gateway/request/ParseCall.ts"

const hostile = [
  "__proto__",
  "constructor",
  "hasOwnProperty",
  "toString",
  "type",
  "Type",
  "tYpe",
  "content",
  "conten\u0074",
  "CONTENT",
  "role",
  "id",
  "text",
  "image_url",
  "Image_Url",
  "file_id",
  "tools",
  "toolſ",
  "max_to\u212aens",
  "model",
  "messages",
  "input",
  "",
  "\u0000",
  "\ud800",
  '"',
  "\\",
  "漢字",
  "metadata",
  "n",
  "0"
]

const Key = Schema.Literals(hostile)
const Scalar = Schema.Union([Schema.String, Schema.Finite, Schema.Boolean, Schema.Null, Key])
const Flat = Schema.Record(Key, Scalar)
const Deep = Schema.Record(Key, Schema.Union([Scalar, Flat, Schema.Array(Schema.Union([Scalar, Flat]))]))

const escapeAll = (text: string): string =>
  text.replaceAll(/[a-z]/g, (letter) => `\\u00${letter.charCodeAt(0).toString(16)}`)

const bytesOf = (call: Call): number => textOf(call).map((text) => Buffer.byteLength(text)).reduce((a, b) => a + b, 0)

describe("hostile keys", () => {
  it.prop("are refused or counted, and never break the parser", [Deep, Flat], ([own, inner]) => {
    const bodies = [own, { messages: [own], input: [own] }, { messages: [{ content: [inner] }], input: [inner] }]
    for (const parse of [chat, responses, embeddings]) {
      for (const body of bodies) {
        const parsed: Call | Refused = parse(body)
        if (parsed._tag === "Refused") assert.strictEqual(parsed.status, 400)
        else assert.isAtLeast(bytesOf(parsed), parsed.input.textBytes)
      }
    }
  })

  it.prop("never look like a known field of what is accepted", [Flat], ([own]) => {
    if (chat({ messages: [own] })._tag === "Refused") return
    for (const key of Object.keys(own)) assert.isTrue(foldKey(key) === key || !messageFields.has(foldKey(key)), key)
  })

  it.each([
    ["Type", "type"],
    ["TYPE", "type"],
    ["toolſ", "tools"],
    ["max_to\u212aens", "max_tokens"],
    ["type", "type"],
    // It has no simple folding.
    ["İd", "İd"]
  ])("fold as other parsers fold them: %s", (key, folded) => {
    assert.strictEqual(foldKey(key), folded)
  })

  it("are read the same when they are escaped", () => {
    const text = JSON.stringify({ model: "m", messages: [{ role: "user", content: [{ type: "text", text: "abc" }] }] })
    // Keys and values alike: the letters of a JSON text that stand in strings.
    const escaped = text.replaceAll(/"[a-z]+"/g, escapeAll)
    const plain = parseCall("chat", encode(text))
    const other = parseCall("chat", encode(escaped))
    assert.deepStrictEqual(
      plain._tag === "Call" && other._tag === "Call" ? [other.model, other.input] : [],
      plain._tag === "Call" ? [plain.model, plain.input] : ["refused"]
    )
  })

  it("do not hide a repeated key behind an escape", () => {
    const body =
      `{"model":"m","messages":[{"role":"user","content":[{"type":"text","text":"x","t\\u0079pe":"image_url"}]}]}`
    assert.deepStrictEqual(refusalOf(parseCall("chat", Buffer.from(body))), [400, "invalid_request_error", null])
  })

  it("are bounded in number, where the gateway reads the object", () => {
    const many = (count: number) => Object.fromEntries(Array.from({ length: count }, (_, index) => [`k${index}`, 1]))
    assert.deepStrictEqual(refusalOf(chat(many(UNKNOWN_FIELDS_MAX))), ["accepted"])
    assert.strictEqual(refusalOf(chat(many(UNKNOWN_FIELDS_MAX + 1)))[1], "unsupported_parameter")
    assert.deepStrictEqual(refusalOf(chat({ messages: [many(OBJECT_MEMBERS_MAX)] })), ["accepted"])
    assert.strictEqual(refusalOf(chat({ messages: [many(OBJECT_MEMBERS_MAX + 1)] }))[1], "invalid_request_error")
    assert.deepStrictEqual(refusalOf(chat({ messages, metadata: many(10_000) })), ["accepted"])
  })
})
