/**
 * Refused calls among the others on the pages of usage: a user sees their own with the reason in words, root those of everybody,
 * and each opens to what is known of it.
 */
import { assert, layer } from "@effect/vitest"
import { Effect } from "effect"
import { SqlClient } from "effect/sql"
import type { UserId } from "../../../src/domain/Ids.ts"
import { ConsoleClient } from "../../support/ConsoleClient.ts"
import { ConsoleWorld } from "../../support/ConsoleWorld.ts"
import { callAt, insertCalls } from "../../support/UsageRows.ts"

const clientOf = Effect.fnUntraced(function*(userId: UserId, language = "en") {
  const world = yield* ConsoleWorld
  const headers = { "accept-language": language }
  return new ConsoleClient(world.origin, { session: yield* world.session(userId), headers })
})

/** Refused calls of a user, one each second back from now; `model-1` is the newest. */
const refuse = Effect.fnUntraced(function*(userId: UserId, count: number, model: string) {
  const { sql } = yield* ConsoleWorld
  yield* sql`INSERT INTO refused_calls (user_id, id, at, model, endpoint, status, code)
    SELECT ${userId}, realms_uuid_at_v1(floor(extract(epoch FROM now()) * 1000)::bigint - i * 1000),
        now() - make_interval(secs => i), ${`${model}-`} || i, 'responses', 402, 'insufficient_quota'
      FROM generate_series(1, ${count}::integer) i`
})

const hrefIn = (text: string, label: string): string =>
  new RegExp(`href="([^"]*)"(?: rel="next")?>${label}`).exec(text)?.[1]?.replaceAll("&amp;", "&").replace(/#.*/, "") ??
    "none"

/** The receipts that a page leads to, in its order. */
const receiptsIn = (text: string): ReadonlyArray<string> =>
  Array.from(text.matchAll(/href="(\/(?:admin\/)?usage\/[0-9a-f-]{36})"/g), ([, href = ""]) => href)

layer(ConsoleWorld.layerOf(), { excludeTestServices: true, timeout: 60_000 })("refused calls", (it) => {
  it.effect("stand among their user's other calls, page by page, each with its reason", () =>
    Effect.gen(function*() {
      const world = yield* ConsoleWorld
      const [user, other] = [yield* world.user(0n), yield* world.user(0n)]
      yield* refuse(user.id, 60, "<mine>")
      const [now] = yield* world.sql<{ ms: number }>`SELECT floor(extract(epoch FROM now()) * 1000)::float8 AS ms`
      const calls = [
        callAt(user.id, (now?.ms ?? 0) - 1_500, { model: "charged" }),
        callAt(user.id, (now?.ms ?? 0) - 2_500, {
          model: "failed",
          state: "voided",
          status: 504,
          reason: "timeout",
          cost_micros: 0n,
          charged_micros: 0n
        })
      ]
      yield* insertCalls(calls).pipe(Effect.provideService(SqlClient.SqlClient, world.sql))
      const client = yield* clientOf(user.id)
      const first = yield* client.get("/usage")
      assert.include(first.text, '<code class="break-anywhere">&lt;mine>-1</code>')
      for (
        const text of [
          "Refused (not charged)",
          "402 · Your balance did not cover this call",
          "Failed (not charged)",
          "504 · The model did not answer in time",
          "first token 0.05 s"
        ]
      ) assert.include(first.text, text)
      const ids = receiptsIn(first.text)
      assert.lengthOf(ids, 50)
      assert.deepStrictEqual([ids[1], ids[3]], calls.map(({ id }) => `/usage/${id}`))
      const chinese = yield* (yield* clientOf(user.id, "zh")).get("/usage?state=refused")
      assert.include(chinese.text, "余额不足以支付此次调用")
      assert.include(chinese.text, "保留最近几天内最新的 1,000 次")
      const second = yield* client.get(hrefIn(first.text, "Older calls"))
      assert.lengthOf(receiptsIn(second.text), 12)
      assert.include(second.text, "mine>-60<")
      assert.strictEqual((yield* client.get("/usage?before=x")).status, 404)

      const narrowed: ReadonlyArray<readonly [query: string, found: number]> = [
        ["model=%3Cmine%3E-7", 1],
        ["state=committed", 1],
        ["state=voided", 1],
        ["status=5xx", 1],
        ["status=trouble&model=failed", 1],
        ["status=2xx", 1],
        ["funding=balance", 2],
        ["state=refused&model=%3Cmine%3E-7", 1],
        ["state=refused&status=5xx", 0]
      ]
      for (const [query, found] of narrowed) {
        assert.lengthOf(receiptsIn((yield* client.get(`/usage?${query}`)).text), found, query)
      }
      assert.lengthOf(receiptsIn((yield* (yield* clientOf(other.id)).get("/usage")).text), 0)
      const file = yield* client.get("/usage/calls.csv?state=refused")
      assert.strictEqual(file.text.split("\r\n").length, 62)
      assert.include(file.text, ",<mine>-1,,,refused,,")
    }))

  it.effect("open to what is known of them, for their user and root alone", () =>
    Effect.gen(function*() {
      const world = yield* ConsoleWorld
      const [user, other] = [yield* world.user(0n), yield* world.user(0n)]
      yield* refuse(user.id, 1, "theirs")
      const client = yield* clientOf(user.id)
      const [href = "none"] = receiptsIn((yield* client.get("/usage")).text)
      const shown = yield* client.get(href)
      for (const text of ["Refused call", "theirs-1", "Your balance did not cover this call", 'href="/topup"']) {
        assert.include(shown.text, text)
      }
      assert.strictEqual((yield* (yield* clientOf(other.id)).get(href)).status, 404)
      const root = yield* clientOf((yield* world.root).id)
      const all = yield* root.get(`/admin/usage/calls?user=${user.id}&state=refused`)
      const [wide = "none"] = receiptsIn(all.text)
      assert.strictEqual(wide, `/admin${href}`)
      assert.include(all.text, "insufficient_quota")
      assert.include((yield* root.get(wide)).text, user.email)
      const id = href.slice("/usage/".length)
      assert.strictEqual((yield* root.get(`/admin/usage/calls?request=${id}`)).headers.location, wide)
      const past = yield* root.get(`/admin/usage/calls?user=${user.id}&range=custom&from=2024-01-01&to=2024-01-02`)
      assert.lengthOf(receiptsIn(past.text), 0)
      const listed = (query: string) =>
        Effect.map(root.get(`/api/admin/usage/calls?user_id=${user.id}${query}`), ({ text }) => JSON.parse(text).items)
      assert.lengthOf(yield* listed(""), 0)
      assert.deepInclude((yield* listed("&state=refused"))[0], { id, state: "refused", funding: null, status: 402 })
    }))
})
