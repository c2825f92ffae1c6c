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
import { errorOf, send, type TestAnswer } from "../support/TestHttp.ts"
import type { UpstreamCall } from "../support/TestUpstream.ts"
import {
  clientGateway,
  CODEX_DEFAULT,
  COMPATIBLE,
  listIn,
  MAX_OUTPUT_TOKENS,
  PLAIN,
  play,
  playing,
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
  const plays = playing(it)

  /** A call with this body is answered and charged; then what the upstream got and what was answered are looked at. */
  const goesThrough = (
    title: string,
    model: string,
    sent: { readonly path: string; readonly body: object | Uint8Array; readonly headers?: Record<string, string> },
    look: (received: UpstreamCall | undefined, answer: TestAnswer) => void
  ) =>
    it.effect(title, () =>
      Effect.gen(function*() {
        const { target, requests, charged } = yield* play(model, [[text(SAID)]])
        const answer = yield* post(target, sent.path, sent.body, sent.headers)
        assert.strictEqual(answer.status, 200, answer.text)
        look(requests[0], answer)
        yield* charged
      }))

  goesThrough(
    "Cline's call goes through without the tools that the upstream would run, and its answer says so",
    REASONING,
    { path: "/responses", body: clineBody(REASONING) },
    (received, answer) => {
      assert.deepStrictEqual(listIn(received, "tools").map((tool) => tool["type"]), ["function"])
      assert.match(String(answer.headers["x-realms-dropped-fields"]), /web_search.*image_generation/)
    }
  )

  goesThrough(
    "Cherry Studio's service tier is sent as default where the channel knows the field",
    PLAIN,
    { path: "/chat/completions", body: cherryStudioBody(PLAIN) },
    (received) => {
      assert.strictEqual(received?.body["service_tier"], "default")
      assert.deepStrictEqual(received?.body["messages"], cherryStudioBody(PLAIN).messages)
    }
  )

  goesThrough(
    "Cherry Studio's service tier is removed where the channel does not know the field",
    COMPATIBLE,
    { path: "/chat/completions", body: cherryStudioBody(COMPATIBLE) },
    (received) => assert.notProperty(received?.body, "service_tier")
  )

  goesThrough(
    "opencode's output limit is clamped to the model's",
    PLAIN,
    { path: "/chat/completions", body: opencodeBody(PLAIN) },
    (received) => assert.strictEqual(received?.body["max_tokens"], MAX_OUTPUT_TOKENS)
  )

  for (const [name, encode] of encodings) {
    goesThrough(
      `a body with content-encoding ${name} is the same call`,
      CODEX_DEFAULT,
      { path: "/responses", body: encode(JSON.stringify(codexBody)), headers: { "content-encoding": name } },
      (received) => assert.deepStrictEqual(received?.body["input"], codexBody["input"])
    )
  }

  plays(
    "a body in an encoding that is not known is refused, and nothing is charged",
    { model: PLAIN, turns: [] },
    function*({ target }) {
      const answer = yield* post(target, "/responses", "abc", { "content-encoding": "compress" })
      assert.deepStrictEqual([answer.status, errorOf(answer.text).code], [415, "unsupported_media_type"])
    }
  )

  plays(
    "a page in a browser may ask, and may read the answer and its headers",
    { model: PLAIN, turns: [[text(SAID)]] },
    function*({ target }) {
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
    }
  )

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
