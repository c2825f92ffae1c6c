/** Rows with a code of which one field is out of bounds: none is made, and the field is named. */
import { assert } from "@effect/vitest"
import { Effect } from "effect"
import type { CodedAdmin } from "../../src/platform/CodedRows.ts"
import { ada } from "./AuditTrail.ts"

/** A code, the terms that differ from good ones, and the field that is named. */
export type OutOfBounds<Terms, Field> = readonly [code: string, more: Partial<Terms>, field: Field | "code"]

export const refusesEach = Effect.fnUntraced(
  function*<
    Id,
    Row,
    Terms extends object,
    Refused extends { readonly _tag: string },
    Exists extends object,
    Unknown,
    Field
  >(
    rows: CodedAdmin<Id, Row, Terms, Refused, Exists, Unknown>,
    { good, table, tag }: {
      readonly good: Terms
      readonly tag: Refused["_tag"]
      readonly table: ReadonlyArray<OutOfBounds<Terms, Field>>
    }
  ) {
    for (const [code, more, field] of table) {
      const error: object = yield* Effect.flip(rows.create(ada, { code, ...good, ...more }))
      const named: object = { _tag: tag, fields: [field] }
      assert.deepInclude(error, named, `${code} ${String(field)}`)
    }
    assert.deepStrictEqual(yield* rows.list({ limit: 10 }), [])
  }
)
