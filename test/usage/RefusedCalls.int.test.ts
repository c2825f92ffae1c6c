/**
 * Refused calls from the moment they are recorded to the list of their user: what is kept, how long, and that nothing that a
 * client sends stops the others from being written.
 */
import { assert } from "@effect/vitest"
import { Clock, Effect, Layer, Metric } from "effect"
import { SqlClient } from "effect/sql"
import { ApiKeyId, type UserId } from "../../src/domain/Ids.ts"
import { CallList } from "../../src/usage/CallList.ts"
import { REFUSED_PER_USER_MAX, RefusedCalls, type RefusedEntry, refusedStatuses } from "../../src/usage/RefusedCalls.ts"
import { QUEUE_PER_USER_MAX } from "../../src/usage/RefusedQueue.ts"
import type { UsageFilter } from "../../src/usage/UsageFilter.ts"
import { TestDatabase } from "../support/TestDatabase.ts"
import { idAt, makeUsers, nobody } from "../support/UsageRows.ts"
import { testsOver } from "../support/Steps.ts"

const REFUSED_DAYS = 7

const Services = Layer.mergeAll(RefusedCalls.layer, CallList.layer).pipe(Layer.provideMerge(TestDatabase.layer))

const HOUR_MS = 3_600_000
/** The time in the ids of refused calls here; those made later have the greater ids. */
const LATER_MS = 4_000_000_000_000
const ever = { fromMs: 0, toMs: Number.MAX_SAFE_INTEGER / 1_000 }

const refused = (userId: UserId, more: Partial<RefusedEntry> = {}): RefusedEntry => ({
  id: idAt(LATER_MS),
  userId,
  keyId: null,
  model: "mini",
  endpoint: "chat.completions",
  status: 402,
  code: "insufficient_quota",
  ...more
})

/** Rows of a user, one each second back from a moment. */
const insertRows = Effect.fnUntraced(function*(userId: UserId, count: number, atMs: number) {
  const sql = yield* SqlClient.SqlClient
  yield* sql`INSERT INTO refused_calls (user_id, id, at, model, endpoint, status, code)
    SELECT ${userId}, (substr(realms_uuid_at_v1(${atMs}::bigint - i * 1000)::text, 1, 24) || lpad(to_hex(i), 12, '0'))::uuid,
        to_timestamp(${atMs}::bigint / 1000.0 - i), 'old', 'responses', 429, 'rate_limit_exceeded'
      FROM generate_series(1, ${count}::integer) i`
})

/** Refused calls as their user is shown them, with their codes. */
const list = Effect.fnUntraced(function*(userId: UserId, filter: UsageFilter, cursor?: string) {
  const page = yield* (yield* CallList).page(userId, { ...filter, refused: true, state: "refused" }, cursor)
  return { items: page.items.map(({ reason: code, ...call }) => ({ ...call, code })), next: page.next }
})

const countOf = Effect.fnUntraced(function*(userId: UserId) {
  const sql = yield* SqlClient.SqlClient
  const [row] = yield* sql<{ count: bigint }>`SELECT count(*) FROM refused_calls WHERE user_id = ${userId}`
  return Number(row?.count ?? 0n)
})

const dropped = Effect.map(
  Metric.snapshot,
  (metrics) =>
    metrics.filter(({ id }) => id === "realms_refused_calls_dropped_total")
      .reduce((sum, { state }) => sum + ("count" in state ? Number(state.count) : 0), 0)
)

testsOver(Services)("refused calls", (test) => {
  test("are listed to their user, newest first, with key, model, status and code", function*() {
    const sql = yield* SqlClient.SqlClient
    const calls = yield* RefusedCalls
    const [userId = nobody, other = nobody] = yield* makeUsers(2)
    const [key] = yield* sql<{ id: ApiKeyId }>`INSERT INTO api_keys (user_id, name, key_hash, hint)
        VALUES (${userId}, 'laptop', decode(md5(${userId}::text), 'hex'), 'sk-…abcd') RETURNING id`
    const entries = refusedStatuses.map((status) =>
      refused(userId, { status, code: `code_${status}`, keyId: key?.id ?? null })
    )
    const early = refused(userId, { model: null, endpoint: "responses", code: "rate_limit_exceeded", status: 429 })
    const nowMs = yield* Clock.currentTimeMillis
    for (const entry of [...entries, early, refused(other)]) calls.record(entry)
    yield* calls.flush
    const { items, next } = yield* list(userId, ever)
    assert.isUndefined(next)
    assert.deepStrictEqual(
      items.map(({ code, id, status }) => [id, status, code]),
      [early, ...entries.toReversed()].map(({ code, id, status }) => [id, status, code])
    )
    assert.deepInclude(items[0], { model: null, keyId: null, keyName: null, endpoint: "responses" })
    assert.deepInclude(items[1], {
      model: "mini",
      keyId: key?.id ?? ApiKeyId.make(0n),
      keyName: "laptop",
      keyHint: "sk-…abcd"
    })
    assert.approximately(items[0]?.atMs ?? 0, nowMs, 5_000)
    assert.lengthOf((yield* list(userId, { ...ever, keyId: key?.id })).items, entries.length)
    assert.lengthOf((yield* list(userId, { ...ever, model: "none" })).items, 0)
    assert.lengthOf((yield* list(userId, { fromMs: 0, toMs: nowMs - HOUR_MS })).items, 0)
    assert.deepInclude(yield* calls.find(early.id, userId), { userId, code: "rate_limit_exceeded", status: 429 })
    assert.isUndefined(yield* calls.find(early.id, other))
    assert.strictEqual((yield* calls.find(early.id))?.userId, userId)
    for (const id of ["x", idAt(1)]) assert.isUndefined(yield* calls.find(id))
  })

  test("are kept whatever a client writes as its model", function*() {
    const calls = yield* RefusedCalls
    const [userId = nobody] = yield* makeUsers(1)
    const models = ["\0", "a\ud800", "\udc00b", `${"x".repeat(255)}😀`, "'; --", "模型", "\u2028"]
    for (const model of models) calls.record(refused(userId, { model }))
    calls.record(refused(userId, { endpoint: "/".repeat(500), code: "c".repeat(500) }))
    yield* calls.flush
    const { items } = yield* list(userId, ever)
    assert.deepStrictEqual(items.map(({ model }) => model).toReversed(), [
      "\ufffd",
      "a\ufffd",
      "\ufffdb",
      `${"x".repeat(255)}\ufffd`,
      "'; --",
      "模型",
      "\u2028",
      "mini"
    ])
    assert.deepStrictEqual([items[0]?.endpoint.length, items[0]?.code?.length], [64, 64])
  })

  test("are written once, however often a batch is", function*() {
    const calls = yield* RefusedCalls
    const [userId = nobody] = yield* makeUsers(1)
    const entry = refused(userId)
    for (let index = 0; index < 3; index++) {
      calls.record(entry)
      yield* Effect.all([calls.flush, calls.flush], { concurrency: 2 })
    }
    assert.strictEqual(yield* countOf(userId), 1)
  })

  test("wait for a database that is away, and are written when it is back", function*() {
    const sql = yield* SqlClient.SqlClient
    const calls = yield* RefusedCalls
    const [userId = nobody] = yield* makeUsers(1)
    yield* sql`CREATE FUNCTION going_down() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN RAISE EXCEPTION 'going down' USING ERRCODE = '57P01'; END $$`
    yield* sql`CREATE TRIGGER going_down BEFORE INSERT ON refused_calls FOR EACH STATEMENT EXECUTE FUNCTION going_down()`
    calls.record(refused(userId))
    yield* Effect.flip(calls.flush)
    calls.record(refused(userId))
    yield* Effect.flip(calls.flush)
    assert.strictEqual(yield* countOf(userId), 0)
    yield* sql`DROP TRIGGER going_down ON refused_calls`
    yield* calls.flush
    assert.strictEqual(yield* countOf(userId), 2)
  })

  test("that cannot be written are dropped and counted, and those after them are written", function*() {
    const calls = yield* RefusedCalls
    const [userId = nobody] = yield* makeUsers(1)
    const before = yield* dropped
    calls.record(refused(userId, { id: "no id at all" }))
    yield* calls.flush
    assert.strictEqual((yield* dropped) - before, 1)
    calls.record(refused(userId))
    yield* calls.flush
    assert.strictEqual(yield* countOf(userId), 1)
  })

  test("of one user are the newest thousand; a flood leaves the others' alone, and is counted", function*() {
    const calls = yield* RefusedCalls
    const [userId = nobody, other = nobody] = yield* makeUsers(2)
    const nowMs = yield* Clock.currentTimeMillis
    yield* insertRows(userId, REFUSED_PER_USER_MAX + 50, nowMs)
    yield* insertRows(other, REFUSED_PER_USER_MAX + 50, nowMs)
    const before = yield* dropped
    for (let index = 0; index < QUEUE_PER_USER_MAX + 30; index++) {
      calls.record(refused(userId, { model: `m${index}` }))
    }
    yield* calls.flush
    assert.strictEqual((yield* dropped) - before, 30)
    assert.strictEqual(yield* countOf(userId), REFUSED_PER_USER_MAX)
    assert.strictEqual(yield* countOf(other), REFUSED_PER_USER_MAX + 50)
    const [newest] = (yield* list(userId, ever)).items
    assert.strictEqual(newest?.model, `m${QUEUE_PER_USER_MAX + 29}`)
  })

  test("are gone after some days", function*() {
    const calls = yield* RefusedCalls
    const [userId = nobody] = yield* makeUsers(1)
    const nowMs = yield* Clock.currentTimeMillis
    yield* insertRows(userId, 1_500, nowMs - REFUSED_DAYS * 24 * HOUR_MS)
    yield* insertRows(userId, 3, nowMs - REFUSED_DAYS * 24 * HOUR_MS + HOUR_MS)
    yield* calls.clean(REFUSED_DAYS)
    assert.strictEqual(yield* countOf(userId), 3)
  })

  test("are listed page by page, each once", function*() {
    const [userId = nobody] = yield* makeUsers(1)
    yield* insertRows(userId, 120, yield* Clock.currentTimeMillis)
    const seen: Array<string> = []
    let cursor: string | undefined
    for (const size of [50, 50, 20]) {
      const page: { readonly items: ReadonlyArray<{ readonly id: string }>; readonly next: string | undefined } =
        yield* list(userId, ever, cursor)
      assert.lengthOf(page.items, size)
      seen.push(...page.items.map(({ id }) => id))
      cursor = page.next
    }
    assert.isUndefined(cursor)
    assert.strictEqual(new Set(seen).size, 120)
    assert.deepStrictEqual(seen, seen.toSorted().toReversed())
    assert.strictEqual((yield* Effect.flip(list(userId, ever, "x")))._tag, "UsageRefused")
    assert.lengthOf((yield* list(userId, ever, idAt(1))).items, 0)
  })
})

testsOver(TestDatabase.layer)("refused calls at the stop", (test) => {
  test("are written before it", function*() {
    const [userId = nobody] = yield* makeUsers(1)
    yield* Effect.flatMap(RefusedCalls, (calls) => Effect.sync(() => calls.record(refused(userId)))).pipe(
      Effect.provide(RefusedCalls.layer)
    )
    assert.strictEqual(yield* countOf(userId), 1)
  })
})
