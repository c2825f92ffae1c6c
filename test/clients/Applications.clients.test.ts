/**
 * Clients that are applications: the bodies that Cline, Cherry Studio and opencode send, request bodies that come compressed,
 * and pages in a browser. References are for their owner alone, whatever client sends them.
 */
import { assert, layer } from "@effect/vitest"
import { Effect, Schema } from "effect"
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { brotliCompressSync, deflateSync, gzipSync, zstdCompressSync } from "node:zlib"
import { TestGateway } from "../support/TestGateway.ts"
import { errorOf, send } from "../support/TestHttp.ts"
import {
  clientGateway,
  CODEX_DEFAULT,
  COMPATIBLE,
  listIn,
  MAX_OUTPUT_TOKENS,
  PLAIN,
  play,
  REASONING,
  START,
  text
} from "./ClientWorld.ts"
import { responses } from "./OpenAiNode.ts"
import { cherryStudioBody, clineBody, opencodeBody } from "./PlainBodies.ts"
import type { Target } from "./Target.ts"

const SAID = "Hello there."
const ORIGIN = "https://chat.example"

const post = (target: Target, path: string, body: unknown, headers: Readonly<Record<string, string>> = {}) =>
  send(`${target.baseUrl}${path}`, { key: target.apiKey, method: "POST", body, headers })

const Recording = Schema.fromJsonString(Schema.Struct({
  requests: Schema.NonEmptyArray(Schema.Struct({ body: Schema.Record(Schema.String, Schema.Unknown) }))
}))
const codexBody = Schema.decodeUnknownSync(Recording)(
  readFileSync(join(import.meta.dirname, "recorded/codex.json"), "utf8")
).requests[0].body

const encodings: ReadonlyArray<readonly [name: string, encode: (text: string) => Uint8Array]> = [
  ["zstd", (plain) => zstdCompressSync(plain)],
  ["gzip", (plain) => gzipSync(plain)],
  ["br", (plain) => brotliCompressSync(plain)],
  ["deflate", (plain) => deflateSync(plain)]
]

layer(TestGateway.layerOf(clientGateway), { excludeTestServices: true })("applications", (it) => {
  it.effect("Cline's call goes through without the tools that the upstream would run, and its answer says so", () =>
    Effect.gen(function*() {
      const { target, requests, charged } = yield* play(REASONING, [[text(SAID)]])
      const answer = yield* post(target, "/responses", clineBody(target.model))
      assert.strictEqual(answer.status, 200, answer.text)
      assert.deepStrictEqual(listIn(requests[0], "tools").map((tool) => tool["type"]), ["function"])
      assert.match(String(answer.headers["x-realms-dropped-fields"]), /web_search.*image_generation/)
      yield* charged
    }))

  it.effect("Cherry Studio's service tier is sent as default where the channel knows the field", () =>
    Effect.gen(function*() {
      const { target, requests, charged } = yield* play(PLAIN, [[text(SAID)]])
      const answer = yield* post(target, "/chat/completions", cherryStudioBody(target.model))
      assert.strictEqual(answer.status, 200, answer.text)
      assert.strictEqual(requests[0]?.body["service_tier"], "default")
      assert.deepStrictEqual(requests[0]?.body["messages"], cherryStudioBody(target.model).messages)
      yield* charged
    }))

  it.effect("Cherry Studio's service tier is removed where the channel does not know the field", () =>
    Effect.gen(function*() {
      const { target, requests, charged } = yield* play(COMPATIBLE, [[text(SAID)]])
      const answer = yield* post(target, "/chat/completions", cherryStudioBody(target.model))
      assert.strictEqual(answer.status, 200, answer.text)
      assert.notProperty(requests[0]?.body, "service_tier")
      yield* charged
    }))

  it.effect("opencode's output limit is clamped to the model's", () =>
    Effect.gen(function*() {
      const { target, requests, charged } = yield* play(PLAIN, [[text(SAID)]])
      const answer = yield* post(target, "/chat/completions", opencodeBody(target.model))
      assert.strictEqual(answer.status, 200, answer.text)
      assert.strictEqual(requests[0]?.body["max_tokens"], MAX_OUTPUT_TOKENS)
      yield* charged
    }))

  for (const [name, encode] of encodings) {
    it.effect(`a body with content-encoding ${name} is the same call`, () =>
      Effect.gen(function*() {
        const { target, requests, charged } = yield* play(CODEX_DEFAULT, [[text(SAID)]])
        const answer = yield* post(target, "/responses", encode(JSON.stringify(codexBody)), {
          "content-encoding": name
        })
        assert.strictEqual(answer.status, 200, answer.text)
        assert.deepStrictEqual(requests[0]?.body["input"], codexBody["input"])
        yield* charged
      }))
  }

  it.effect("a body in an encoding that is not known is refused, and nothing is charged", () =>
    Effect.gen(function*() {
      const { target, charged } = yield* play(PLAIN, [])
      const answer = yield* post(target, "/responses", "abc", { "content-encoding": "compress" })
      assert.deepStrictEqual([answer.status, errorOf(answer.text).code], [415, "unsupported_media_type"])
      yield* charged
    }))

  it.effect("a page in a browser may ask, and may read the answer and its headers", () =>
    Effect.gen(function*() {
      const { target, charged } = yield* play(PLAIN, [[text(SAID)]])
      const url = `${target.baseUrl}/chat/completions`
      const asked = "authorization, content-type, x-stainless-lang"
      const preflight = yield* send(url, {
        method: "OPTIONS",
        headers: {
          origin: ORIGIN,
          "access-control-request-method": "POST",
          "access-control-request-headers": asked
        }
      })
      assert.strictEqual(preflight.status, 204)
      assert.strictEqual(preflight.headers["access-control-allow-origin"], "*")
      assert.strictEqual(preflight.headers["access-control-allow-headers"], asked)
      assert.strictEqual(preflight.headers["access-control-allow-methods"], "GET, POST, DELETE, OPTIONS")
      assert.strictEqual(preflight.headers["access-control-max-age"], "86400")

      const body = { model: target.model, messages: [{ role: "user", content: "Hi" }] }
      const answer = yield* post(target, "/chat/completions", body, { origin: ORIGIN })
      const refused = yield* send(url, { key: "sk-unknown", body, headers: { origin: ORIGIN } })
      const missing = yield* send(`${target.baseUrl}/nothing`, { key: target.apiKey, headers: { origin: ORIGIN } })
      assert.deepStrictEqual([answer.status, refused.status, missing.status], [200, 401, 404])
      for (const { headers } of [answer, refused, missing]) {
        assert.strictEqual(headers["access-control-allow-origin"], "*")
        const exposed = String(headers["access-control-expose-headers"]).split(/, */)
        assert.includeMembers(exposed, ["x-request-id", "x-realms-cost-micros", "retry-after"])
      }
      yield* charged
    }))

  it.effect("what one user's call left upstream cannot be named by another, in the same words as what never was", () =>
    Effect.gen(function*() {
      const owner = yield* play(PLAIN, [[text(SAID)], [text(SAID)]])
      const { ids: [known] } = yield* Effect.promise(() => responses(owner.target, ["Hi", "And?"]))
      yield* owner.charged
      const item = owner.ids[0]?.[1]
      const stranger = yield* play(PLAIN, [])
      const answers = yield* Effect.forEach(
        [
          { previous_response_id: known, input: "Hi" },
          { previous_response_id: "resp_never", input: "Hi" },
          { input: [{ type: "item_reference", id: item }, { role: "user", content: "Hi" }] },
          { input: [{ type: "item_reference", id: "msg_never" }, { role: "user", content: "Hi" }] }
        ],
        (body) => post(stranger.target, "/responses", { model: PLAIN, ...body })
      )
      assert.deepStrictEqual(answers.map((answer) => answer.status), [400, 400, 400, 400])
      const [foreign, unknown, foreignItem, unknownItem] = answers.map((answer) => errorOf(answer.text))
      assert.strictEqual(foreign?.code, "reference_not_found")
      assert.deepStrictEqual(foreign, unknown)
      assert.strictEqual(foreignItem?.code, "reference_not_found")
      assert.deepStrictEqual(foreignItem, unknownItem)
      yield* stranger.charged
      assert.strictEqual(yield* stranger.gateway.balanceOf(stranger.user), START)
    }))
})
