/**
 * An upstream that breaks off in the middle of an answer: every client raises an error instead of taking half an answer for a
 * whole one, none repeats the call, and what was delivered is charged.
 */
import { assert, layer } from "@effect/vitest"
import { Effect } from "effect"
import { TestGateway } from "../support/TestGateway.ts"
import type { Break } from "./Answers.ts"
import { chargedByEstimate, clientGateway, CODEX_DEFAULT, PLAIN, play, raised, START, text } from "./ClientWorld.ts"
import { Codex } from "./Codex.ts"
import { chatClients, responsesClients, type StreamingClient } from "./StreamingClients.ts"

/** A token each. */
const WORDS = "one two three four five six"
const DELIVERED = 3

const breaks: ReadonlyArray<readonly [what: string, end: Break]> = [
  ["is cut", { afterDeltas: DELIVERED, by: "cut" }],
  ["fails", { afterDeltas: DELIVERED, by: "failure" }]
]

const raises = (client: StreamingClient, end: Break) =>
  Effect.gen(function*() {
    const { target, user, requests } = yield* play(PLAIN, [[text(WORDS)]], end)
    const error = yield* raised(() => client.read(target, "Count"))
    assert.notInclude(error.message, "org-Upstream1")
    if (error.code !== undefined) assert.strictEqual(error.code, "server_is_overloaded")
    assert.lengthOf(requests, 1)
    yield* chargedByEstimate(user, START, BigInt(DELIVERED))
  })

layer(TestGateway.layerOf(clientGateway), { excludeTestServices: true })("an answer whose upstream", (it) => {
  for (const [what, end] of breaks) {
    for (const client of responsesClients) {
      it.effect(`${what} midway raises in ${client.name} on responses`, () => raises(client, end))
    }
    for (const client of chatClients) {
      it.effect(`${what} midway raises in ${client.name} on chat completions`, () => raises(client, end))
    }

    it.effect(`${what} midway ends Codex, which does not reconnect`, () =>
      Effect.gen(function*() {
        const { target, user, requests } = yield* play(CODEX_DEFAULT, [[text(WORDS)]], end)
        const codex = yield* Effect.acquireRelease(
          Effect.promise(() => Codex.make(target)),
          (made) => Effect.promise(() => made.remove())
        )
        const run = yield* Effect.promise(() => codex.exec("Count"))
        assert.strictEqual(run.exitCode, 1, run.log)
        assert.isFalse(run.errors.some((error) => error.includes("Reconnecting")), run.log)
        assert.lengthOf(requests, 1)
        yield* chargedByEstimate(user, START, BigInt(DELIVERED))
      }))
  }
})
