/**
 * What the console and the administration's API ask for before stored keys of a channel are sent to another address.
 */
import { assert, describe, layer } from "@effect/vitest"
import { Effect } from "effect"
import { channelForm, problemsIn } from "../../../support/ChannelForm.ts"
import { ConsoleWorld, signedInRoot } from "../../../support/ConsoleWorld.ts"
import { revisionIn } from "../../../support/RootClient.ts"
import { send, type TestAnswer } from "../../../support/TestHttp.ts"

const form = (baseUrl: string, more: Readonly<Record<string, string>> = {}) =>
  channelForm(baseUrl, { name: "moved", ...more })

const json = (answer: TestAnswer) => JSON.parse(answer.text)

describe("a channel whose address changes", () => {
  layer(ConsoleWorld.layerOf(), { timeout: 60_000 })((it) => {
    it.effect("sends its keys to another address only with a proof, once the session is old", () =>
      Effect.gen(function*() {
        const { client, root, world } = yield* signedInRoot
        const { upstream } = world
        yield* client.get("/admin/channels/new")
        const made = yield* client.post("/admin/channels", form(upstream))
        const path = /^\/admin\/channels\/\d+/.exec(made.headers.location ?? "")?.[0] ?? made.text
        const asked = `name="password"`
        assert.notInclude((yield* client.get(path)).text, asked)
        yield* world.ageSessions
        const shown = yield* client.get(path)
        assert.include(shown.text, asked)
        const kept = form(upstream, { api_key: "", revision: revisionIn(shown.text), weight: "6" })
        const elsewhere = { ...kept, base_url: "https://evil.example/v1" }
        for (const password of ["", "not the password"]) {
          const refused = yield* client.post(path, { ...elsewhere, password })
          assert.deepStrictEqual([refused.status, problemsIn(refused)], [422, ["password"]])
          assert.include(refused.text, `value="https://evil.example/v1"`)
        }
        // What is wrong with the form is said first, and what sends no key elsewhere needs no proof.
        assert.deepStrictEqual(problemsIn(yield* client.post(path, { ...elsewhere, name: "" })), ["name"])
        assert.strictEqual((yield* client.post(path, kept)).status, 303)

        const cookie = `realms_session=${yield* world.session(root.id)}`
        yield* world.ageSessions
        const { csrf_token } = json(yield* send(`${world.origin}/api/admin/me`, { method: "GET", headers: { cookie } }))
        const put = (more: object) =>
          Effect.gen(function*() {
            const url = `${world.origin}/api${path}`
            const { revision } = json(yield* send(url, { method: "GET", headers: { cookie } }))
            const body = {
              name: "moved",
              base_url: "https://evil.example/v1",
              priority: 0,
              weight: 1,
              models: {},
              ...more
            }
            const headers = { cookie, "x-csrf-token": csrf_token }
            return (yield* send(url, { method: "PUT", headers, body: { ...body, revision } })).status
          })
        assert.strictEqual(yield* put({}), 403)
        assert.strictEqual(yield* put({ base_url: upstream }), 200)
        assert.notInclude((yield* client.get(path)).text, "evil.example")
        yield* world.sql`UPDATE sessions SET created_at = now() WHERE user_id = ${root.id}`
        assert.strictEqual(yield* put({ base_url: "https://first.example" }), 200)
        yield* world.ageSessions
        assert.strictEqual(yield* put({ api_key: "sk-another" }), 200)
        const proven = { ...elsewhere, base_url: upstream, revision: revisionIn((yield* client.get(path)).text) }
        assert.strictEqual((yield* client.post(path, { ...proven, password: world.password })).status, 303)
        assert.include((yield* client.get(path)).text, `value="${upstream}"`)
      }))
  })
})
