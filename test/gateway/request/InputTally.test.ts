import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import { Buffer } from "node:buffer"
import {
  inputBounds,
  TOKENS_PER_MESSAGE,
  TOKENS_PER_PART,
  TOKENS_PER_TOOL
} from "../../../src/gateway/request/InputBounds.ts"
import { textOf } from "../../../src/gateway/request/InputTexts.ts"
import { callOf, chat, item, part, refusalOf, responses } from "./Bodies.ts"

const png = `data:image/png;base64,${"A".repeat(100_000)}`
const bytesOf = (texts: ReadonlyArray<string>): number =>
  texts.map((text) => Buffer.byteLength(text)).reduce((sum, bytes) => sum + bytes, 0)

describe("images and files", () => {
  it("are counted apart from text", () => {
    const call = callOf(chat({
      messages: [{
        role: "user",
        content: [
          { type: "text", text: "what is this?" },
          { type: "image_url", image_url: { url: png, detail: "high" } },
          { type: "image_url", image_url: { url: "https://example.com/a.png" } },
          { type: "file", file: { filename: "a.pdf", file_data: "data:application/pdf;base64,AAAA" } }
        ]
      }]
    }))
    assert.deepStrictEqual(call.input, {
      textBytes: "user".length + "what is this?".length + "a.pdf".length,
      reasoningBytes: 0,
      unsentBytes: 0,
      integers: 0,
      messages: 1,
      parts: 4,
      tools: 0,
      images: 2,
      possibleImages: 0,
      imageUrls: 1,
      files: 1,
      fileBytes: "data:application/pdf;base64,AAAA".length
    })
    assert.strictEqual(call.places?.file, "messages[0].content[3].file.file_data")
  })

  it.each<[name: string, url: string, imageUrls: number]>([
    ["a web address", "https://example.com/a.png", 1],
    ["a web address in capitals", "HTTP://EXAMPLE.COM/a", 1],
    ["an inline image", "data:image/webp;base64,AAAA", 0],
    ["an inline image with a parameter", "data:image/png;name=a.png;base64,AAAA", 0]
  ])("are no text when given by %s", (_, url, imageUrls) => {
    for (const image_url of [url, { url }]) {
      const { input } = callOf(responses(item({ role: "user", content: [{ type: "input_image", image_url }] })))
      assert.deepStrictEqual([input.images, input.imageUrls, input.textBytes], [1, imageUrls, 4])
    }
  })

  it("are no text however their address is escaped", () => {
    const body = (url: string) =>
      `{"model":"m","messages":[{"content":[{"type":"image_url","image_url":{"url":"${url}"}}]}]}`
    for (const url of ["https:\\/\\/example.com\\/a", "\\u0064ata:image\\/png;base64,AAAA"]) {
      assert.strictEqual(callOf(chat(body(url))).input.textBytes, 0)
    }
  })

  const text = "x".repeat(1_000)
  it.each<[name: string, content: object, counted: string]>([
    ["an image that is not an address", { type: "image_url", image_url: text }, text],
    [
      "data of another type",
      { type: "image_url", image_url: { url: `data:text/plain;base64,${text}` } },
      `data:text/plain;base64,${text}`
    ],
    ["an image without base64", { type: "image_url", image_url: `data:image/png,${text}` }, `data:image/png,${text}`],
    [
      "a drawing in SVG",
      { type: "image_url", image_url: `data:image/svg+xml;base64,${text}` },
      `data:image/svg+xml;base64,${text}`
    ],
    ["an address behind a space", { type: "image_url", image_url: ` https://${text}` }, ` https://${text}`],
    [
      "an address as long as a text",
      { type: "image_url", image_url: `https://${"y".repeat(9_000)}` },
      `https://${"y".repeat(9_000)}`
    ]
  ])("stay text when they are %s", (_, content, counted) => {
    const call = callOf(chat(part(content)))
    assert.strictEqual(call.input.textBytes, "user".length + counted.length)
    assert.include(textOf(call), counted)
  })

  it.each<[name: string, url: string]>([
    ["a PDF", "data:application/pdf;base64,JVBERi0xLjQ="],
    ["a PDF in capitals, with a parameter", "DATA:APPLICATION/PDF;name=a.pdf;base64,JVBERi0xLjQ="],
    ["data of no known type", "data:application/octet-stream;base64,JVBERi0xLjQ="]
  ])("are inline files when they are %s", (_, url) => {
    for (const image_url of [url, { url }]) {
      const call = callOf(chat(part({ type: "image_url", image_url })))
      assert.deepStrictEqual([call.input.files, call.input.images], [1, 1])
      assert.match(call.places?.file ?? "", /^messages\[0\]\.content\[0\]\.image_url/)
    }
  })

  it.each<[name: string, url: string]>([
    ["a film", "data:video/mp4;base64,AAAA"],
    ["a sound", "data:audio/wav;base64,AAAA"],
    ["a film by URL", "https://example.com/a.mp4?x=1"],
    ["a PDF by URL", "https://example.com/a.PDF"],
    ["a film of a site", "https://www.youtube.com/watch?v=a"],
    ["an object of Google's storage", "gs://bucket/a.png"],
    ["an object of Amazon's storage", "s3://bucket/a.pdf"],
    ["a file of the upstream's own", "file:///etc/hostname"]
  ])("are refused when they are %s", (_, url) => {
    for (const image_url of [url, { url }]) {
      assert.deepStrictEqual(refusalOf(chat(part({ type: "image_url", image_url }))).slice(0, 2), [
        400,
        "unsupported_parameter"
      ])
    }
    if (url.startsWith("https:")) return
    assert.strictEqual(refusalOf(chat(part({ type: "file", file: { file_data: url } })))[0], 400)
  })

  it("are counted in items that an answer returned", () => {
    const made = (result: string) =>
      callOf(responses(item({ type: "image_generation_call", id: "ig", status: "completed", result }))).input
    const around = "igcompleted".length
    assert.deepStrictEqual([made(`iVBORw0KGgo${"A".repeat(5_000)}`).images, made("/9j/4AAQ").textBytes], [1, around])
    assert.strictEqual(made("<svg>".repeat(100)).textBytes, around + 500)
    const output = { type: "computer_screenshot", image_url: png }
    const shot = callOf(responses(item({ type: "computer_call_output", call_id: "c", output })))
    assert.deepStrictEqual([shot.input.images, shot.input.textBytes], [1, 1])
  })
})

describe("reasoning", () => {
  it.each<[name: string, call: () => ReturnType<typeof chat>, reasoning: number]>([
    [
      "reasoning_content",
      () => chat({ messages: [{ role: "assistant", content: "abc", reasoning_content: "12345" }] }),
      5
    ],
    ["reasoning", () => chat({ messages: [{ role: "assistant", content: "abc", reasoning: "12345" }] }), 5],
    [
      "reasoning_details",
      () => chat({ messages: [{ role: "assistant", content: "abc", reasoning_details: [{ text: "1" }] }] }),
      14
    ],
    [
      "thinking_blocks",
      () => chat({ messages: [{ role: "assistant", content: "abc", thinking_blocks: ["1"] }] }),
      5
    ],
    ["a thinking part", () => chat(part({ type: "thinking", thinking: [{ type: "text", text: "12345" }] })), 5],
    [
      "a reasoning item",
      () =>
        responses(
          item({ type: "reasoning", summary: [{ type: "summary_text", text: "12" }], encrypted_content: "345" })
        ),
      5
    ],
    ["a compaction item", () => responses(item({ type: "compaction", encrypted_content: "12345" })), 5]
  ])("is counted as text, but in no lower bound: %s", (_, parsed, reasoning) => {
    const { input } = callOf(parsed())
    assert.strictEqual(input.reasoningBytes, reasoning)
    assert.isAtLeast(input.textBytes, reasoning)
  })
})

describe("inputBounds", () => {
  it("gives one token a byte at most, one for 128 bytes at least, and the overheads", () => {
    const call = callOf(chat({
      messages: [{ role: "user", content: [{ type: "text", text: "x".repeat(1_020) }] }, {
        role: "a",
        content: "漢字",
        reasoning: "r".repeat(1_000)
      }],
      tools: [{ type: "function", function: { name: "f" } }]
    }))
    const tool = JSON.stringify({ type: "function", function: { name: "f" } }).length
    assert.deepStrictEqual(inputBounds(call), {
      lowerTokens: Math.floor((4 + 1_020 + 1 + 6 + tool) / 128),
      textCeilingTokens: 4 + 1_020 + 1 + 6 + tool + 1_000,
      overheadTokens: 2 * TOKENS_PER_MESSAGE + TOKENS_PER_PART + TOKENS_PER_TOOL
    })
    assert.strictEqual(inputBounds(callOf(chat(part({ type: "text", text: "" })))).lowerTokens, 1)
  })
})

describe("textOf", () => {
  it("gives the texts whole and in order, without image data", () => {
    const call = callOf(responses({
      instructions: 'be "brief"',
      input: [
        { role: "user", content: [{ type: "input_text", text: "a\nb" }, { type: "input_image", image_url: png }] },
        { type: "function_call", call_id: "c1", name: "f", arguments: '{"x":1}' }
      ],
      tools: [{ type: "function", name: "f", parameters: { a: [1, "é"] } }],
      temperature: 0.5
    }))
    assert.deepStrictEqual(textOf(call), [
      "user",
      "a\nb",
      "c1",
      "f",
      '{"x":1}',
      'be "brief"',
      '{"type":"function","name":"f","parameters":{"a":[1,"é"]}}'
    ])
  })

  const Message = Schema.Struct({
    role: Schema.Literals(["user", "assistant", "tool"]),
    content: Schema.Union([
      Schema.String,
      Schema.Array(Schema.Struct({ type: Schema.Literals(["text", "output_text"]), text: Schema.String }))
    ]),
    name: Schema.String,
    tool_calls: Schema.Array(Schema.Struct({ id: Schema.String, function: Schema.Struct({ arguments: Schema.Json }) })),
    reasoning_content: Schema.String,
    unknown: Schema.Union([Schema.String, Schema.Finite])
  })

  const textsOf = (message: typeof Message.Type): ReadonlyArray<string> => [
    message.role,
    ...(typeof message.content === "string" ? [message.content] : message.content.map((value) => value.text)),
    message.name,
    ...message.tool_calls.flatMap((value) => [value.id, ...stringsOf(value.function.arguments)]),
    message.reasoning_content,
    String(message.unknown)
  ]

  it.prop("has no more bytes than are counted, however the body is escaped", [
    Schema.Array(Message).check(Schema.isMinLength(1)),
    Schema.Record(Schema.String, Schema.Json)
  ], ([list, tool]) => {
    const text = JSON.stringify({ model: "m", messages: list, tools: [{ type: "custom", custom: tool }] })
    const escaped = text.replaceAll(
      /[^\0-\x7f]/g,
      (letter) => `\\u${letter.charCodeAt(0).toString(16).padStart(4, "0")}`
    )
    for (const body of [text, escaped]) {
      const call = callOf(chat(body))
      const decoded = [...stringsOf(tool), ...list.flatMap(textsOf)]
      assert.isAtLeast(call.input.textBytes, bytesOf(decoded))
      assert.isAtLeast(bytesOf(textOf(call)), bytesOf(decoded))
    }
  })
})

const stringsOf = (value: unknown): ReadonlyArray<string> =>
  typeof value === "string"
    ? [value]
    : typeof value === "object" && value !== null
    ? Object.entries(value).flatMap(([key, inner]) => (Array.isArray(value) ? [] : [key]).concat(stringsOf(inner)))
    : []
