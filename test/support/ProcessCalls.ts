/**
 * What the tests of server processes share: a configuration with two models at a micro a token - `quick` and `slow`, by
 * the same names upstream -, calls of them, and what the command line says of a user's money.
 */
import { assert } from "@effect/vitest"
import { Effect, Schema } from "effect"
import type { Installation } from "./SpawnRealms.ts"
import { OpenAnswer, send } from "./TestHttp.ts"
import type { TestUpstream } from "./TestUpstream.ts"

export const chatPath = "/v1/chat/completions"

export const document = (upstream: TestUpstream, leaseSeconds: number, more: object = {}, billing: object = {}) => ({
  billing: { reservation_lease_seconds: leaseSeconds, default_max_output_tokens: 1_000, ...billing },
  channels: [{
    name: "one",
    base_url: `${upstream.origin}/v1`,
    api_key: "x",
    models: { quick: "quick", slow: "slow" }
  }],
  models: ["quick", "slow"].map((id) => ({
    id,
    input_usd_per_1m: "1",
    output_usd_per_1m: "1",
    max_output_tokens: 10_000
  })),
  ...more
})

export const chatBody = (model: string, stream: boolean) => ({
  model,
  stream,
  messages: [{ role: "user", content: "Hi" }]
})

/** A stream of `slow`. */
export const openSlow = (origin: string, key: string, more: object = {}) => {
  const answer = new OpenAnswer(`${origin}${chatPath}`, { key, method: "POST" })
  answer.end({ ...chatBody("slow", true), ...more })
  return answer
}

const Balance = Schema.fromJsonString(Schema.Struct({
  usd_micros: Schema.String,
  owed_micros: Schema.String,
  reserved_micros: Schema.String
}))

/** What `realms balance show` says. */
export const balanceOf = (realms: Installation, email: string) =>
  Effect.flatMap(realms.cli("balance", "show", "--user", email, "--json"), Schema.decodeUnknownEffect(Balance))

const Receipt = Schema.fromJsonString(Schema.Struct({
  state: Schema.String,
  charged_micros: Schema.NullOr(Schema.String),
  reason: Schema.NullOr(Schema.String)
}))

export const receiptOf = Effect.fnUntraced(function*(origin: string, key: string, id: string) {
  const answer = yield* send(`${origin}/v1/usage/${id}`, { key })
  assert.strictEqual(answer.status, 200, answer.text)
  return yield* Schema.decodeUnknownEffect(Receipt)(answer.text)
})
