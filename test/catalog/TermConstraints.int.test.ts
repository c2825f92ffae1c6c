/** The tables of models and channels: terms that are not given have their defaults, and terms that do not go together are refused. */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { SqlClient } from "effect/sql"
import { TestDatabase } from "../support/TestDatabase.ts"

describe("the tables of models and channels", () => {
  it.effect("give defaults to terms, and refuse terms that do not go together", () =>
    Effect.gen(function*() {
      const sql = yield* SqlClient.SqlClient
      yield* sql`INSERT INTO channels (name, base_url) VALUES ('one', 'http://a')`
      yield* sql`INSERT INTO models (id, input_micros_per_1m, cached_input_micros_per_1m, output_micros_per_1m,
        max_output_tokens) VALUES ('m', 1, 2, 3, 100000000)`
      assert.deepStrictEqual(yield* sql`SELECT known_fields, unknown_fields, max_connections FROM channels`, [
        { known_fields: ["stream_options"], unknown_fields: "drop", max_connections: 2_048 }
      ])
      assert.deepStrictEqual(
        yield* sql`SELECT context_tokens, price_tiers, tokenizer_margin::text, hosted_tools FROM models`,
        [{ context_tokens: null, price_tiers: null, tokenizer_margin: "1.5", hosted_tools: "drop" }]
      )
      const wrong = [
        sql`UPDATE models SET context_tokens = 99999999`,
        sql`UPDATE models SET max_output_tokens = 5, default_output_tokens = 6`,
        sql`UPDATE models SET price_tiers = '[]'`,
        sql`UPDATE models SET hosted_tools = 'price', context_tokens = 100000000`,
        sql`UPDATE models SET hosted_tools = 'price', web_search_micros = 1`,
        sql`UPDATE models SET hosted_tools = 'allow'`,
        sql`UPDATE models SET tokenizer_margin = 0.9`,
        sql`UPDATE models SET vendor = repeat('x', 61)`,
        sql`UPDATE models SET description = repeat('x', 501)`,
        sql`UPDATE models SET capabilities = '{tools,magic}'`,
        sql`UPDATE channels SET max_connections = 0`,
        sql`UPDATE channels SET unknown_fields = 'keep'`
      ]
      for (const update of wrong) {
        const { reason } = yield* Effect.flip(update)
        assert.strictEqual(reason._tag, "ConstraintError")
      }
      yield* sql`UPDATE models SET hosted_tools = 'price', file_search_micros = 0, context_tokens = 100000000`
    }).pipe(Effect.provide(TestDatabase.layer)))
})
