/**
 * What root does with channels besides making them: keys added and removed, tests of all, the upstream's models fetched and chosen, its
 * balance asked for, and notices of keys that are out of use.
 */
import { assert, describe, layer } from "@effect/vitest"
import { Effect } from "effect"
import { acquireUpstream } from "../../../../simulators/upstream/UpstreamSimulator.ts"
import { ConsoleWorld, signedInRoot } from "../../../support/ConsoleWorld.ts"
import { revisionIn } from "../../../support/RootClient.ts"
import { eventually } from "../../../support/Until.ts"

const KEYS = ["sk-upstream-key-0001", "sk-upstream-key-0002"] as const

const prices = JSON.stringify({
  "brand-new": {
    litellm_provider: "vendor",
    mode: "chat",
    input_cost_per_token: 0.000001,
    output_cost_per_token: 0.000002,
    max_input_tokens: 100_000,
    max_output_tokens: 8_000
  }
})

/** A channel to an upstream of its own. */
const made = Effect.fnUntraced(function*(name: string, models = "gpt-4o = up") {
  const { client, world } = yield* signedInRoot
  const upstream = yield* acquireUpstream({
    apiKey: KEYS,
    models: ["up", "vendor/brand-new", "nobody-knows", "gpt-4o-mini"],
    billing: { limitUsd: 20, usedUsd: 7.5 }
  })
  yield* client.get("/admin/channels/new")
  const answer = yield* client.post("/admin/channels", {
    name,
    base_url: upstream.baseUrl,
    api_key: KEYS.join("\n"),
    priority: "0",
    weight: "1",
    unknown_fields: "drop",
    first_byte_timeout_seconds: "30",
    idle_timeout_seconds: "60",
    input_overhead_tokens: "0",
    max_connections: "8",
    models
  })
  const path = /^\/admin\/channels\/\d+/.exec(answer.headers.location ?? "")?.[0] ?? answer.text
  return { client, world, upstream, path, id: BigInt(path.slice("/admin/channels/".length)) }
})

const fields = (client: { readonly token: string }, entries: ReadonlyArray<readonly [string, string]>) =>
  new URLSearchParams([["csrf_token", client.token], ...entries.map(([name, value]) => [name, value])]).toString()

const keyPaths = (text: string): ReadonlyArray<string> =>
  Array.from(text.matchAll(/action="(\/admin\/channels\/\d+\/keys\/\d+)\/test"/g), (match) => match[1] ?? "")

describe("root's channels", () => {
  layer(ConsoleWorld.layerOf(), { excludeTestServices: true, timeout: 60_000 })((it) => {
    it.effect("have keys that are added, tested and removed, and shown by their last characters alone", () =>
      Effect.gen(function*() {
        const { client, path, upstream } = yield* made("keyed")
        const shown = yield* client.get(path)
        for (const key of KEYS) {
          assert.include(shown.text, `…${key.slice(-4)}`)
          assert.notInclude(shown.text, key)
        }
        const asked = yield* client.get(`${path}/keys`)
        assert.include(asked.text, 'name="api_key"', asked.text.slice(-3_000))
        const refused = yield* client.post(`${path}/keys`, { api_key: `${KEYS[0]}\nsk bad` })
        assert.strictEqual(refused.status, 422)
        assert.notInclude(refused.text, KEYS[0])
        assert.strictEqual((yield* client.post(`${path}/keys`, { api_key: " \n " })).status, 422)
        const added = yield* client.post(`${path}/keys`, { api_key: `${KEYS[0]}\nsk-upstream-key-0003` })
        assert.strictEqual(added.headers.location, `${path}?done=keys-added`)
        const three = keyPaths((yield* client.get(path)).text)
        assert.lengthOf(three, 3)
        const tested = yield* client.post(`${three[2]}/test`, {})
        assert.include(tested.text, "it refused the key.")
        assert.include(tested.text, "Out of use")
        assert.include(tested.text, "2 other keys of the channel are still in use.")
        const overview = yield* client.get("/admin")
        assert.include(overview.text, "A key was taken out of use")
        assert.include(overview.text, `href="${path}"`)
        upstream.reset()
        const ask = yield* client.get(`${three[2]}/remove`)
        assert.include(ask.text, "Remove key …0003?")
        assert.strictEqual((yield* client.post(`${three[2]}/remove`, {})).headers.location, `${path}?done=key-removed`)
        assert.strictEqual((yield* client.get(`${three[2]}/remove`)).status, 404)
        yield* client.post(`${three[1]}/remove`, {})
        assert.strictEqual((yield* client.post(`${three[0]}/remove`, {})).status, 409)
        assert.notInclude((yield* client.get("/admin")).text, "taken out of use")
      }).pipe(Effect.scoped))

    it.effect("are tested all at once, one run at a time, and keep what came of it", () =>
      Effect.gen(function*() {
        const { client, path, upstream, world } = yield* made("tested")
        upstream.always({ gate: "tests" })
        const before = upstream.seen()
        assert.strictEqual((yield* client.post("/admin/channels/tests", {})).headers.location, "/admin/channels")
        assert.strictEqual((yield* client.post("/admin/channels/tests", {})).status, 303)
        yield* eventually("it is asked", Effect.sync(() => upstream.waiting("tests")), (count) => count > 0)
        const going = yield* client.get("/admin/channels")
        assert.include(going.text, "Testing: ")
        assert.include(going.text, 'hx-get="/admin/channels/tests"')
        upstream.open("tests")
        yield* eventually(
          "it is over",
          world.sql<{ over: boolean }>`SELECT ended_at IS NOT NULL AS over FROM channel_test_runs`,
          ([run]) => run?.over === true
        )
        assert.strictEqual(upstream.seen(), before + 1)
        const over = yield* client.get("/admin/channels")
        assert.include(over.text, "Last test of all:")
        assert.include((yield* client.get(path)).text, "Works, ")
      }).pipe(Effect.scoped))

    it.effect("serve what is chosen from their upstream's list, and models that a file has prices for are made", () =>
      Effect.gen(function*() {
        const { client, id, path, world } = yield* made("chosen")
        yield* world.sql`DELETE FROM models WHERE id = 'brand-new'`
        assert.include((yield* client.get(`${path}/models`)).text, "Not fetched yet")
        const fetched = yield* client.post(`${path}/models/fetch`, {})
        assert.strictEqual(fetched.headers.location, `${path}/models?done=fetched`)
        const shown = yield* client.get(`${path}/models`)
        for (const name of ["vendor/brand-new", "nobody-knows", "No price known"]) assert.include(shown.text, name)
        const revision = revisionIn(shown.text)
        const choose = (entries: ReadonlyArray<readonly [string, string]>) =>
          client.postText(`${path}/models`, fields(client, [["revision", revision], ...entries]))
        const row = (upstream: string, as: string, ticked = true) =>
          [["shown", upstream], ["as", as], ...ticked ? [["models", upstream] as const] : []] as const
        const unpriced = yield* choose(row("vendor/brand-new", "brand-new"))
        assert.strictEqual(unpriced.status, 422)
        assert.include(unpriced.text, "There is no price for brand-new.")
        assert.strictEqual((yield* choose([...row("up", "gpt-4o"), ...row("gpt-4o-mini", "gpt-4o")])).status, 422)
        assert.strictEqual((yield* choose(row("up", " "))).status, 422)

        yield* client.get("/admin/models/import")
        const form = new FormData()
        form.set("csrf_token", client.token)
        form.set("text", prices)
        const read = yield* Effect.promise(() =>
          fetch(`${world.origin}/admin/models/import`, {
            method: "POST",
            body: form,
            redirect: "manual",
            headers: {
              cookie: [...client.cookies].map(([name, value]) => `${name}=${value}`).join("; "),
              origin: world.origin
            }
          })
        )
        assert.strictEqual(read.status, 303)
        const priced = yield* client.get(`${path}/models`)
        assert.include(priced.text, "Added, prices by vendor")
        const chosen = yield* choose([
          ...row("vendor/brand-new", "brand-new"),
          ...row("gpt-4o-mini", "gpt-4o-mini"),
          ...row("nobody-knows", "nobody-knows", false),
          ...row("up", "gpt-4o", false)
        ])
        assert.strictEqual(chosen.headers.location, `${path}?done=models-added`)
        const served = yield* world.sql<{ model: string; upstream: string }>`
          SELECT model_id AS model, upstream_model AS upstream FROM channel_models WHERE channel_id = ${id} ORDER BY 1`
        assert.deepStrictEqual(served, [
          { model: "brand-new", upstream: "vendor/brand-new" },
          { model: "gpt-4o-mini", upstream: "gpt-4o-mini" }
        ])
        // The same form again: the channel has changed since.
        assert.strictEqual((yield* choose(row("up", "gpt-4o"))).status, 409)
        const filtered = yield* client.get(`${path}/models?state=served&q=BRAND&tick=none`)
        assert.include(filtered.text, "vendor/brand-new")
        assert.notInclude(filtered.text, "nobody-knows")
        assert.notInclude(filtered.text, "Only the first")
        yield* world.sql`UPDATE channel_upstream_models SET models = (
          SELECT array_agg('model-' || n) FROM generate_series(1, 5000) AS n) WHERE channel_id = ${id}`
        assert.include(
          (yield* client.get(`${path}/models`)).text,
          "Only the first 5,000 models of the upstream are listed."
        )
      }).pipe(Effect.scoped))

    it.effect("say why their upstream's list was not fetched, and ask no address that is not called", () =>
      Effect.gen(function*() {
        const { client, id, path, upstream, world } = yield* made("unfetched")
        for (
          const [baseUrl, says] of [
            [`${upstream.url}/nothing`, "it knows no such address or model"],
            ["http://169.254.169.254/v1", "is not called"]
          ] as const
        ) {
          yield* world.sql`UPDATE channels SET base_url = ${baseUrl} WHERE id = ${id}`
          const refused = yield* client.post(`${path}/models/fetch`, {})
          assert.strictEqual(refused.status, 422)
          assert.include(refused.text, says)
        }
        assert.strictEqual((yield* client.post("/admin/channels/999999/models/fetch", {})).status, 404)
      }).pipe(Effect.scoped))

    it.effect("tell the balance of each key where their upstream does", () =>
      Effect.gen(function*() {
        const { client, path, upstream, id, world } = yield* made("funded")
        assert.strictEqual((yield* client.post(`${path}/balance`, {})).headers.location, `${path}?done=balance`)
        assert.include((yield* client.get(path)).text, "12.50 USD")
        yield* world.sql`UPDATE channels SET base_url = ${`${upstream.url}/nothing`} WHERE id = ${id}`
        assert.strictEqual((yield* client.post(`${path}/balance`, {})).headers.location, `${path}?done=no-balance`)
        assert.include((yield* client.get(path)).text, "Not told")
      }).pipe(Effect.scoped))
  })
})
