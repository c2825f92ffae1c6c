/**
 * The migration that gives models and channels their terms, over a database that was written before: what was there keeps its
 * meaning, and the database refuses terms that do not go together.
 */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { SqlClient } from "effect/sql"
import { migrateTo } from "../support/MigrateTo.ts"
import { TestDatabase } from "../support/TestDatabase.ts"

const TERMS = 8

describe("the migration of terms", () => {
  it.effect("keeps what was there, and refuses what does not go together", () =>
    Effect.gen(function*() {
      const sql = yield* SqlClient.SqlClient
      yield* migrateTo(TERMS - 1)
      yield* sql`INSERT INTO channels (name, base_url, stream_options) VALUES ('knows', 'http://a', true),
        ('does not', 'http://b', false)`
      yield* sql`INSERT INTO models (id, input_micros_per_1m, cached_input_micros_per_1m, output_micros_per_1m,
        max_output_tokens) VALUES ('m', 1, 2, 3, 100000000)`
      yield* sql`INSERT INTO price_imports (actor, skipped) VALUES ('cli', 0)`
      yield* migrateTo(TERMS)
      assert.deepStrictEqual(
        yield* sql`SELECT name, known_fields, unknown_fields, max_connections FROM channels ORDER BY id`,
        [
          { name: "knows", known_fields: ["stream_options"], unknown_fields: "drop", max_connections: 2_048 },
          { name: "does not", known_fields: [], unknown_fields: "drop", max_connections: 2_048 }
        ]
      )
      const [model] = yield* sql`SELECT output_micros_per_1m, max_output_tokens, context_tokens, price_tiers,
        tokenizer_margin::text, hosted_tools FROM models`
      assert.deepStrictEqual(model, {
        output_micros_per_1m: 3n,
        max_output_tokens: 100_000_000,
        context_tokens: null,
        price_tiers: null,
        tokenizer_margin: "1.5",
        hosted_tools: "drop"
      })
      assert.deepStrictEqual(yield* sql`SELECT id FROM price_imports`, [])
      const wrong = [
        sql`UPDATE models SET context_tokens = 99999999`,
        sql`UPDATE models SET max_output_tokens = 5, default_output_tokens = 6`,
        sql`UPDATE models SET price_tiers = '[]'`,
        sql`UPDATE models SET hosted_tools = 'price', context_tokens = 100000000`,
        sql`UPDATE models SET hosted_tools = 'price', web_search_micros = 1`,
        sql`UPDATE models SET hosted_tools = 'allow'`,
        sql`UPDATE models SET tokenizer_margin = 0.9`,
        sql`UPDATE channels SET max_connections = 0`,
        sql`UPDATE channels SET unknown_fields = 'keep'`
      ]
      for (const update of wrong) {
        const { reason } = yield* Effect.flip(update)
        assert.strictEqual(reason._tag, "ConstraintError")
      }
      yield* sql`UPDATE models SET hosted_tools = 'price', file_search_micros = 0, context_tokens = 100000000`
    }).pipe(Effect.provide(TestDatabase.layerEmpty)))
})
