/**
 * The list of everybody's calls: each matching call once, newest first, whatever the filter, with a bounded number of rows
 * looked at; receipts of anybody; and how channels do, from the newest calls alone.
 */
import { assert } from "@effect/vitest"
import { Clock, Effect, Layer, Stream } from "effect"
import { SqlClient } from "effect/sql"
import { ChannelHealth } from "../../src/channels/ChannelHealth.ts"
import { ChannelId } from "../../src/domain/Ids.ts"
import { AllCalls, type WideCallFilter } from "../../src/usage/AllCalls.ts"
import { LOOKED_ROWS_MAX } from "../../src/usage/CallList.ts"
import { ChannelReports, HEALTH_CALLS_MAX } from "../../src/usage/ChannelReports.ts"
import { seeded } from "../support/Seeded.ts"
import { TestDatabase } from "../support/TestDatabase.ts"
import {
  anyCall,
  callAt,
  idAt,
  insertCalls,
  insertCommonCalls,
  keyIdOf,
  makeUsers,
  nobody
} from "../support/UsageRows.ts"
import { testsOver } from "../support/Steps.ts"

const Services = Layer.mergeAll(AllCalls.layer, ChannelReports.layer).pipe(
  Layer.provideMerge(ChannelHealth.layer),
  Layer.provideMerge(TestDatabase.layer)
)

const HOUR_MS = 3_600_000

const allPages = Effect.fnUntraced(function*(filter: WideCallFilter) {
  const list = yield* AllCalls
  const ids: Array<string> = []
  let cursor: string | undefined
  while (true) {
    const page = yield* list.page(filter, cursor)
    ids.push(...page.items.map((item) => item.id))
    assert.isAtMost(page.items.length, 50)
    if (page.next === undefined) return ids
    cursor = page.next
  }
})

/** In plain words, what a filter means. */
const matches = (filter: WideCallFilter, call: ReturnType<typeof callAt>): boolean =>
  call.atMs >= filter.fromMs && call.atMs < filter.toMs &&
  (filter.userId === undefined || call.user_id === filter.userId) &&
  (filter.model === undefined || call.model === filter.model) &&
  (filter.channel === undefined || call.channel === filter.channel) &&
  (filter.keyId === undefined || call.key_id === filter.keyId) &&
  (filter.state === undefined || call.state === filter.state) &&
  (filter.status === undefined || (
    filter.status === "trouble"
      ? call.reason !== null
      : filter.status === "none"
      ? call.status === null
      : `${call.status ?? ""}`.startsWith(filter.status.slice(0, 1))
  ))

const answers = [[200, null], [200, "truncated"], [429, "upstream_refused"], [502, "x"], [
  null,
  "upstream_error"
]] as const

testsOver(Services)("the list of everybody's calls", (test) => {
  test("gives each call once, page by page and as a stream, for every filter", function*() {
    const list = yield* AllCalls
    const below = seeded(11)
    const nowMs = yield* Clock.currentTimeMillis
    const users = yield* makeUsers(3)
    const calls = Array.from({ length: 1_500 }, () => {
      const [status, reason] = answers[below(answers.length)] ?? answers[0]
      const call = anyCall(below, users[below(users.length)] ?? nobody, nowMs - below(30 * HOUR_MS))
      return Object.assign(call, call.state === "reserved" ? { status: null, reason: null } : { status, reason })
    })
    yield* insertCalls(calls)
    const newestFirst = calls.toSorted((a, b) => a.id < b.id ? 1 : -1)
    const range = { fromMs: nowMs - 29 * HOUR_MS, toMs: nowMs + HOUR_MS }
    const filters: ReadonlyArray<WideCallFilter> = [
      range,
      { ...range, userId: users[1] },
      { ...range, userId: nobody },
      { ...range, channel: "channel-2" },
      { ...range, model: "model-1", state: "committed" },
      { ...range, keyId: keyIdOf(users[0] ?? nobody, 1) },
      { ...range, status: "2xx" },
      { ...range, status: "4xx" },
      { ...range, status: "5xx", userId: users[2] },
      { ...range, status: "none" },
      { ...range, status: "trouble" },
      { fromMs: nowMs - 5 * HOUR_MS - 1, toMs: nowMs - 4 * HOUR_MS + 1 }
    ]
    for (const filter of filters) {
      const expected = newestFirst.filter((call) => matches(filter, call)).map(({ id }) => id)
      assert.deepStrictEqual(yield* allPages(filter), expected)
      const streamed = yield* Stream.runCollect(list.rows(filter))
      assert.deepStrictEqual(streamed.map(({ id }) => id), expected)
    }
  })

  test("looks at a bounded number of rows a page, and refuses what is no cursor", function*() {
    const list = yield* AllCalls
    const [userId = nobody] = yield* makeUsers(1)
    const atMs = (yield* Clock.currentTimeMillis) - 200 * HOUR_MS
    const rare = callAt(userId, atMs - 1_000, { model: "rare" })
    yield* insertCalls([rare])
    yield* insertCommonCalls(userId, { atMs, many: LOOKED_ROWS_MAX + 5 })
    const filter = { fromMs: atMs - HOUR_MS, toMs: atMs + HOUR_MS, model: "rare" }
    const first = yield* list.page(filter)
    assert.deepStrictEqual([first.items.length, first.exhausted], [0, false])
    const second = yield* list.page(filter, first.next)
    assert.deepStrictEqual([second.items.map(({ id }) => id), second.exhausted], [[rare.id], true])
    const refused = yield* Effect.flip(list.page(filter, "x"))
    assert.strictEqual(refused._tag, "UsageRefused")
  })

  test("tells whose a call is, and gives a receipt of anybody's", function*() {
    const sql = yield* SqlClient.SqlClient
    const list = yield* AllCalls
    const [userId = nobody] = yield* makeUsers(1)
    const [user] = yield* sql<{ email: string }>`SELECT email FROM users WHERE id = ${userId}`
    const call = callAt(userId, (yield* Clock.currentTimeMillis) - 300 * HOUR_MS)
    yield* insertCalls([call])
    const { items } = yield* list.page({ fromMs: call.atMs, toMs: call.atMs + 1 })
    assert.deepInclude(items[0], { id: call.id, userId, email: user?.email ?? null, channel: "c" })
    assert.deepInclude(yield* list.receipt(call.id), {
      id: call.id,
      userId,
      email: user?.email ?? null,
      chargedMicros: 10n
    })
    assert.strictEqual(yield* list.receipt(idAt(1)), undefined)
    assert.strictEqual(yield* list.receipt("x"), undefined)
  })
})

testsOver(Services)("how channels do", (test) => {
  test("is told of the last hour and day, for channels that are there and those that were", function*() {
    const sql = yield* SqlClient.SqlClient
    const reports = yield* ChannelReports
    const health = yield* ChannelHealth
    const [userId = nobody] = yield* makeUsers(1)
    const nowMs = yield* Clock.currentTimeMillis
    const channels = yield* sql<{ id: ChannelId }>`INSERT INTO channels (name, base_url, disabled_at)
        VALUES ('alpha', 'http://a', NULL), ('beta', 'http://b', now()), ('gamma', 'http://c', NULL) RETURNING id`
    const recent = Array.from(
      { length: 20 },
      (_, index) =>
        callAt(userId, nowMs - 60_000 - index, { channel: "alpha", latency_ms: index + 1, ttft_ms: index * 10 })
    )
    const failed = ["upstream_error", "truncated", "client_gone", "upstream_refused"].map((reason) =>
      callAt(userId, nowMs - 2 * HOUR_MS, { channel: "alpha", reason, latency_ms: 9_000, ttft_ms: null })
    )
    yield* insertCalls([
      ...recent,
      ...failed,
      callAt(userId, nowMs - 25 * HOUR_MS, { channel: "alpha" }),
      callAt(userId, nowMs - 1_000, { channel: "alpha", state: "reserved", charged_micros: null, cost_micros: null }),
      callAt(userId, nowMs - 1_000, { channel: null, reason: "upstream_error" }),
      callAt(userId, nowMs - 1_000, { channel: "removed" })
    ])
    const failures = [{ channelId: channels[2]?.id ?? ChannelId.make(0n), scope: "channel" as const }]
    health.report({ userId, modelId: "m", failures, succeededOn: channels[0]?.id ?? ChannelId.make(0n) }, nowMs)
    const { channels: told, lookedFrom } = yield* reports.report
    assert.deepStrictEqual(
      told.map(({ breaker, id, isDisabled, name }) => [name, id !== null, isDisabled, breaker]),
      [
        ["alpha", true, false, "closed"],
        ["beta", true, true, "closed"],
        ["gamma", true, false, "open"],
        ["removed", false, false, "closed"]
      ]
    )
    assert.strictEqual(lookedFrom, null)
    assert.deepStrictEqual(told[0]?.hour, {
      calls: 20,
      failures: 0,
      latencyP50Ms: 10,
      latencyP95Ms: 19,
      firstByteP50Ms: 90,
      firstByteP95Ms: 180
    })
    assert.deepInclude(told[0]?.day, { calls: 24, failures: 2, latencyP50Ms: 11, latencyP95Ms: 9_000 })
    assert.deepInclude(told[1]?.day, { calls: 0, failures: 0, latencyP50Ms: null })
  })

  test("is told from so many of the newest calls, and says how far back they reach", function*() {
    const sql = yield* SqlClient.SqlClient
    const reports = yield* ChannelReports
    const [userId = nobody] = yield* makeUsers(1)
    const nowMs = yield* Clock.currentTimeMillis
    yield* sql`INSERT INTO usage_events (id, user_id, state, funding, reserved_micros, cost_micros, charged_micros,
          endpoint, model, channel, reserved_at, lease_expires_at, settled_at)
        SELECT (substr(realms_uuid_at_v1(${nowMs}::bigint - i)::text, 1, 24) || lpad(to_hex(i), 12, '0'))::uuid,
            ${userId}, 'committed', 'balance', 1, 1, 1, 'responses', 'm', 'busy',
            to_timestamp((${nowMs}::bigint - i) / 1000.0), now(), now()
          FROM generate_series(1, ${HEALTH_CALLS_MAX + 100}::integer) i`
    const { channels, lookedFrom } = yield* reports.report
    // A few of another test may be newer.
    const told = channels.find(({ name }) => name === "busy")?.day.calls ?? 0
    assert.isTrue(told > HEALTH_CALLS_MAX - 50 && told <= HEALTH_CALLS_MAX, `${told}`)
    assert.isAtMost(Math.abs((lookedFrom?.getTime() ?? 0) - (nowMs - told)), 1)
  })
})
