/**
 * Models, prices and plans by the administration's API: the same use cases as the pages, as JSON.
 */
import { assert, layer } from "@effect/vitest"
import { Effect } from "effect"
import { ConsoleWorld } from "../../support/ConsoleWorld.ts"
import { send } from "../../support/TestHttp.ts"

/** An administrator's program. */
const asking = Effect.gen(function*() {
  const world = yield* ConsoleWorld
  const root = yield* world.root
  const cookie = `realms_session=${yield* world.session(root.id)}`
  const me = JSON.parse((yield* send(`${world.origin}/api/admin/me`, { method: "GET", headers: { cookie } })).text)
  const ask = (method: string, path: string, body?: object) =>
    Effect.map(
      send(`${world.origin}/api/admin${path}`, {
        method,
        headers: { cookie, "x-csrf-token": me.csrf_token },
        ...body && { body }
      }),
      ({ status, text }) => ({ status, json: JSON.parse(text) })
    )
  return { ask, root, world }
})

const newPlan = {
  name: "Api",
  price_fen: "100",
  duration_days: 3,
  limit_5h_micros: "0",
  limit_1d_micros: "0",
  limit_7d_micros: "0",
  limit_30d_micros: "9",
  multiplier_micros: "1000000",
  group_code: null,
  description_en: "For tests",
  description_zh: "",
  recommended: true,
  position: 3
}

layer(ConsoleWorld.layerOf(), { excludeTestServices: true, timeout: 60_000 })("models and plans by the API", (it) => {
  it.effect("do the same, with conflicts, refusals and exact prices", () =>
    Effect.gen(function*() {
      const { ask, root, world } = yield* asking
      const terms = { input_micros_per_1m: "150000", output_micros_per_1m: "600000" }
      const made = yield* ask("POST", "/models", { id: "api/m", ...terms })
      assert.strictEqual(made.status, 201)
      assert.deepInclude(made.json, {
        id: "api/m",
        cached_input_micros_per_1m: "150000",
        cache_write_micros_per_1m: null,
        max_output_tokens: 16_384,
        revision: "1",
        declared: false
      })
      assert.strictEqual((yield* ask("POST", "/models", { id: "api/m", ...terms })).status, 409)
      const bad = yield* ask("POST", "/models", { id: "a b", ...terms, output_micros_per_1m: "-1" })
      assert.strictEqual(bad.status, 422)
      assert.sameMembers(Object.keys(bad.json.problems), ["id", "output_micros_per_1m"])
      assert.strictEqual((yield* ask("POST", "/models", { id: "x", input_micros_per_1m: 1 })).status, 400)
      for (
        const more of [{ reasoning: "yes" }, { hosted_tools: "maybe" }, { max_output_tokens: null }, {
          price_tiers: [{}]
        }]
      ) {
        assert.strictEqual(
          (yield* ask("POST", "/models", { id: "x", ...terms, ...more })).status,
          400,
          JSON.stringify(more)
        )
      }
      const outside = yield* ask("POST", "/models", {
        id: "x",
        ...terms,
        price_tiers: [{ above_input_tokens: 0, ...terms }],
        web_search_micros: "-1",
        context_tokens: 0,
        tokenizer_margin: "much",
        tool_calls_max: 1_000
      })
      assert.strictEqual(outside.status, 422)
      assert.deepStrictEqual(outside.json.problems, {
        price_tiers: "are 8 at most, ascending by above_input_tokens, with prices from 0 to 100000 USD",
        web_search_micros: "is from 0 to 1000 USD, or null",
        context_tokens: "is a whole number from 1 to 100000000, or null",
        tokenizer_margin: "is a decimal text from 1 to 100 with at most 6 decimals",
        tool_calls_max: "is a whole number from 1 to 128"
      })
      const above = yield* ask("POST", "/models", { id: "x", ...terms, context_tokens: 5, max_output_tokens: 6 })
      assert.deepStrictEqual(above.json.problems, {
        max_output_tokens: "is a whole number from 1 to 100000000, and at most context_tokens"
      })
      const put = (revision: string) => ask("PUT", "/models/api%2Fm", { revision, ...terms, reasoning: true })
      assert.deepInclude((yield* put("1")).json, { revision: "2", reasoning: true })
      assert.strictEqual((yield* put("1")).status, 409)
      const off = yield* ask("POST", "/models/api%2Fm/disable", { revision: "2" })
      assert.isString(off.json.disabled_at)
      assert.strictEqual((yield* ask("POST", "/models/api%2Fm/enable", { revision: "3" })).json.disabled_at, null)
      assert.strictEqual((yield* ask("PUT", "/models/gpt-4o", { revision: "1", ...terms })).status, 409)
      assert.strictEqual((yield* ask("GET", "/models/none")).status, 404)
      const listed = yield* ask("GET", "/models?q=API&limit=1&state=enabled")
      assert.deepStrictEqual(listed.json.items.map(({ id }: { readonly id: string }) => id), ["api/m"])

      const file = `{"api/m":{"litellm_provider":"api","mode":"chat","input_cost_per_token":1.5e-07,
        "output_cost_per_token":7.0000000000000001e-07,"input_cost_per_request":0.01}}`
      assert.strictEqual((yield* ask("POST", "/price-imports", { document: "[]" })).status, 422)
      const read = yield* ask("POST", "/price-imports", { document: file.replaceAll("api/m", "api/api/m") })
      assert.strictEqual(read.status, 201)
      const offers = yield* ask("GET", `/price-imports/${read.json.id}/offers?state=changed&provider=api`)
      assert.strictEqual(offers.json.items[0].after.output_micros_per_1m, "700001")
      assert.deepInclude(offers.json.items[0], { rounded: true, unread: ["input_cost_per_request"], problem: null })
      assert.strictEqual(offers.json.items[0].before.output_micros_per_1m, "600000")
      const [{ position, revision }] = offers.json.items
      const apply = (choices: ReadonlyArray<object>) => ask("POST", `/price-imports/${read.json.id}/apply`, { choices })
      assert.strictEqual((yield* apply([])).status, 422)
      assert.deepStrictEqual((yield* apply([{ position, revision }])).json, { created: 0, changed: 1 })
      assert.strictEqual((yield* apply([{ position, revision }])).status, 409)
      assert.strictEqual((yield* ask("GET", "/price-imports/999999")).status, 404)

      const plans = yield* ask("POST", "/plans", { code: "api", ...newPlan })
      assert.strictEqual(plans.status, 201)
      assert.deepInclude(plans.json, { ...newPlan, code: "api", revision: "1", subscriptions: 0, pending_orders: 0 })
      assert.strictEqual((yield* ask("POST", "/plans", { code: "api", ...newPlan })).status, 409)
      const badPlan = yield* ask("POST", "/plans", { code: "A", ...newPlan, price_fen: "-1" })
      assert.sameMembers(Object.keys(badPlan.json.problems), ["code", "price_fen"])
      const { id } = plans.json
      assert.strictEqual((yield* ask("PUT", `/plans/${id}`, { revision: "1", ...newPlan, name: "B" })).json.name, "B")
      assert.strictEqual((yield* ask("PUT", `/plans/${id}`, { revision: "1", ...newPlan })).status, 409)
      assert.isString((yield* ask("POST", `/plans/${id}/disable`, { revision: "2" })).json.disabled_at)
      const disabled = yield* ask("GET", "/plans?state=disabled&limit=5")
      assert.deepStrictEqual(disabled.json.items.map(({ code }: { readonly code: string }) => code), ["api"])
      assert.strictEqual((yield* ask("GET", "/plans/999999")).status, 404)
      const actors = yield* world.sql<{ actor: string }>`SELECT DISTINCT actor FROM audit_log
        WHERE target IN ('model:api/m', ${`plan:${id}`})`
      assert.deepStrictEqual(actors, [{ actor: `user:${root.id}` }])
    }))

  it.effect("write the terms that a program names, and leave those that it does not name as they are", () =>
    Effect.gen(function*() {
      const { ask } = yield* asking
      const prices = { input_micros_per_1m: "150000", output_micros_per_1m: "600000" }
      const tier = { above_input_tokens: 200_000, input_micros_per_1m: "300000", output_micros_per_1m: "900000" }
      const made = yield* ask("POST", "/models", {
        id: "api/terms",
        ...prices,
        context_tokens: 9_000,
        tokenizer_margin: "1.75",
        hosted_tools: "price",
        web_search_micros: "10000",
        price_tiers: [tier]
      })
      const written = {
        price_tiers: [{ ...tier, cached_input_micros_per_1m: "300000", cache_write_micros_per_1m: null }],
        web_search_micros: "10000",
        file_search_micros: null,
        context_tokens: 9_000,
        // The default gives way to the context.
        max_output_tokens: 9_000,
        default_output_tokens: null,
        input_overhead_tokens: 1_024,
        image_tokens_max: null,
        tokenizer_margin: "1.75",
        output_tokens_per_second: 100,
        reasoning: false,
        hosted_tools: "price",
        tool_calls_max: 5
      }
      assert.deepInclude(made.json, written)
      const put = (revision: string, more: object) =>
        ask("PUT", "/models/api%2Fterms", { revision, ...prices, cached_input_micros_per_1m: "1", ...more })
      const kept = yield* put("1", { default_output_tokens: 5 })
      assert.deepInclude(kept.json, { ...written, default_output_tokens: 5, cached_input_micros_per_1m: "1" })
      const cleared = yield* put("2", {
        price_tiers: [],
        web_search_micros: null,
        file_search_micros: "7",
        default_output_tokens: null
      })
      assert.deepInclude(cleared.json, {
        ...written,
        price_tiers: [],
        web_search_micros: null,
        file_search_micros: "7"
      })
      const broken = yield* put("3", { file_search_micros: null })
      assert.strictEqual(broken.status, 422)
      assert.deepStrictEqual(Object.keys(broken.json.problems), ["hosted_tools"])
      assert.deepInclude((yield* ask("GET", "/models/api%2Fterms")).json, { revision: "3", file_search_micros: "7" })
    }))

  it.effect("groups of users are made, given to plans and users, and kept by those who have them", () =>
    Effect.gen(function*() {
      const { ask } = yield* asking
      const newGroup = { name: "Partners", multiplier_micros: "750000" }
      const group = yield* ask("POST", "/groups", { code: "partners", ...newGroup })
      assert.strictEqual(group.status, 201)
      assert.deepInclude(group.json, { ...newGroup, code: "partners", revision: "1", users: 0, redeemed: 0, plans: 0 })
      assert.strictEqual((yield* ask("POST", "/groups", { code: "partners", ...newGroup })).status, 409)
      const bad = yield* ask("POST", "/groups", { code: "A", name: "", multiplier_micros: "-1" })
      assert.sameMembers(Object.keys(bad.json.problems), ["code", "name", "multiplier_micros"])
      const grouped = yield* ask("POST", "/plans", { code: "grouped", ...newPlan, group_code: "partners" })
      assert.deepInclude(grouped.json, { group_code: "partners" })
      const unknown = yield* ask("POST", "/plans", { code: "lost", ...newPlan, group_code: "nowhere" })
      assert.sameMembers(Object.keys(unknown.json.problems), ["group_code"])
      const member = yield* ask("POST", "/users", { email: "member@example.com" })
      const given = yield* ask("POST", `/users/${member.json.id}/group`, { group_code: "partners" })
      assert.deepInclude(given.json, { group_code: "partners", redeemed_group_code: null })
      const off = yield* ask("POST", `/groups/${group.json.id}/disable`, { revision: "1" })
      assert.deepInclude(off.json, { users: 1, plans: 1 })
      assert.isString(off.json.disabled_at)
      const other = yield* ask("POST", "/users", { email: "other@example.com" })
      assert.strictEqual((yield* ask("POST", `/users/${other.json.id}/group`, { group_code: "partners" })).status, 422)
      assert.strictEqual((yield* ask("POST", `/users/${member.json.id}/group`, { group_code: null })).status, 200)
      assert.strictEqual((yield* ask("POST", "/users/999999/group", { group_code: null })).status, 404)
    }))
})
