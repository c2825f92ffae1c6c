/**
 * The pages of keys over HTTP: made once by one form, changed, paused, resumed and revoked by their owner alone, listed however many
 * there are; and what root sees of a user's keys, in the console and by the API.
 */
import { noKeyLimits } from "../../../src/domain/CallLimits.ts"
import { assert, layer } from "@effect/vitest"
import { Effect, Redacted } from "effect"
import { SqlClient } from "effect/sql"
import { adminClient } from "../../support/AdminClient.ts"
import { asUser, ConsoleWorld, signedInRoot } from "../../support/ConsoleWorld.ts"
import { callAt, insertCalls } from "../../support/UsageRows.ts"

const keyIn = (text: string): string => /sk-[\w-]{43}/.exec(text)?.[0] ?? assert.fail("no key is shown")

const wordIn = (text: string): string =>
  /name="key" value="([^"]+)"/.exec(text)?.[1] ?? assert.fail("the form has no word of its own")

layer(ConsoleWorld.layerOf(), { excludeTestServices: true })("the pages of keys", (it) => {
  it.effect("show the same new key again when its form is sent again, and make no second one", () =>
    Effect.gen(function*() {
      const { client, user, world } = yield* asUser
      const fields = { name: "once", key: wordIn((yield* client.get("/keys/new")).text) }
      const sent = yield* Effect.forEach([1, 2, 3], () => client.post("/keys", fields), { concurrency: 3 })
      assert.strictEqual(new Set(sent.map(({ text }) => keyIn(text))).size, 1)
      assert.lengthOf(yield* world.keys.list(user.id), 1)
      // What was changed in a form that a browser kept makes another key.
      const other = yield* client.post("/keys", { ...fields, name: "two" })
      assert.notStrictEqual(keyIn(other.text), keyIn(sent[0]?.text ?? ""))
      const [, first] = yield* world.keys.list(user.id)
      yield* world.keys.revokeOwn(user.id, first?.id ?? assert.fail("no key"))
      const late = yield* client.post("/keys", fields)
      assert.strictEqual(late.status, 422)
      assert.include(late.text, "This key is revoked")
      assert.notInclude(late.text, keyIn(sent[0]?.text ?? ""))
      // The form that is shown again has another word, and works.
      assert.strictEqual((yield* client.post("/keys", { name: "once", key: wordIn(late.text) })).status, 200)
      // A form of somebody else makes a key of theirs.
      const stranger = yield* asUser
      yield* stranger.client.get("/keys/new")
      const theirs = yield* stranger.client.post("/keys", fields)
      assert.notStrictEqual(keyIn(theirs.text), keyIn(sent[0]?.text ?? ""))
    }))

  it.effect("change, pause and resume a key of its owner", () =>
    Effect.gen(function*() {
      const { client, user, world } = yield* asUser
      const made = yield* Effect.orDie(
        world.keys.create({ userId: user.id, name: "<i>mine</i>", allowedModels: ["gone"] })
      )
      const token = Redacted.value(made.key)
      const past = callAt(user.id, Date.parse("2026-06-01T00:00:00Z"), { key_id: made.id, charged_micros: 4_000_000n })
      yield* Effect.orDie(Effect.provideService(insertCalls([past]), SqlClient.SqlClient, world.sql))
      const path = `/keys/${made.id}`
      const shown = yield* client.get(path)
      assert.include(shown.text, "&lt;i>mine&lt;/i>")
      assert.match(shown.text, /<input[^>]*value="gone"[^>]*checked/)
      const wrong = yield* client.post(path, { name: "", spend_limit: "x" })
      assert.strictEqual(wrong.status, 422)
      assert.include(wrong.text, "Enter an amount in USD")
      const fields = { name: "desk", spend_limit: "5", spend_limit_period: "month", models: "gpt-4o-mini" }
      const changed = yield* client.post(path, fields)
      assert.strictEqual(changed.headers.location, "/keys?done=changed")
      const list = yield* client.get("/keys?done=changed")
      assert.include(list.text, "The key is changed.")
      assert.include(list.text, "$5.00 a month")
      assert.include(list.text, "$5.00 left")
      assert.deepInclude(yield* world.keys.authenticate(token), {
        limits: { ...noKeyLimits, spend: [{ period: "month", micros: 5_000_000n }] },
        allowedModels: ["gpt-4o-mini"]
      })
      yield* client.post(path, { ...fields, spend_limit_period: "total" })
      assert.include((yield* client.get("/keys")).text, "$1.00 left")
      assert.strictEqual((yield* client.post(`${path}/pause`, {})).headers.location, "/keys?done=paused")
      assert.strictEqual((yield* Effect.flip(world.keys.authenticate(token)))._tag, "InvalidApiKey")
      assert.include((yield* client.get("/keys?done=paused")).text, "Paused")
      const stranger = yield* asUser
      yield* stranger.client.get("/keys/new")
      assert.strictEqual((yield* stranger.client.get(path)).status, 404)
      for (const action of ["", "/pause", "/resume", "/revoke"]) {
        const refused = yield* stranger.client.post(`${path}${action}`, { name: "theirs" })
        assert.strictEqual(refused.status, 404, action)
      }
      assert.strictEqual((yield* client.post(`${path}/resume`, {})).headers.location, "/keys?done=resumed")
      yield* world.keys.authenticate(token)
      assert.strictEqual((yield* client.post(`${path}/revoke`, {})).status, 303)
      assert.strictEqual((yield* client.get(path)).headers.location, "/keys?state=ended")
      assert.include((yield* client.post(`${path}/resume`, {})).text, "This key is revoked")
      assert.notInclude((yield* client.get("/keys")).text, ">desk<")
      assert.include((yield* client.get("/keys?state=ended")).text, ">desk<")
    }))

  it.effect("say before a form how many keys one may have, and go on page by page", () =>
    Effect.gen(function*() {
      const { client, user, world } = yield* asUser
      yield* Effect.orDie(world.sql`INSERT INTO api_keys (user_id, key_hash, hint, name, revoked_at)
        SELECT ${user.id}, sha256(${user.email}::bytea || n::text::bytea), 'sk-…' || n, 'key ' || n, CASE WHEN n > 100 THEN now() END
          FROM generate_series(1, 10000) n`)
      const full = yield* client.get("/keys/new")
      assert.include(full.text, "You have 100 keys already. Revoke one first.")
      assert.notInclude(full.text, 'name="name"')
      const first = yield* client.get("/keys?sort=name")
      assert.include(first.text, "You use 100 keys of at most 100.")
      assert.include(first.text, ">key 1<")
      assert.match(first.text, /href="\/keys\?sort=name&amp;from=20"/)
      assert.include((yield* client.get("/keys?sort=name&from=80")).text, ">key 99<")
      const found = yield* client.get("/keys?q=KEY+77")
      assert.strictEqual(found.text.match(/>key \d+</g)?.join(), ">key 77<")
      assert.include((yield* client.get("/keys?q=nothing")).text, "No key matches")
      const ended = yield* client.get("/keys?state=ended")
      assert.include(ended.text, ">key 10000<")
      const older = /href="(\/keys\?state=ended&amp;before=\d+)"/.exec(ended.text)?.[1] ?? ""
      assert.include((yield* client.get(older.replaceAll("&amp;", "&"))).text, ">key 9980<")
      for (const odd of ["?from=-1", "?from=99999999999999999", "?sort=evil&q=%00", "?state=ended&before=x"]) {
        assert.strictEqual((yield* client.get(`/keys${odd}`)).status, 200, odd)
      }
    }))

  it.effect("of the administration list a user's keys, and revoke one", () =>
    Effect.gen(function*() {
      const { client, root, world } = yield* signedInRoot
      const user = yield* world.user(0n)
      const other = yield* world.user(0n)
      const made = yield* Effect.orDie(
        world.keys.create({ userId: user.id, name: "theirs", spendLimitMicros: 2_000_000n, spendLimitPeriod: "week" })
      )
      const path = `/admin/users/${user.id}`
      const shown = yield* client.get(path)
      assert.include(shown.text, "$2.00 a week")
      assert.include(shown.text, `${path}/keys/${made.id}/revoke`)
      assert.strictEqual((yield* client.get(`/admin/users/${other.id}/keys/${made.id}/revoke`)).status, 404)
      assert.include((yield* client.get(`${path}/keys/${made.id}/revoke`)).text, "Revoke this key of the user?")
      const api = yield* adminClient(world.origin, yield* world.session(root.id))
      const [listed] = (yield* api.get(`/users/${user.id}/keys`)).json.items
      assert.deepInclude(listed, {
        id: made.id.toString(),
        name: "theirs",
        spend_limit_micros: "2000000",
        spend_limit_period: "week",
        spent_micros: "0",
        spent_of_limit_micros: "0",
        paused_at: null
      })
      assert.notProperty(listed, "key_hash")
      assert.strictEqual((yield* api.get("/users/999999/keys")).status, 404)
      assert.strictEqual((yield* api.post(`/users/${other.id}/keys/${made.id}/revoke`)).status, 404)
      assert.strictEqual((yield* client.post(`${path}/keys/${made.id}/revoke`, {})).status, 303)
      assert.strictEqual(
        (yield* Effect.flip(world.keys.authenticate(Redacted.value(made.key))))._tag,
        "InvalidApiKey"
      )
      assert.notInclude((yield* client.get(path)).text, `/keys/${made.id}/revoke`)
      assert.strictEqual((yield* api.post(`/users/${user.id}/keys/${made.id}/revoke`)).status, 204)
      const log = yield* Effect.orDie(
        world.sql<
          { actor: string }
        >`SELECT actor FROM audit_log WHERE action = 'key.revoked' AND target = ${`key:${made.id}`}`
      )
      assert.deepStrictEqual(log, [{ actor: `user:${root.id}` }])
    }))
})
