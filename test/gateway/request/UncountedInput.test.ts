/**
 * Ways for input to reach a model beside the text, images and files that are counted: each is counted, or refused.
 */
import { assert, describe, it } from "@effect/vitest"
import { Buffer } from "node:buffer"
import { defaultChannelTerms } from "../../../src/domain/ChannelTerms.ts"
import { defaultTerms } from "../../../src/domain/ModelTerms.ts"
import { admit } from "../../../src/gateway/request/Admit.ts"
import { forwardBody } from "../../../src/gateway/request/ForwardBody.ts"
import { inputBounds } from "../../../src/gateway/request/InputBounds.ts"
import { SETTING_BYTES_FREE } from "../../../src/gateway/request/Reading.ts"
import { textOf } from "../../../src/gateway/request/InputTexts.ts"
import { admittedOf, callOf, chat, embeddings, item, part, refusalOf, responses } from "./Bodies.ts"

const rules = { ...defaultTerms, toolPrices: undefined, cacheTtlPriced: false }
const url = "https://example.com/a"
const base64 = (text: string) => Buffer.from(text, "latin1").toString("base64")

describe("media in the wrong place", () => {
  const names = [
    "image",
    "image_url",
    "imageUrl",
    "video",
    "video_url",
    "audio_url",
    "input_audio",
    "file",
    "file_uri",
    "fileData",
    "document_url",
    "VIDEO"
  ]
  it.each(names)("is refused as '%s' of a text", (name) => {
    const place = `messages[0].content[0].${name}`
    assert.deepStrictEqual(refusalOf(chat(part({ type: "text", text: "x", [name]: url }))).slice(0, 1), [400])
    assert.deepStrictEqual(refusalOf(chat(part({ type: "text", text: "x", [name]: url }))).at(-1), place)
  })

  it.each<[string, ReturnType<typeof chat>]>([
    ["a message", chat({ messages: [{ role: "user", content: "x", video_url: url }] })],
    ["an image", chat(part({ type: "image_url", image_url: { url, video: url } }))],
    ["a file", chat(part({ type: "file", file: { file_data: "AAAA", file_uri: url } }))],
    ["an item", responses(item({ role: "user", content: "x", file_id: "file-1" }))],
    ["the output of a tool", responses(item({ type: "function_call_output", call_id: "c", output: "x", image: url }))]
  ])("is refused in %s", (_, parsed) => {
    assert.deepStrictEqual(refusalOf(parsed).slice(0, 2), [400, "unsupported_parameter"])
  })

  it("passes where there is nothing of it", () => {
    const nothing = { image_url: null, video: "", file: false, audio: null }
    assert.deepStrictEqual(refusalOf(chat(part({ type: "text", text: "x", ...nothing }))), ["accepted"])
  })

  it.each<[string, ReturnType<typeof chat>]>([
    [
      "annotations",
      chat({
        messages: [{
          role: "assistant",
          content: "x",
          annotations: [
            { type: "url_citation", url_citation: { url } },
            { type: "file", file: { hash: "a", content: [{ type: "image_url", "\u0069mage_url": { url } }] } }
          ]
        }]
      })
    ],
    ["the output of a server's tool", responses(item({ type: "mcp_call", output: [{ type: "x", image_url: url }] }))],
    [
      "reasoning",
      chat({ messages: [{ role: "assistant", content: "x", reasoning_details: [{ imageUrl: url }] }] })
    ],
    ["documents", chat({ documents: [{ image: url }] })],
    [
      "the output of code",
      responses(item({ type: "code_interpreter_call", outputs: [{ type: "logs", logs: "1" }, { type: "image", url }] }))
    ]
  ])("counts as an image in %s", (_, parsed) => {
    const { images, possibleImages } = callOf(parsed).input
    assert.isAtLeast(images + possibleImages, 1)
  })

  it("is in no estimate where it need not be one, and no image by the id of a file that is cited", () => {
    const annotations = [
      { type: "file_citation", file_id: "file-1", filename: "a.txt", index: 0 },
      { type: "thumbnail", image_url: url }
    ]
    const { images, possibleImages } =
      callOf(chat({ messages: [{ role: "assistant", content: "x", annotations }] })).input
    assert.deepStrictEqual([images, possibleImages], [0, 1])
  })
})

describe("data that is not what its address says", () => {
  const image = (data: string) => chat(part({ type: "image_url", image_url: { url: `data:image/png;base64,${data}` } }))

  it.each<[string, string, ((data: string) => string)?]>([
    ["a PDF", "%PDF-1.7\n"],
    ["a PDF behind other bytes", "\n\n  %PDF-1.7\n"],
    ["an office document", "PK\x03\x04\x14\x00\x06\x00"],
    ["a PDF with escapes in its address", "%PDF-", (data: string) => data.replace("J", "%4A")],
    ["an old office document", "\xd0\xcf\x11\xe0\xa1\xb1"]
  ])("is an inline file when it is %s", (_, data, write = (written: string) => written) => {
    const call = callOf(image(write(base64(data))))
    assert.deepStrictEqual([call.input.files, call.input.images], [1, 1])
    const bare = callOf(responses(item({ type: "image_generation_call", result: base64(data) })))
    assert.strictEqual(bare.input.files, 1)
  })

  it.each([
    ["an MP4", "\x00\x00\x00\x20ftypisom\x00\x00"],
    ["a WebM", "\x1aE\xdf\xa3\x01\x00"],
    ["an AVI", "RIFF\x00\x00\x00\x00AVI LIST"],
    ["a WAV", "RIFF\x00\x00\x00\x00WAVEfmt "],
    ["an MP3", "ID3\x04\x00"],
    ["an Ogg", "OggS\x00\x02"],
    ["a FLAC", "fLaC\x00\x00"]
  ])("is refused when it is %s", (_, data) => {
    assert.deepStrictEqual(refusalOf(image(base64(data)))[0], 400)
    assert.deepStrictEqual(refusalOf(chat(part({ type: "file", file: { file_data: base64(data) } })))[0], 400)
  })

  it.each([
    ["a PNG", "\x89PNG\r\n\x1a\n"],
    ["a JPEG", "\xff\xd8\xff\xe0"],
    ["a WebP", "RIFF\x00\x00\x00\x00WEBPVP8 "],
    ["an AVIF", "\x00\x00\x00\x20ftypavif\x00\x00"],
    ["an HEIC", "\x00\x00\x00\x20ftypheic\x00\x00"],
    ["nothing known", "????"]
  ])("is an image alone when it is %s", (_, data) => {
    const { files, images, textBytes } = callOf(image(base64(data))).input
    assert.deepStrictEqual([files, images, textBytes], [0, 1, "user".length])
  })

  it.each([
    { file_data: "AAAA", format: "video/mp4" },
    { file_data: "AAAA", filename: "talk.MP3" },
    { file_data: "AAAA", filename: "a.b.webm" }
  ])("is refused as a file that says that it is a film or a sound: %j", (file) => {
    assert.deepStrictEqual(refusalOf(chat(part({ type: "file", file })))[0], 400)
  })
})

describe("addresses", () => {
  it.each(["a.m3u8", "a.MP4?b=c", "a.%70df", "a.html", "a.txt#b.png", "a.zip"])(
    "of files are refused for images: %s",
    (name) => {
      for (const address of [`https://example.com/${name}`, `//example.com/${name}`]) {
        assert.strictEqual(refusalOf(chat(part({ type: "image_url", image_url: { url: address } })))[0], 400)
      }
    }
  )

  it.each(["a.png", "pdf", "a.pdf.webp", "a?b=c.mp4", "txt/a"])("of images pass: %s", (name) => {
    const call = callOf(chat(part({ type: "image_url", image_url: { url: `https://example.com/${name}` } })))
    assert.strictEqual(call.input.images, 1)
  })
})

describe("what upstreams need not be sent", () => {
  const long = { a: "x".repeat(50_000) }
  const dropped = [
    ["an unknown field", chat({ unknown: long })],
    ["a tool of the upstream", chat({ tools: [{ type: "mcp", server_description: long }] })]
  ] as const

  it.each(dropped)("is in the ceiling, and in no lower bound and no estimate: %s", (_, parsed) => {
    const call = callOf(parsed)
    assert.isAtLeast(inputBounds(call).textCeilingTokens, 50_000)
    assert.strictEqual(inputBounds(call).lowerTokens, 1)
    assert.isAtLeast(call.input.unsentBytes, 50_000)
    assert.isBelow(call.input.textBytes - call.input.unsentBytes, 100)
  })

  it.each(["attachments", "file_ids", "videos", "multi_modal_data", "prompt_token_ids", "thread_id", "data_sources"])(
    "is taken out, whatever the channel, where it brings in input from elsewhere: %s",
    (name) => {
      const forwarded = forwardBody(admittedOf(admit(callOf(chat({ [name]: ["x"] })), rules)), {
        ...defaultChannelTerms,
        upstreamModel: "up",
        unknownFields: "forward",
        includeUsage: false,
        identity: (value) => value
      })
      assert.deepStrictEqual(forwarded === "refused" ? [] : forwarded.dropped, [name])
    }
  )
})

describe("settings", () => {
  const long = "x".repeat(50_000)

  it.each<[string, object]>([
    ["reasoning_effort", { reasoning_effort: long }],
    ["reasoning.effort", { reasoning: { effort: long } }],
    ["reasoning.other", { reasoning: { other: long } }],
    ["thinking", { thinking: { type: long } }],
    ["verbosity", { verbosity: long }],
    ["stop", { stop: Array.from({ length: 500 }, () => "x".repeat(100)) }],
    ["the detail of an image", part({ type: "image_url", image_url: { url, detail: long } })]
  ])("that are as long as a text are counted: %s", (_, extra) => {
    const { reasoningBytes, textBytes } = callOf(chat(extra)).input
    assert.isAtLeast(textBytes, long.length - SETTING_BYTES_FREE)
    // An upstream need not count them.
    assert.isAtLeast(reasoningBytes, long.length - SETTING_BYTES_FREE)
    assert.isAtLeast(textOf(callOf(chat(extra))).join("").length, long.length - SETTING_BYTES_FREE)
  })

  it("that a call needs are not counted", () => {
    const plain = callOf(chat({})).input
    const set = {
      reasoning_effort: "high",
      reasoning: { effort: "high", summary: "auto" },
      stop: ["a", "b"],
      temperature: 0.5,
      user: long,
      prompt_cache_key: long,
      metadata: { a: long },
      logit_bias: Object.fromEntries(Array.from({ length: 300 }, (_, token) => [String(token), -100]))
    }
    assert.deepStrictEqual(callOf(chat(set)).input, plain)
    assert.strictEqual(callOf(embeddings({ input_type: "query" })).input.textBytes, 2)
  })

  it("in a tool are counted with it, once", () => {
    const tool = { type: "function", function: { name: "f" }, cache_control: { type: "ephemeral", other: long } }
    assert.isBelow(callOf(chat({ tools: [tool] })).input.textBytes, 1.1 * long.length)
  })
})
