/** Forms with one wrong field: the page that comes back names that field, and no other. */
import { assert } from "@effect/vitest"
import { Effect } from "effect"
import type { ConsoleClient } from "./ConsoleClient.ts"
import { ConsoleWorld } from "./ConsoleWorld.ts"
import { modelForm } from "./RootClient.ts"
import type { TestAnswer } from "./TestHttp.ts"

/** A field, and a text that it does not take. */
export type WrongField = readonly [field: string, text: string]

export const namesEach = (
  table: ReadonlyArray<WrongField>,
  send: (wrong: Readonly<Record<string, string>>) => Effect.Effect<TestAnswer>
) =>
  Effect.forEach(
    table,
    Effect.fnUntraced(function*([field, text]) {
      const refused = yield* send({ [field]: text })
      assert.strictEqual(refused.status, 422, `${field} ${text}`)
      assert.include(refused.text, `id="field-${field}-problem"`, `${field} ${text}`)
      assert.strictEqual(refused.text.match(/-problem" class/g)?.length, 1, `${field} ${text}`)
    }),
    { discard: true }
  )

/** How many models and plans there are, their revisions, and the changes on record: a refusal adds to none of them. */
export const countsOfCatalog = Effect.gen(function*() {
  const { sql } = yield* ConsoleWorld
  return yield* sql`SELECT (SELECT count(*) FROM models) AS models, (SELECT count(*) FROM subscription_plans) AS plans,
    (SELECT count(*) FROM audit_log) AS changes, (SELECT sum(revision) FROM models) AS revisions,
    (SELECT sum(revision) FROM subscription_plans) AS plan_revisions`
})

/** The same of the form for a new model, which changes nothing. */
export const refusesModels = Effect.fnUntraced(function*(client: ConsoleClient, table: ReadonlyArray<WrongField>) {
  yield* client.get("/admin/models/new")
  const before = yield* countsOfCatalog
  yield* namesEach(table, (wrong) => client.post("/admin/models/new", modelForm({ id: "good", ...wrong })))
  assert.deepStrictEqual(yield* countsOfCatalog, before)
})
