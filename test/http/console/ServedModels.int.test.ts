/**
 * Pages offer the models that an enabled channel serves, as `/v1/models` does, and keep showing what a key allows already.
 */
import { assert, layer } from "@effect/vitest"
import { Effect } from "effect"
import { asUser, ConsoleWorld } from "../../support/ConsoleWorld.ts"

/** The first of all has no channel. */
const UNSERVED = "a-model-without-a-channel"
const models = [UNSERVED, "gpt-4o", "gpt-4o-mini", "o4-mini"].map((id) => ({
  id,
  input_usd_per_1m: "1",
  output_usd_per_1m: "1"
}))

const checkedIn = (text: string): ReadonlyArray<string> =>
  Array.from(text.matchAll(/<input[^>]*name="models"[^>]*>/g), ([input]) => input)
    .filter((input) => input.includes(" checked"))
    .map((input) => /value="([^"]*)"/.exec(input)?.[1] ?? "")

layer(ConsoleWorld.layerOf({ models }), { excludeTestServices: true })("models that no channel serves", (it) => {
  it.effect("are not offered, neither for a first call nor to a new key", () =>
    Effect.gen(function*() {
      const { client } = yield* asUser
      for (const path of ["/", "/keys/new", "/models"]) {
        const page = yield* client.get(path)
        assert.include(page.text, "gpt-4o", path)
        assert.notInclude(page.text, UNSERVED, path)
      }
      yield* client.get("/keys/new")
      const any = yield* client.post("/keys", { name: "any" })
      assert.include(any.text, `"gpt-4o"`.replaceAll(`"`, "&quot;"))
      assert.notInclude(any.text, UNSERVED)
    }))

  it.effect("are still shown with a key that allows them, and stay chosen in a form", () =>
    Effect.gen(function*() {
      const { client } = yield* asUser
      yield* client.get("/keys/new")
      const refused = yield* client.post("/keys", { name: "", models: UNSERVED })
      assert.strictEqual(refused.status, 422)
      assert.deepStrictEqual(checkedIn(refused.text), [UNSERVED])
      const made = yield* client.post("/keys", { name: "kept", models: UNSERVED })
      assert.strictEqual(made.status, 200)
      // A first call to it would fail.
      assert.notInclude(made.text, "chat/completions")
      assert.include((yield* client.get("/keys")).text, UNSERVED)
    }))
})
