/**
 * Channels in the console and over the administration's API: made, changed, tested and switched off by root, and the key that
 * goes in never comes out.
 */
import { assert, describe, layer } from "@effect/vitest"
import { Effect } from "effect"
import type { ChannelId } from "../../../src/domain/Ids.ts"
import { channelDefaults } from "../../support/ChannelDefaults.ts"
import { channelForm, problemsIn } from "../../support/ChannelForm.ts"
import { ConsoleWorld, signedInRoot } from "../../support/ConsoleWorld.ts"
import { send, type TestAnswer } from "../../support/TestHttp.ts"

const CANARY = "sk-canary-2342"

const asRoot = Effect.gen(function*() {
  const { client, root, world } = yield* signedInRoot
  const channels = yield* client.get("/admin/channels")
  const upstream = /https?:\/\/127[^<]+/.exec(channels.text)?.[0] ?? ""
  return { world, root, client, upstream }
})

const form = (baseUrl: string, more: Readonly<Record<string, string>> = {}) =>
  channelForm(baseUrl, { api_key: CANARY, models: "gpt-4o-mini\n\n gpt-4o = upstream/gpt-4o ", ...more })

const idIn = (answer: TestAnswer): string =>
  /^\/admin\/channels\/(\d+)\?/.exec(answer.headers.location ?? "")?.[1] ?? "none"

const revisionIn = (answer: TestAnswer): string => /name="revision" value="(\d+)"/.exec(answer.text)?.[1] ?? "none"

const json = (answer: TestAnswer) => JSON.parse(answer.text)

describe("root's channels", () => {
  layer(ConsoleWorld.layerOf(), { timeout: 60_000 })((it) => {
    it.effect("are made, changed, tested and switched off in the console", () =>
      Effect.gen(function*() {
        const { client, root, upstream, world } = yield* asRoot
        assert.include((yield* client.get("/admin/channels/new")).text, "gpt-4o-mini")
        const made = yield* client.post(
          "/admin/channels",
          form(`${upstream}/?api-version=1`, { name: "story", api_key: "sk-simulated" })
        )
        assert.strictEqual(made.status, 303)
        const path = `/admin/channels/${idIn(made)}`
        const shown = yield* client.get(`${path}?done=created`)
        assert.include(shown.text, "takes calls from now on")
        assert.include(shown.text, "gpt-4o = upstream/gpt-4o\ngpt-4o-mini</textarea>")

        assert.include(shown.text, `value="${upstream}?api-version=1"`)
        const works = yield* client.post(`${path}/test`, { model: "gpt-4o-mini" })
        assert.include(works.text, "It works: gpt-4o-mini answered")
        const unknown = yield* client.post(`${path}/test`, { model: "nope" })
        assert.include(unknown.text, "does not serve this model")

        const edit = form(upstream, {
          name: "story",
          api_key: CANARY,
          revision: revisionIn(shown),
          models: "o4-mini",
          all_models: "1"
        })
        assert.strictEqual((yield* client.post(path, edit)).headers.location, `${path}?done=changed`)
        const all = yield* client.get(path)
        assert.include(all.text, "gpt-4o\ngpt-4o-mini\no4-mini</textarea>")
        const refused = yield* client.post(`${path}/test`, { model: "gpt-4o-mini" })
        assert.include(refused.text, "status 401: it refused the key.")

        assert.include((yield* client.get(`${path}/disable`)).text, "Disable this channel?")
        assert.strictEqual((yield* client.post(`${path}/disable`, {})).headers.location, `${path}?done=disabled`)
        assert.include((yield* client.get("/admin/channels")).text, "Disabled")
        assert.strictEqual((yield* client.post(`${path}/enable`, {})).headers.location, `${path}?done=enabled`)

        const pages = [shown, works, unknown, all, refused, yield* client.get("/admin/channels")]
        for (const { text } of pages) assert.notInclude(text, "canary")
        const rows = yield* world.sql<{ actor: string; action: string; text: string }>`
          SELECT actor, action, a::text AS text FROM audit_log a WHERE target = ${`channel:${idIn(made)}`} ORDER BY id`
        assert.deepStrictEqual(rows.map(({ action, actor }) => [actor, action]), [
          [`user:${root.id}`, "channel.created"],
          [`user:${root.id}`, "channel.edited"],
          [`user:${root.id}`, "channel.disabled"],
          [`user:${root.id}`, "channel.enabled"]
        ])
        assert.notInclude(rows.map(({ text }) => text).join(), "canary")
      }))

    it.effect("are refused field by field, with what was typed kept but for the key, and nothing written", () =>
      Effect.gen(function*() {
        const { client, upstream, world } = yield* asRoot
        yield* client.get("/admin/channels/new")
        const count = Effect.map(
          world.sql<{ count: bigint }>`SELECT count(*) FROM channels`,
          ([row]) => Number(row?.count ?? 0)
        )
        const before = yield* count
        const table: ReadonlyArray<readonly [bad: Readonly<Record<string, string>>, fields: ReadonlyArray<string>]> = [
          [{ name: " " }, ["name"]],
          [{ name: "simulator" }, ["name"]],
          [{ base_url: "ftp://x" }, ["base_url"]],
          [{ base_url: "http://169.254.169.254/latest" }, ["base_url"]],
          [{ base_url: `${upstream}?api-version=1&key=canary` }, ["base_url"]],
          [{ base_url: "https://user:canary@upstream.example/v1" }, ["base_url"]],
          [{ base_url: `${upstream}?api-version=1#x` }, ["base_url"]],
          [{ api_key: "" }, ["api_key"]],
          [{ priority: "1.5" }, ["priority"]],
          [{ weight: "-1" }, ["weight"]],
          [{ unknown_fields: "keep" }, ["unknown_fields"]],
          [{ known_fields: "speed" }, ["known_fields"]],
          [{ first_byte_timeout_seconds: "0" }, ["first_byte_timeout_seconds"]],
          [{ idle_timeout_seconds: "" }, ["idle_timeout_seconds"]],
          [{ input_overhead_tokens: "-1" }, ["input_overhead_tokens"]],
          [{ max_connections: "65537" }, ["max_connections"]],
          [{ models: "gpt-4o\nnope\n= x" }, ["models"]],
          [{ models: "gpt-4o\nnope" }, ["models"]],
          [{ models: "gpt-4o =" }, ["models"]],
          [{ models: "gpt-4o\ngpt-4o = x" }, ["models"]],
          [{ name: "", base_url: "", api_key: "a b", priority: "x", weight: "", models: "=" }, [
            "name",
            "base_url",
            "api_key",
            "priority",
            "weight",
            "models"
          ]]
        ]
        for (const [bad, fields] of table) {
          const refused = yield* client.post("/admin/channels", form(upstream, bad))
          assert.strictEqual(refused.status, 422, JSON.stringify(bad))
          assert.deepStrictEqual(problemsIn(refused), fields, JSON.stringify(bad))
          assert.notInclude(refused.text, "canary")
        }
        const lines = yield* client.post("/admin/channels", form(upstream, { models: "gpt-4o\nnope\n\n = x" }))
        assert.include(lines.text, "Line 2: there is no model “nope”. Line 4: the name of the model is missing.")
        assert.include(lines.text, "gpt-4o\nnope\n\n = x</textarea>")
        const secret = yield* client.post("/admin/channels", form(`${upstream}/?api-version=1&Token=canary`))
        assert.include(secret.text, "looks like a credential, and was taken out")
        assert.include(secret.text, `value="${upstream}/?api-version=1"`)
        assert.notInclude(secret.text, "canary")
        assert.strictEqual(yield* count, before)
      }))

    it.effect("keep the terms of their upstream, and forget hidden output on request", () =>
      Effect.gen(function*() {
        const { client, upstream, world } = yield* asRoot
        const fresh = yield* client.get("/admin/channels/new")
        assert.include(fresh.text, 'name="known_fields" value="stream_options" checked')
        assert.notInclude(fresh.text, 'value="metadata" checked')
        const id = idIn(yield* client.post("/admin/channels", form(upstream, { name: "terms" })))
        const path = `/admin/channels/${id}`
        const terms = Effect.map(
          world.sql<Record<string, unknown>>`SELECT unknown_fields, known_fields, first_byte_timeout_seconds,
            idle_timeout_seconds, stores_responses, input_overhead_tokens, max_connections
            FROM channels WHERE id = ${BigInt(id)}`,
          ([row]) => row
        )
        const written = {
          unknown_fields: "forward",
          known_fields: ["metadata"],
          first_byte_timeout_seconds: 30,
          idle_timeout_seconds: 60,
          stores_responses: false,
          input_overhead_tokens: 5,
          max_connections: 7
        }
        assert.deepStrictEqual(yield* terms, written)
        const shown = yield* client.get(path)
        assert.include(shown.text, '<option value="forward" selected')
        assert.include(shown.text, 'value="metadata" checked')
        assert.notInclude(shown.text, 'value="stream_options" checked')
        assert.notInclude(shown.text, "Hidden output")
        const { known_fields: _, ...unticked } = form(upstream, { name: "terms", api_key: "", stores_responses: "1" })
        const edit = { ...unticked, revision: revisionIn(shown) }
        assert.strictEqual((yield* client.post(path, edit)).status, 303)
        assert.deepStrictEqual(yield* terms, { ...written, known_fields: [], stores_responses: true })
        // What the channel is now stands above what was typed.
        const stale = yield* client.post(path, { ...edit, max_connections: "8", unknown_fields: "drop" })
        assert.strictEqual(stale.status, 409)
        assert.include(stale.text, "What it is now")
        for (const now of ["<dd>7</dd>", "<dd>Send them</dd>"]) assert.include(stale.text, now)
        assert.include(stale.text, '<option value="drop" selected')

        yield* world.sql`UPDATE channel_models SET hidden_output_at = now()
          WHERE channel_id = ${BigInt(id)} AND model_id = 'gpt-4o'`
        assert.include((yield* client.get(path)).text, "Reset gpt-4o")
        assert.strictEqual((yield* client.post(`${path}/hidden-output`, { model: "nope" })).status, 404)
        const reset = yield* client.post(`${path}/hidden-output`, { model: "gpt-4o" })
        assert.strictEqual(reset.headers.location, `${path}?done=reset`)
        const after = yield* client.get(`${path}?done=reset`)
        assert.include(after.text, "It will be recorded if it is seen again.")
        assert.notInclude(after.text, "Reset gpt-4o")
      }))

    it.effect("tell the second of two administrators what the first has written", () =>
      Effect.gen(function*() {
        const { client, upstream } = yield* asRoot
        const other = (yield* asRoot).client
        const id = idIn(yield* client.post("/admin/channels", form(upstream, { name: "contested" })))
        const path = `/admin/channels/${id}`
        const revision = revisionIn(yield* client.get(path))
        yield* other.get(path)
        const mine = form(upstream, { name: "contested", api_key: "", revision, weight: "7" })
        assert.strictEqual((yield* client.post(path, mine)).status, 303)
        const theirs = { ...mine, weight: "9", models: "o4-mini" }
        const told = yield* other.post(path, theirs)
        assert.strictEqual(told.status, 409)
        assert.include(told.text, "Somebody else has changed this in the meantime")
        assert.include(told.text, 'value="9"')
        assert.include(told.text, "<dd>7</dd>")
        assert.include(told.text, "gpt-4o = upstream/gpt-4o")
        const now = yield* client.get(path)
        assert.include(now.text, 'value="7"')
        assert.notInclude(now.text, "o4-mini</textarea>")
        // Having seen it, the second may mean it all the same.
        assert.strictEqual((yield* other.post(path, { ...theirs, revision: revisionIn(told) })).status, 303)
      }))

    it.effect("leave what the file declares alone, and are nobody else's", () =>
      Effect.gen(function*() {
        const { client, upstream, world } = yield* asRoot
        const [declared] = yield* world.sql<{ id: ChannelId; revision: bigint }>`
          SELECT id, revision FROM channels WHERE name = 'simulator'`
        const path = `/admin/channels/${declared?.id}`
        const shown = yield* client.get(path)
        assert.include(shown.text, "managed in config.yaml")
        assert.notInclude(shown.text, "<textarea")
        const attempts = [
          client.post(path, form(upstream, { name: "mine", revision: String(declared?.revision) })),
          client.post(`${path}/disable`, {}),
          client.post(`${path}/enable`, {})
        ]
        for (const attempt of attempts) assert.strictEqual((yield* attempt).status, 409)
        assert.strictEqual((yield* client.get(`${path}/disable`)).headers.location, path)
        assert.include((yield* client.post(`${path}/test`, { model: "gpt-4o" })).text, "It works")
        assert.strictEqual((yield* client.get("/admin/channels/999999")).status, 404)
        assert.strictEqual((yield* client.get("/admin/channels/x")).status, 404)
        assert.strictEqual((yield* client.post("/admin/channels/999999/test", { model: "m" })).status, 404)
        const [row] = yield* world.sql`SELECT name, revision FROM channels WHERE id = ${declared?.id ?? 0n}`
        assert.deepStrictEqual(row, { name: "simulator", revision: declared?.revision })

        const user = yield* world.user(0n)
        const nobody = yield* world.signedIn(user.id)
        yield* nobody.get("/keys")
        for (const page of ["/admin/channels", "/admin/channels/new", path, `${path}/disable`]) {
          assert.strictEqual((yield* nobody.get(page)).status, 404, page)
        }
        for (const action of ["/admin/channels", path, `${path}/disable`, `${path}/enable`, `${path}/test`]) {
          assert.strictEqual((yield* nobody.post(action, form(upstream))).status, 404, action)
        }
      }))

    it.effect("are the same to programs", () =>
      Effect.gen(function*() {
        const { root, upstream, world } = yield* asRoot
        const cookie = `realms_session=${yield* world.session(root.id)}`
        const me = json(yield* send(`${world.origin}/api/admin/me`, { method: "GET", headers: { cookie } }))
        const asked: Array<TestAnswer> = []
        const ask = (method: string, path: string, body?: object) =>
          Effect.tap(
            send(`${world.origin}/api/admin/channels${path}`, {
              method,
              headers: { cookie, "x-csrf-token": me.csrf_token },
              ...(body === undefined ? {} : { body })
            }),
            (answer) => Effect.sync(() => asked.push(answer))
          )
        const input = { name: "by program", base_url: `${upstream}/`, models: { "gpt-4o": "gpt-4o" } }
        assert.deepStrictEqual(json(yield* ask("POST", "", input)).problems, { api_key: "is missing" })
        const refused = yield* ask("POST", "", {
          ...input,
          name: "",
          base_url: "http://metadata.google.internal/",
          api_key: `${CANARY} x`,
          models: { nope: "x" }
        })
        assert.strictEqual(refused.status, 422)
        assert.sameMembers(Object.keys(json(refused).problems), ["name", "base_url", "api_key", "models"])
        const secret = yield* ask("POST", "", { ...input, api_key: "x", base_url: `${upstream}?sig=canary` })
        assert.strictEqual(secret.status, 422)
        assert.deepStrictEqual(json(secret).problems, {
          base_url: "has a query parameter that looks like a credential: the key belongs into api_key"
        })
        const made = yield* ask("POST", "", { ...input, api_key: CANARY })
        assert.strictEqual(made.status, 201)
        const { created_at, health, id, keys, revision, updated_at, ...channel } = json(made)
        assert.deepStrictEqual(keys.map(({ created_at: _, id: __, ...key }: Record<string, unknown>) => key), [
          { hint: "…", is_readable: true, cooling_until: null, out: null, balance: null }
        ])
        assert.deepStrictEqual(channel, {
          name: "by program",
          base_url: upstream,
          has_key: true,
          priority: 0,
          weight: 1,
          ...channelDefaults,
          models: { "gpt-4o": "gpt-4o" },
          hidden_output: [],
          success_at: null,
          failure: null,
          tests: [],
          declared: false,
          disabled_at: null
        })
        assert.strictEqual(health, "closed")
        assert.strictEqual(created_at, updated_at)
        const edit = { ...input, revision, priority: 3, weight: 4, known_fields: [], max_connections: 9 }
        const edited = yield* ask("PUT", `/${id}`, edit)
        const changed = {
          ...channelDefaults,
          priority: 3,
          weight: 4,
          known_fields: [],
          max_connections: 9,
          has_key: true
        }
        assert.deepInclude(json(edited), changed)
        const outside = { ...input, revision: json(edited).revision, priority: 3, weight: 4, idle_timeout_seconds: 0 }
        assert.deepStrictEqual(json(yield* ask("PUT", `/${id}`, outside)).problems, {
          idle_timeout_seconds: "is a whole number from 1 to 86400"
        })
        assert.strictEqual((yield* ask("PUT", `/${id}`, { ...outside, unknown_fields: "keep" })).status, 400)
        // What a program does not name stays as it is.
        const again = { ...outside, idle_timeout_seconds: 5 }
        assert.deepInclude(json(yield* ask("PUT", `/${id}`, again)), { ...changed, idle_timeout_seconds: 5 })
        yield* world.sql`UPDATE channel_models SET hidden_output_at = now()
          WHERE channel_id = ${BigInt(id)} AND model_id = 'gpt-4o'`
        assert.deepStrictEqual(json(yield* ask("GET", `/${id}`)).hidden_output, ["gpt-4o"])
        assert.strictEqual((yield* ask("POST", `/${id}/models/nope/reset-hidden-output`)).status, 404)
        assert.strictEqual((yield* ask("POST", `/999999/models/gpt-4o/reset-hidden-output`)).status, 404)
        assert.strictEqual((yield* ask("POST", `/${id}/models/gpt-4o/reset-hidden-output`)).status, 204)
        assert.deepStrictEqual(json(yield* ask("GET", `/${id}`)).hidden_output, [])
        assert.strictEqual((yield* ask("PUT", `/${id}`, edit)).status, 409)
        const tested = yield* ask("POST", `/${id}/test`, { model: "gpt-4o" })
        assert.deepInclude(json(tested), { ok: false, reason: "unauthorized", status: 401 })
        assert.strictEqual((yield* ask("POST", `/${id}/test`, { model: "nope" })).status, 422)
        const refusing = json(yield* ask("GET", `/${id}`))
        assert.deepInclude(refusing.tests[0], { model: "gpt-4o", reason: "unauthorized", status: 401 })
        assert.deepInclude(refusing.keys[0].out, { reason: "unauthorized", status: 401 })
        const added = yield* ask("POST", `/${id}/keys`, { api_keys: [`${CANARY}-second`, CANARY] })
        assert.deepStrictEqual(json(added).keys.map(({ hint }: { readonly hint: string }) => hint), ["…", "…cond"])
        assert.strictEqual((yield* ask("POST", `/${id}/keys`, { api_keys: ["a b"] })).status, 422)
        const [first, second] = json(added).keys
        assert.deepInclude(json(yield* ask("POST", `/${id}/test`, { model: "gpt-4o", key_id: second.id })), {
          ok: false
        })
        assert.strictEqual((yield* ask("POST", `/${id}/keys/${first.id}/remove`)).status, 204)
        assert.strictEqual((yield* ask("POST", `/${id}/keys/${first.id}/remove`)).status, 404)
        assert.strictEqual((yield* ask("POST", `/${id}/keys/${second.id}/remove`)).status, 409)
        assert.strictEqual((yield* ask("POST", `/${id}/disable`)).status, 204)
        assert.isNotNull(json(yield* ask("GET", `/${id}`)).disabled_at)
        assert.strictEqual((yield* ask("POST", `/${id}/enable`)).status, 204)
        const items: ReadonlyArray<{ readonly id: string; readonly name: string; readonly declared: boolean }> = json(
          yield* ask("GET", "")
        ).items
        assert.isTrue(items.some((item) => item.id === id))
        const declared = items.find(({ name }) => name === "simulator")
        assert.strictEqual((yield* ask("POST", `/${declared?.id}/disable`)).status, 409)
        assert.strictEqual((yield* ask("GET", "/999999")).status, 404)
        for (const { text } of asked) assert.notInclude(text, "canary")
        const [dump] = yield* world.sql<{ text: string }>`SELECT string_agg(a::text, '') AS text FROM audit_log a`
        assert.notInclude(dump?.text, "canary")
      }))
  })
})
