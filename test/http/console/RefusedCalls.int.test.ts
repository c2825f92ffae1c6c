/**
 * Refused calls on the pages of usage: a user sees their own, root those of the user looked at, page by page, in both
 * languages.
 */
import { assert, layer } from "@effect/vitest"
import { Effect } from "effect"
import type { UserId } from "../../../src/domain/Ids.ts"
import { ConsoleClient } from "../../support/ConsoleClient.ts"
import { ConsoleWorld } from "../../support/ConsoleWorld.ts"

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

layer(ConsoleWorld.layerOf(), { excludeTestServices: true, timeout: 60_000 })("refused calls", (it) => {
  it.effect("are shown to their user, page by page, and not where there are none", () =>
    Effect.gen(function*() {
      const world = yield* ConsoleWorld
      const [user, other] = [yield* world.user(0n), yield* world.user(0n)]
      yield* refuse(user.id, 60, "<mine>")
      const client = yield* clientOf(user.id)
      const first = yield* client.get("/usage")
      assert.include(first.text, "Refused calls")
      assert.include(first.text, '<code class="break-anywhere">&lt;mine>-1</code>')
      assert.include(first.text, '402 <code class="break-anywhere">insufficient_quota</code>')
      assert.include(first.text, "The newest 1,000 of the last 7 days are kept.")
      assert.notInclude(first.text, "mine>-51<")
      const chinese = yield* (yield* clientOf(user.id, "zh")).get("/usage")
      assert.include(chinese.text, "保留最近 7 天内最新的 1,000 次")
      const second = yield* client.get(hrefIn(first.text, "Older refused calls"))
      assert.include(second.text, "mine>-51<")
      assert.include(second.text, "mine>-60<")
      assert.notInclude(second.text, "mine>-50<")
      const again = yield* client.get(hrefIn(second.text, "Newest refused calls"))
      assert.include(again.text, "mine>-1<")
      assert.strictEqual((yield* client.get("/usage?refused_before=x")).status, 404)
      assert.include((yield* client.get("/usage?model=%3Cmine%3E-7")).text, "mine>-7<")
      assert.notInclude((yield* client.get("/usage?model=%3Cmine%3E-7")).text, "mine>-1<")
      // Refused calls have neither a state nor a payer.
      assert.notInclude((yield* client.get("/usage?state=committed")).text, "Refused calls")
      assert.notInclude((yield* (yield* clientOf(other.id)).get("/usage")).text, "Refused calls")
    }))

  it.effect("are shown to root for one user, and for no period that has none", () =>
    Effect.gen(function*() {
      const world = yield* ConsoleWorld
      const user = yield* world.user(0n)
      yield* refuse(user.id, 55, "theirs")
      const root = yield* clientOf((yield* world.root).id)
      assert.notInclude((yield* root.get("/admin/usage")).text, "Refused calls")
      const shown = yield* root.get(`/admin/usage?user=${user.id}`)
      assert.include(shown.text, "theirs-1<")
      const older = hrefIn(shown.text, "Older refused calls")
      assert.include(older, `user=${user.id}`)
      assert.include((yield* root.get(older)).text, "theirs-55<")
      assert.strictEqual((yield* root.get(`/admin/usage?user=${user.id}&refused_before=x`)).status, 404)
      const past = yield* root.get(`/admin/usage?user=${user.id}&range=custom&from=2024-01-01&to=2024-01-02`)
      assert.notInclude(past.text, "Refused calls")
    }))
})
