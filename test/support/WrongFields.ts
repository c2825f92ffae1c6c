/** Forms with one wrong field: the page that comes back names that field, and no other. */
import { assert } from "@effect/vitest"
import { Effect } from "effect"
import type { TestAnswer } from "./TestHttp.ts"

export const namesEach = (
  table: ReadonlyArray<readonly [field: string, text: string]>,
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
