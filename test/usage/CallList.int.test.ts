/**
 * The list of calls: every page after the other gives each matching call once, newest first, whatever the filter; a filter
 * that matches rarely reads a bounded number of rows a page; and nobody sees another user's calls.
 */
import { assert } from "@effect/vitest"
import { Clock, Effect, Layer, Stream } from "effect"
import { SqlClient } from "effect/sql"
import type { ApiKeyId, UserId } from "../../src/domain/Ids.ts"
import { type CallFilter, CallList, LOOKED_ROWS_MAX } from "../../src/usage/CallList.ts"
import { Receipts } from "../../src/usage/Receipts.ts"
import { seeded } from "../support/Seeded.ts"
import { TestDatabase } from "../support/TestDatabase.ts"
import { anyCall, callAt, insertCalls, insertCommonCalls, keyIdOf, makeUsers, nobody } from "../support/UsageRows.ts"
import { testsOver } from "../support/Steps.ts"

const Services = Layer.mergeAll(CallList.layer, Receipts.layer).pipe(Layer.provideMerge(TestDatabase.layer))

const HOUR_MS = 3_600_000

/** Follows the cursors to the end. */
const allPages = Effect.fnUntraced(function*(userId: UserId, filter: CallFilter) {
  const list = yield* CallList
  const ids: Array<string> = []
  let cursor: string | undefined
  let pages = 0
  while (true) {
    const page = yield* list.page(userId, filter, cursor)
    pages++
    ids.push(...page.items.map((item) => item.id))
    assert.isAtMost(page.items.length, 50)
    assert.strictEqual(page.exhausted, page.next === undefined)
    if (page.next === undefined) return { ids, pages }
    cursor = page.next
  }
})

const naive = Effect.fnUntraced(function*(userId: UserId, filter: CallFilter) {
  const sql = yield* SqlClient.SqlClient
  const rows = yield* sql<{ id: string }>`SELECT id FROM calls WHERE user_id = ${userId}
    AND reserved_at >= to_timestamp(${filter.fromMs}::bigint / 1000.0)
    AND reserved_at < to_timestamp(${filter.toMs}::bigint / 1000.0)
    AND (${filter.model ?? null}::text IS NULL OR model = ${filter.model ?? null})
    AND (${filter.keyId ?? null}::bigint IS NULL OR key_id = ${filter.keyId ?? null})
    AND (${filter.funding ?? null}::text IS NULL OR funding = ${filter.funding ?? null})
    AND (${filter.state ?? null}::text IS NULL OR state = ${filter.state ?? null}) ORDER BY id DESC`
  return rows.map((row) => row.id)
})

testsOver(Services)("the list of calls", (test) => {
  test("gives each call once, page by page and as a stream, for every filter", function*() {
    const list = yield* CallList
    const below = seeded(7)
    const nowMs = yield* Clock.currentTimeMillis
    const [userId = nobody, other = nobody] = yield* makeUsers(2)
    for (const owner of [userId, other]) {
      yield* insertCalls(
        Array.from({ length: 1_300 }, () => anyCall(below, owner, nowMs - below(30 * HOUR_MS)))
      )
    }
    const range = { fromMs: nowMs - 24 * HOUR_MS, toMs: nowMs + HOUR_MS }
    const filters: ReadonlyArray<CallFilter> = [
      range,
      { ...range, model: "model-1" },
      { ...range, keyId: keyIdOf(userId, 2) },
      { ...range, keyId: keyIdOf(other, 2) },
      { ...range, state: "reserved" },
      { ...range, funding: "free" },
      { ...range, model: "model-2", state: "voided", funding: "balance" },
      { ...range, model: "none" },
      { fromMs: nowMs - 5 * HOUR_MS - 1, toMs: nowMs - 4 * HOUR_MS + 1 }
    ]
    for (const filter of filters) {
      const expected = yield* naive(userId, filter)
      const { ids } = yield* allPages(userId, filter)
      assert.deepStrictEqual(ids, expected)
      const streamed = yield* Stream.runCollect(list.rows(userId, filter))
      assert.deepStrictEqual(streamed.map((item) => item.id), expected)
    }
    assert.isAbove((yield* naive(userId, range)).length, 1_000, "the stream reads more than one batch")
  })

  test("a last page that is just full is the last", function*() {
    const list = yield* CallList
    const nowMs = yield* Clock.currentTimeMillis
    const [userId = nobody] = yield* makeUsers(1)
    yield* insertCalls(Array.from({ length: 50 }, (_, index) => callAt(userId, nowMs - index)))
    const page = yield* list.page(userId, { fromMs: 0, toMs: nowMs + 1 })
    assert.deepStrictEqual([page.items.length, page.exhausted], [50, true])
  })

  test("looks at a bounded number of rows a page, and goes on from there", function*() {
    const list = yield* CallList
    const nowMs = yield* Clock.currentTimeMillis
    const [userId = nobody] = yield* makeUsers(1)
    const rare = callAt(userId, nowMs - 2 * HOUR_MS, { model: "rare" })
    yield* insertCalls([rare])
    yield* insertCommonCalls(userId, { atMs: nowMs - HOUR_MS, many: LOOKED_ROWS_MAX + 5 })
    const filter = { fromMs: nowMs - 24 * HOUR_MS, toMs: nowMs + HOUR_MS, model: "rare" }
    const first = yield* list.page(userId, filter)
    assert.deepStrictEqual([first.items.length, first.exhausted], [0, false])
    const second = yield* list.page(userId, filter, first.next)
    assert.deepStrictEqual([second.items.map((item) => item.id), second.exhausted], [[rare.id], true])
    assert.deepStrictEqual((yield* allPages(userId, filter)).ids, [rare.id])
  })

  test("names the key, leaves tombstones out, and refuses what is no cursor or no range", function*() {
    const sql = yield* SqlClient.SqlClient
    const list = yield* CallList
    const receipts = yield* Receipts
    const nowMs = yield* Clock.currentTimeMillis
    const [userId = nobody, other = nobody] = yield* makeUsers(2)
    const [key] = yield* sql<{ id: ApiKeyId }>`INSERT INTO api_keys (user_id, name, key_hash, hint)
        VALUES (${userId}, 'laptop', '\\x01', 'sk-…abcd') RETURNING id`
    const call = callAt(userId, nowMs - 5, { key_id: key?.id ?? null })
    yield* insertCalls([call])
    yield* sql`INSERT INTO usage_events (id, user_id, state, funding, reserved_micros, cost_micros, charged_micros,
          endpoint, model, reserved_at, lease_expires_at, settled_at)
        VALUES (realms_uuid_at_v1(${nowMs}), ${userId}, 'voided', 'free', 0, 0, 0, '', '', now(), now(), now())`
    const range = { fromMs: nowMs - HOUR_MS, toMs: nowMs + HOUR_MS }
    const { items } = yield* list.page(userId, range)
    const [item] = items
    assert.strictEqual(items.length, 1)
    assert.deepInclude(item, {
      id: call.id,
      atMs: nowMs - 5,
      keyId: key?.id ?? null,
      keyName: "laptop",
      keyHint: "sk-…abcd",
      inputTokens: 3,
      chargedMicros: 10n,
      reservedMicros: 20n
    })
    const receipt: object | undefined = yield* receipts.receipt(userId, call.id)
    assert.deepInclude(receipt, { ...item, billingMultiplier: 1_000_000n })
    assert.isUndefined(yield* receipts.receipt(other, call.id))
    assert.isUndefined(yield* receipts.receipt(userId, "no id"))
    assert.strictEqual((yield* Effect.flip(list.page(userId, range, "nowhere")))._tag, "UsageRefused")
    const backwards = { fromMs: range.toMs, toMs: range.fromMs }
    assert.strictEqual((yield* Effect.flip(list.page(userId, backwards)))._tag, "UsageRefused")
  })
})
