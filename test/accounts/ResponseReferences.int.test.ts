/**
 * References: written with the commit and only with it, found by their owner alone, by index, and for 30 days; their
 * partitions are made ahead, and no commit depends on that.
 */
import { assert, layer } from "@effect/vitest"
import { Effect, Layer } from "effect"
import { SqlClient } from "effect/sql"
import { Accounts } from "../../src/accounts/Accounts.ts"
import type { ResponseReferences as Stored } from "../../src/accounts/AccountState.ts"
import { REFERENCE_IDS_MAX, ResponseReferences } from "../../src/accounts/ResponseReferences.ts"
import { ChannelId, type UserId } from "../../src/domain/Ids.ts"
import { usageOf, voidOf } from "../support/AccountsProcess.ts"
import { audited, ignoreLoss, makeUser, reserveOf, TestAccounts, used } from "../support/TestAccounts.ts"

const Services = ResponseReferences.layer.pipe(Layer.provideMerge(TestAccounts))

const one = ChannelId.make(1n)
const two = ChannelId.make(2n)

const stored = (responseId: string, more: Partial<Stored> = {}): Stored => ({
  channelId: one,
  responseId,
  itemIds: [],
  inputTokens: 100,
  outputTokens: 20,
  ...more
})

/** A call that left references behind. */
const call = Effect.fnUntraced(function*(user: UserId, references: Stored) {
  const accounts = yield* Accounts
  const command = reserveOf(50n)
  const commit = { _tag: "Commit", id: command.id, outcome: { ...used(20), references }, atMs: 2_000 } as const
  yield* accounts.reserve(user, command, ignoreLoss)
  yield* accounts.commit(user, commit)
  return commit
})

const find = (user: UserId, ...ids: ReadonlyArray<string>) =>
  Effect.flatMap(ResponseReferences, (references) => references.find(user, ids))

const rowsOf = Effect.fn("rowsOf")(function*(user: UserId) {
  const sql = yield* SqlClient.SqlClient
  return yield* sql<{ response_id: string; item_ids: ReadonlyArray<string>; place: string }>`
    SELECT response_id, item_ids, tableoid::regclass::text AS place FROM response_refs WHERE user_id = ${user}
    ORDER BY created_at`
})

layer(Services, { excludeTestServices: true })("References", (it) => {
  const test = audited(it)

  it.effect("are found under the response's id and those of its items, by their owner alone", () =>
    Effect.gen(function*() {
      const [ada, bob] = [yield* makeUser(1_000n), yield* makeUser(1_000n)]
      yield* call(ada, stored("resp_a", { itemIds: ["msg_a", "rs_a"] }))
      yield* call(bob, stored("resp_b", { channelId: two }))
      const found = yield* find(ada, "msg_a", "resp_a", "resp_b", "resp_none", "msg_a")
      const common = { channelId: one, responseId: "resp_a", inputTokens: 100, outputTokens: 20 }
      assert.deepStrictEqual(found, [
        { id: "msg_a", ...common, isResponse: false },
        { id: "resp_a", ...common, isResponse: true }
      ])
      assert.deepStrictEqual(yield* find(bob, "msg_a", "resp_a"), [])
      assert.deepStrictEqual(yield* find(ada), [])
    }))

  it.effect("of an id that a channel has for two users are nobody's; of another channel they are its owner's", () =>
    Effect.gen(function*() {
      const [ada, bob] = [yield* makeUser(1_000n), yield* makeUser(1_000n)]
      yield* call(ada, stored("resp_shared", { itemIds: ["msg_mine"] }))
      yield* call(bob, stored("resp_other", { itemIds: ["resp_shared"] }))
      yield* call(bob, stored("resp_shared", { channelId: two }))
      assert.deepStrictEqual((yield* find(ada, "resp_shared", "msg_mine")).map(({ id }) => id), ["msg_mine"])
      assert.deepStrictEqual(
        (yield* find(bob, "resp_shared")).map(({ channelId, id }) => [channelId, id]),
        [[2n, "resp_shared"]]
      )
    }))

  it.effect("of an id that several calls of one user left have the largest bounds", () =>
    Effect.gen(function*() {
      const user = yield* makeUser(1_000n)
      yield* call(user, stored("resp_1", { itemIds: ["msg_twice"], outputTokens: 5 }))
      yield* call(user, stored("resp_2", { itemIds: ["msg_twice"], outputTokens: 500 }))
      yield* call(user, stored("resp_3", { itemIds: ["msg_twice"], outputTokens: 50 }))
      const found = yield* find(user, "msg_twice")
      assert.deepStrictEqual(found.map(({ outputTokens, responseId }) => [responseId, outputTokens]), [["resp_2", 500]])
    }))

  it.effect("are written once for a commit that is repeated, and not for a void or a call that had ended", () =>
    Effect.gen(function*() {
      const accounts = yield* Accounts
      const user = yield* makeUser(1_000n)
      const commit = yield* call(user, stored("resp_once"))
      accounts.invalidate(user)
      yield* accounts.commit(user, commit)
      const command = reserveOf(50n)
      yield* accounts.reserve(user, command, ignoreLoss)
      yield* accounts.void(user, voidOf(command.id, { ...used(0), references: stored("resp_void") }))
      yield* accounts.commit(user, {
        ...commit,
        id: command.id,
        outcome: { ...used(9), references: stored("resp_late") }
      })
      assert.deepStrictEqual((yield* rowsOf(user)).map((row) => row.response_id), ["resp_once"])
    }))

  test("that cannot be kept keep no commit from being written", function*() {
    const user = yield* makeUser(10_000n)
    const long = "x".repeat(257)
    const cases = [
      stored("resp\0nul"),
      stored("with space"),
      stored(""),
      stored(long),
      stored("resp_nan", { outputTokens: NaN }),
      stored("resp_negative", { inputTokens: -1 }),
      stored("resp_items", { itemIds: ["ok_1", long, "\0", "ok_1", 'quote"back\\slash{},', "resp_items"] })
    ]
    for (const references of cases) {
      const { id } = yield* call(user, references)
      assert.strictEqual((yield* usageOf(id))?.state, "committed")
    }
    assert.deepStrictEqual(
      (yield* rowsOf(user)).map((row) => [row.response_id, row.item_ids]),
      [["resp_items", ["ok_1", 'quote"back\\slash{},']]]
    )
    assert.strictEqual((yield* find(user, 'quote"back\\slash{},', long, "\0")).length, 1)
  })

  it.effect("are asked for in bounded numbers", () =>
    Effect.gen(function*() {
      const user = yield* makeUser(0n)
      const ids = Array.from({ length: REFERENCE_IDS_MAX + 1 }, (_, index) => `resp_${index}`)
      const refused = yield* Effect.flip(find(user, ...ids))
      assert.deepInclude({ ...refused }, { _tag: "TooManyReferences", ids: 1_025, idsMax: 1_024 })
      assert.deepStrictEqual(yield* find(user, ...ids.slice(1), ...ids.slice(1)), [])
    }))

  it.effect("are found by index, and forgotten after 30 days", () =>
    Effect.gen(function*() {
      const sql = yield* SqlClient.SqlClient
      const user = yield* makeUser(0n)
      yield* sql`INSERT INTO response_refs (created_at, channel_id, user_id, response_id, item_ids, input_tokens, output_tokens)
        SELECT now() - make_interval(days => i % 31, mins => 1), 1, ${user}, 'many_' || i, ARRAY['item_' || i], 1, 1
        FROM generate_series(0, 2000) AS i`
      assert.deepStrictEqual((yield* find(user, "many_29", "many_30", "item_61")).map(({ id }) => id), ["many_29"])
      const plan = yield* sql.withTransaction(Effect.andThen(
        sql`SET LOCAL enable_seqscan = off`,
        sql<{ "QUERY PLAN": string }>`EXPLAIN SELECT FROM response_refs r
          WHERE (r.item_ids || r.response_id) && ARRAY['many_5'] AND r.created_at > now() - interval '30 days'`
      ))
      const lines = plan.map((line) => line["QUERY PLAN"]).join("\n")
      assert.include(lines, "Bitmap Index Scan")
      assert.notInclude(lines, "Seq Scan")
    }))

  it.effect("have a partition for each day, made ahead; what came without one is moved, and old days are dropped", () =>
    Effect.gen(function*() {
      const sql = yield* SqlClient.SqlClient
      const references = yield* ResponseReferences
      const user = yield* makeUser(1_000n)
      const partitions = Effect.map(
        sql<{ name: string }>`SELECT inhrelid::regclass::text AS name FROM pg_inherits
          WHERE inhparent = 'response_refs'::regclass ORDER BY 1`,
        (rows) => rows.map(({ name }) => name)
      )
      const [days] = yield* sql<{ names: ReadonlyArray<string>; today: string; old: string }>`
        SELECT array_agg('response_refs_' || to_char(d, 'YYYYMMDD') ORDER BY d) AS names,
          'response_refs_' || to_char((now() AT TIME ZONE 'UTC')::date, 'YYYYMMDD') AS today,
          'response_refs_' || to_char((now() AT TIME ZONE 'UTC')::date - 31, 'YYYYMMDD') AS old
        FROM generate_series((now() AT TIME ZONE 'UTC')::date, (now() AT TIME ZONE 'UTC')::date + 2, interval '1 day') d`
      if (days === undefined) return assert.fail("no days")
      yield* references.round
      for (const name of days.names) assert.include(yield* partitions, name)

      // A day without its partition: the commit lands all the same, and is moved when the partition is made.
      yield* sql.unsafe(`DROP TABLE ${days.today}`)
      yield* call(user, stored("resp_homeless"))
      assert.deepStrictEqual((yield* rowsOf(user)).map(({ place }) => place), ["response_refs_default"])
      yield* references.round
      assert.deepStrictEqual((yield* rowsOf(user)).map(({ place }) => place), [days.today])
      assert.deepStrictEqual((yield* find(user, "resp_homeless")).length, 1)

      yield* sql`INSERT INTO response_refs (created_at, channel_id, user_id, response_id, item_ids, input_tokens, output_tokens)
        VALUES (now() - interval '31 days', 1, ${user}, 'resp_old', '{}', 1, 1)`
      yield* sql`SELECT realms_make_response_refs_v1(2)`
      assert.include(yield* partitions, days.old)
      yield* references.round
      assert.notInclude(yield* partitions, days.old)
      assert.deepStrictEqual((yield* rowsOf(user)).map((row) => row.response_id), ["resp_homeless"])
    }))
})
