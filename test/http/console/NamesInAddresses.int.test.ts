/**
 * A name in an address means what has exactly that name, and the answer that shows a new key has no form that leads away from it.
 */
import { assert, describe, layer } from "@effect/vitest"
import { Effect } from "effect"
import { asUser, ConsoleWorld } from "../../support/ConsoleWorld.ts"
import { modelForm, revisionIn, signIn } from "../../support/RootClient.ts"

describe("names in addresses", () => {
  layer(ConsoleWorld.layerOf())((it) => {
    it.effect("a model whose id begins like another's is its own", () =>
      Effect.gen(function*() {
        const { sql } = yield* ConsoleWorld
        const { client } = yield* signIn
        for (const id of ["zz", "#zz", "#a"]) {
          yield* client.get("/admin/models/new")
          assert.strictEqual((yield* client.post("/admin/models/new", modelForm({ id }))).status, 303, id)
        }
        const edit = "/admin/models/edit?id=%23zz"
        const shown = yield* client.get(edit)
        assert.include(shown.text, '<h1 class="page-title">#zz</h1>')
        const change = { ...modelForm({ input: "0", output: "0" }), revision: revisionIn(shown.text) }
        assert.strictEqual((yield* client.post(edit, change)).status, 303)
        const rows =
          yield* sql`SELECT id, output_micros_per_1m AS price FROM models WHERE id IN ('zz', '#zz') ORDER BY id`
        assert.deepStrictEqual(rows, [{ id: "#zz", price: 0n }, { id: "zz", price: 10_000_000n }])
        const later = yield* client.get("/admin/models?after=%23a")
        assert.include(later.text, "/admin/models/edit?id=%23zz")
      }))

    it.effect("the answer with a new key keeps its reader there; a refused form can be read in another language", () =>
      Effect.gen(function*() {
        const { client } = yield* asUser
        yield* client.get("/keys/new")
        const refused = yield* client.post("/keys", { name: "" })
        assert.strictEqual(refused.status, 422)
        assert.include(refused.text, 'action="/look"')
        const made = yield* client.post("/keys", { name: "mine", models: "gpt-4o-mini" })
        assert.include(made.text, "sk-")
        assert.notInclude(made.text, 'action="/look"')
      }))
  })
})
