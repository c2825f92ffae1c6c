/**
 * Channels in the console and over the administration's API: made, changed, tested and switched off by root, and the key that
 * goes in never comes out.
 */
import { assert, describe, layer } from "@effect/vitest"
import { Effect } from "effect"
import { ConsoleClient } from "../../support/ConsoleClient.ts"
import { ConsoleWorld } from "../../support/ConsoleWorld.ts"
import { send, type TestAnswer } from "../../support/TestHttp.ts"

const CANARY = "sk-canary-2342"

const asRoot = Effect.gen(function*() {
  const world = yield* ConsoleWorld
  const root = yield* world.root
  const client = new ConsoleClient(world.origin, { session: yield* world.session(root.id) })
  const channels = yield* client.get("/admin/channels")
  const upstream = /https?:\/\/127[^<]+/.exec(channels.text)?.[0] ?? ""
  return { world, root, client, upstream }
})

const form = (baseUrl: string, more: Readonly<Record<string, string>> = {}) => ({
  name: "made",
  base_url: baseUrl,
  api_key: CANARY,
  priority: "1",
  weight: "2",
  stream_options: "1",
  models: "gpt-4o-mini\n\n gpt-4o = upstream/gpt-4o ",
  ...more
})

const idIn = (answer: TestAnswer): string =>
  /^\/admin\/channels\/(\d+)\?/.exec(answer.headers.location ?? "")?.[1] ?? "none"

const revisionIn = (answer: TestAnswer): string => /name="revision" value="(\d+)"/.exec(answer.text)?.[1] ?? "none"

const problemsIn = (answer: TestAnswer): ReadonlyArray<string> =>
  Array.from(answer.text.matchAll(/id="field-(\w+)-problem"/g), (match) => match[1] ?? "")

const json = (answer: TestAnswer) => JSON.parse(answer.text)

describe("root's channels", () => {
  layer(ConsoleWorld.layerOf(), { timeout: 60_000 })((it) => {
    it.effect("are made, changed, tested and switched off in the console", () =>
      Effect.gen(function*() {
        const { client, root, upstream, world } = yield* asRoot
        assert.include((yield* client.get("/admin/channels/new")).text, "gpt-4o-mini")
        const made = yield* client.post("/admin/channels", form(upstream, { name: "story", api_key: "sk-simulated" }))
        assert.strictEqual(made.status, 303)
        const path = `/admin/channels/${idIn(made)}`
        const shown = yield* client.get(`${path}?done=created`)
        assert.include(shown.text, "takes calls from now on")
        assert.include(shown.text, "gpt-4o = upstream/gpt-4o\ngpt-4o-mini</textarea>")

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
        assert.strictEqual((yield* client.post(path, edit)).headers.location, `${path}?done=saved`)
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
          [{ api_key: "" }, ["api_key"]],
          [{ priority: "1.5" }, ["priority"]],
          [{ weight: "-1" }, ["weight"]],
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
        assert.strictEqual(yield* count, before)
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
        assert.include(told.text, "Somebody else has changed this channel")
        assert.include(told.text, 'value="9"')
        assert.include(told.text, "Now: 7")
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
        const [declared] = yield* world.sql<{ id: bigint; revision: bigint }>`
          SELECT id, revision FROM channels WHERE name = 'simulator'`
        const path = `/admin/channels/${declared?.id}`
        const shown = yield* client.get(path)
        assert.include(shown.text, "declared in config.yaml")
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
        const nobody = new ConsoleClient(world.origin, { session: yield* world.session(user.id) })
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
        assert.strictEqual((yield* ask("POST", "", input)).status, 400)
        const refused = yield* ask("POST", "", {
          ...input,
          name: "",
          base_url: "http://metadata.google.internal/",
          api_key: `${CANARY} x`,
          models: { nope: "x" }
        })
        assert.strictEqual(refused.status, 422)
        assert.sameMembers(Object.keys(json(refused).problems), ["name", "base_url", "api_key", "models"])
        const made = yield* ask("POST", "", { ...input, api_key: CANARY })
        assert.strictEqual(made.status, 201)
        const { created_at, health, id, revision, updated_at, ...channel } = json(made)
        assert.deepStrictEqual(channel, {
          name: "by program",
          base_url: upstream,
          has_key: true,
          priority: 0,
          weight: 1,
          stream_options: true,
          models: { "gpt-4o": "gpt-4o" },
          declared: false,
          disabled_at: null
        })
        assert.strictEqual(health, "closed")
        assert.strictEqual(created_at, updated_at)
        const edit = { ...input, revision, priority: 3, weight: 4, stream_options: false }
        const edited = yield* ask("PUT", `/${id}`, edit)
        assert.deepInclude(json(edited), { priority: 3, weight: 4, stream_options: false, has_key: true })
        assert.strictEqual((yield* ask("PUT", `/${id}`, edit)).status, 409)
        const tested = yield* ask("POST", `/${id}/test`, { model: "gpt-4o" })
        assert.deepInclude(json(tested), { ok: false, reason: "unauthorized", status: 401 })
        assert.strictEqual((yield* ask("POST", `/${id}/test`, { model: "nope" })).status, 422)
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
