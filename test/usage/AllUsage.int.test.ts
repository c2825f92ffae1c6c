/**
 * Reports of everybody are what a plain aggregate over the folded calls says, by user, model and channel, whatever came late,
 * was open or changed its channel; they show so many shares and sum up the rest; and none of them reads all calls.
 */
import { assert, layer } from "@effect/vitest"
import { Clock, Effect, Layer } from "effect"
import { SqlClient } from "effect/sql"
import { ApiKeyId, type UserId } from "../../src/domain/Ids.ts"
import { AllUsage, allUsageSql, SHARES_MAX, type UsageReport, type UsageShares } from "../../src/usage/AllUsage.ts"
import { callPageSql, LOOKED_ROWS_MAX } from "../../src/usage/CallPages.ts"
import { channelHealthSql } from "../../src/usage/ChannelReports.ts"
import { UsageFolds } from "../../src/usage/UsageFolds.ts"
import type { UsageSums } from "../../src/usage/UsageSums.ts"
import { seeded } from "../support/Seeded.ts"
import { TestDatabase } from "../support/TestDatabase.ts"
import { writeHistory } from "../support/UsageHistory.ts"
import { anyCall, callAt, commitLate, insertCalls, makeUsers, nobody } from "../support/UsageRows.ts"
import { testsOver } from "../support/Steps.ts"

const Services = Layer.mergeAll(AllUsage.layer, UsageFolds.layer).pipe(Layer.provideMerge(TestDatabase.layer))

const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS

const CURSOR_FIRST = "ffffffff-ffff-ffff-ffff-ffffffffffff"

type Kind = "user" | "model" | "channel" | "day"

interface NaiveRow {
  readonly name: string
  readonly figures: ReadonlyArray<bigint>
}

/** By one of the kinds, over the rows themselves. */
const naive = Effect.fnUntraced(
  function*(
    kind: Kind,
    filter: {
      readonly fromMs: number
      readonly toMs: number
      readonly userId?: UserId
      readonly model?: string
      readonly channel?: string
    }
  ) {
    const sql = yield* SqlClient.SqlClient
    const name = sql.literal(
      {
        user: "user_id::text",
        model: "model",
        channel: "coalesce(channel, '')",
        day: "to_char(date_trunc('hour', reserved_at, 'UTC') AT TIME ZONE 'Asia/Shanghai', 'YYYY-MM-DD')"
      }[kind]
    )
    return yield* sql<NaiveRow>`
      SELECT ${name} AS name, ARRAY[count(*), coalesce(sum(input_tokens), 0)::bigint, coalesce(sum(output_tokens), 0)::bigint,
          sum(cost_micros)::bigint, sum(charged_micros + late_charged_micros)::bigint] AS figures
        FROM usage_events
        WHERE (state = 'committed' OR (state = 'expired' AND charged_micros > 0))
          AND reserved_at >= date_trunc('hour', to_timestamp(${filter.fromMs}::bigint / 1000.0), 'UTC')
          AND reserved_at < date_trunc('hour', to_timestamp(${filter.toMs}::bigint / 1000.0), 'UTC')
          AND (${filter.userId ?? null}::bigint IS NULL OR user_id = ${filter.userId ?? null})
          AND (${filter.model ?? null}::text IS NULL OR model = ${filter.model ?? null})
          AND (${filter.channel ?? null}::text IS NULL OR channel = ${filter.channel ?? null})
        GROUP BY 1`
  }
)

const figuresOf = (sums: UsageSums): ReadonlyArray<bigint> => [
  BigInt(sums.calls),
  BigInt(sums.inputTokens),
  BigInt(sums.outputTokens),
  sums.costMicros,
  sums.chargedMicros
]

const byName = (rows: ReadonlyArray<NaiveRow>) => new Map(rows.map(({ figures, name }) => [name, figures]))

/** A row whose late commit took all calls away stays as zeros. */
const sharesByName = ({ top }: UsageShares) =>
  new Map(top.filter(({ calls }) => calls > 0).map((share) => [share.name, figuresOf(share)]))

const agree = Effect.fnUntraced(function*(report: UsageReport, filter: Parameters<typeof naive>[1]) {
  for (
    const [kind, shares] of [["user", report.users], ["model", report.models], ["channel", report.channels]] as const
  ) {
    assert.deepStrictEqual(sharesByName(shares), byName(yield* naive(kind, filter)), kind)
  }
  const days = byName(yield* naive("day", filter))
  const none = [0n, 0n, 0n, 0n, 0n]
  if (report.unit === "day") {
    for (const moment of report.moments) {
      assert.deepStrictEqual(figuresOf(moment), days.get(moment.moment) ?? none, moment.moment)
    }
  }
  const total = none.map((_, index) =>
    [...days.values()].reduce((sum, figures) => sum + (figures[index] ?? nobody), 0n)
  )
  assert.deepStrictEqual(figuresOf(report.totals), total)
})

/** Everything that is old enough and has ended is folded. */
const foldAll = Effect.gen(function*() {
  const folds = yield* UsageFolds
  let passed = 1
  while (passed > 0) passed = yield* folds.round
})

testsOver(Services)("reports of everybody", (test) => {
  test("are what the rows say, after any history that is folded in any order", function*() {
    const sql = yield* SqlClient.SqlClient
    const usage = yield* AllUsage
    const folds = yield* UsageFolds
    for (let seed = 1; seed <= 4; seed++) {
      const below = seeded(seed)
      // Nothing is so young that the folds leave it alone.
      const nowMs = (yield* Clock.currentTimeMillis) - HOUR_MS
      const users = yield* makeUsers(4)
      for (let index = 0; index < 25; index++) {
        const userId = users[below(users.length)] ?? nobody
        if (below(3) === 0) yield* folds.fold(userId)
        yield* insertCalls(
          Array.from({ length: 1 + below(15) }, () => anyCall(below, userId, nowMs - below(5 * DAY_MS)))
        )
        if (below(2) === 0) continue
        const [expired] = yield* sql<{ id: string }>`SELECT id FROM usage_events
            WHERE user_id = ${userId} AND state = 'expired' AND NOT late ORDER BY id OFFSET ${below(5)} LIMIT 1`
        if (expired !== undefined) yield* commitLate(expired.id, BigInt(below(400)))
      }
      yield* foldAll
      const all = { fromMs: nowMs - 6 * DAY_MS, toMs: nowMs + 2 * HOUR_MS }
      const filters = [
        all,
        { ...all, userId: users[1] ?? nobody },
        { ...all, model: "model-2" },
        { ...all, channel: "channel-1" },
        { ...all, channel: "late-channel", model: "model-1", userId: users[0] ?? nobody },
        { fromMs: nowMs - 30 * HOUR_MS, toMs: nowMs },
        // Within a day, or on both sides of midnight; some of both.
        ...Array.from({ length: 4 }, (_, index) => {
          const fromMs = nowMs - (4 - index) * DAY_MS + index * 5 * HOUR_MS
          return { fromMs, toMs: fromMs + (2 + index * 7) * HOUR_MS }
        })
      ]
      for (const filter of filters) {
        const report = yield* usage.report(filter, "Asia/Shanghai")
        yield* agree(report, filter)
        const without = yield* usage.report({ ...filter, users: false }, "Asia/Shanghai")
        assert.deepStrictEqual(without.users, { top: [], others: undefined, othersCount: 0 })
        for (const part of ["totals", "moments", "models", "channels"] as const) {
          assert.deepStrictEqual(without[part], report[part])
        }
      }
    }
    const [seen] = yield* sql<{ late: bigint; none: bigint }>`SELECT
        (SELECT count(*) FROM usage_hours WHERE channel = 'late-channel' AND calls > 0) AS late,
        (SELECT count(*) FROM usage_hours WHERE channel = '' AND calls > 0) AS none`
    assert.isTrue(seen !== undefined && seen.late > 0n && seen.none > 0n, "the histories were worth it")
  })

  test("show so many of each and sum up the others, say whose they are, and how fresh they are", function*() {
    const sql = yield* SqlClient.SqlClient
    const usage = yield* AllUsage
    const users = yield* makeUsers(SHARES_MAX + 7)
    const nowMs = yield* Clock.currentTimeMillis
    const at = nowMs - 100 * DAY_MS
    yield* insertCalls(users.map((userId, index) =>
      callAt(userId, at, {
        model: `share-${index}`,
        channel: "one",
        charged_micros: BigInt(1_000 - index),
        cost_micros: 1_000n
      })
    ))
    yield* foldAll
    const report = yield* usage.report({ fromMs: at - HOUR_MS, toMs: at + HOUR_MS }, "UTC")
    assert.strictEqual(report.unit, "hour")
    assert.deepStrictEqual(report.users.top.map(({ name }) => BigInt(name)), users.slice(0, SHARES_MAX))
    assert.strictEqual(report.users.othersCount, 7)
    assert.strictEqual(report.users.others?.calls, 7)
    assert.strictEqual(report.models.othersCount, 7)
    assert.deepStrictEqual(report.channels.top.map(({ calls, name }) => [name, calls]), [["one", users.length]])
    assert.strictEqual(report.channels.others, undefined)
    const [first] = yield* sql<{ email: string }>`SELECT email FROM users WHERE id = ${users[0] ?? nobody}`
    assert.strictEqual(report.users.top[0]?.email, first?.email)
    const foldedTo = report.foldedTo?.getTime() ?? 0
    assert.isAtMost(foldedTo, nowMs - 60_000)
    assert.isAbove(foldedTo, nowMs - HOUR_MS)
  })

  test("refuse a range that is empty or longer than 400 days", function*() {
    const usage = yield* AllUsage
    const reason = (fromMs: number, toMs: number) =>
      usage.report({ fromMs, toMs }, "UTC").pipe(
        Effect.as("none"),
        Effect.catchTag("UsageRefused", (error) => Effect.succeed(error.reason))
      )
    assert.strictEqual(yield* reason(HOUR_MS, HOUR_MS + 1), "empty_range")
    assert.strictEqual(yield* reason(0, 400 * DAY_MS), "none")
    assert.strictEqual(yield* reason(0, 400 * DAY_MS + HOUR_MS), "range_too_long")
  })
})

interface PlanNode {
  readonly "Node Type": string
  readonly "Relation Name"?: string
  readonly "Actual Rows"?: number
  readonly "Actual Loops"?: number
  readonly Plans?: ReadonlyArray<PlanNode>
}

const nodesOf = (node: PlanNode): ReadonlyArray<PlanNode> => [node, ...(node.Plans ?? []).flatMap(nodesOf)]

layer(Services, { excludeTestServices: true })("reports over many calls", (it) => {
  it.effect("read no more of them than they say", () =>
    Effect.gen(function*() {
      const sql = yield* SqlClient.SqlClient
      const nowMs = yield* Clock.currentTimeMillis
      const users = yield* makeUsers(5)
      for (const [index, userId] of users.entries()) {
        // The same calls again, under ids of their own.
        yield* writeHistory(sql, {
          userId,
          keyId: ApiKeyId.make(1n),
          calls: 8_000,
          days: 20,
          firstNumber: index * 8_000 + 1
        })
      }
      yield* foldAll
      yield* sql`INSERT INTO refused_calls (user_id, id, at, model, endpoint, status, code)
        SELECT u, (substr(realms_uuid_at_v1(${nowMs}::bigint - i * 1000)::text, 1, 24) || lpad(to_hex(i * 100 + u), 12, '0'))::uuid,
            to_timestamp(${nowMs}::bigint / 1000.0 - i), 'm', 'responses', 429, 'rate_limit_exceeded'
          FROM unnest(${
        JSON.stringify(users.map(String)).replace("[", "{").replace("]", "}")
      }::bigint[]) u, generate_series(1, 1000) i`
      yield* sql`ANALYZE`
      const rowsRead = Effect.fnUntraced(function*(text: string, parameters: ReadonlyArray<unknown>) {
        const rows = yield* sql.unsafe<{ "QUERY PLAN": ReadonlyArray<{ readonly Plan: PlanNode }> }>(
          `EXPLAIN (ANALYZE, FORMAT JSON, TIMING off) ${text}`,
          parameters
        )
        const nodes = rows.flatMap((row) => row["QUERY PLAN"].flatMap(({ Plan }) => nodesOf(Plan)))
        const calls = nodes.filter((node) => /^(?:usage_events|refused_calls)/.test(node["Relation Name"] ?? ""))
        // A month without a call is read as it pleases.
        const scanned = calls.filter((node) => node["Node Type"] === "Seq Scan" && (node["Actual Rows"] ?? 0) > 0)
        assert.deepStrictEqual(scanned, [])
        return calls.reduce((sum, node) => sum + (node["Actual Rows"] ?? 0) * (node["Actual Loops"] ?? 0), 0)
      })
      const range = [nowMs - 25 * DAY_MS, nowMs + HOUR_MS]
      for (const ofUser of [false, true]) {
        const parameters = [...range, "UTC", SHARES_MAX, null, null, ...(ofUser ? [users[0]] : [])]
        assert.strictEqual(
          yield* rowsRead(allUsageSql("day", { ofUser, users: true, isNarrowed: ofUser }), parameters),
          0
        )
      }
      const looked = yield* rowsRead(channelHealthSql, [nowMs, 3_000, 500])
      assert.isAbove(looked, 3_000, "the ids and their rows")
      assert.isAtMost(looked, 2 * 3_000)
      // The ids, their rows, and the ids again to say where to go on.
      for (const refused of [false, true]) {
        for (const [scope, owner] of [["everybody", []], ["user", [users[0]]]] as const) {
          const page = (model: string | null, state: string | null) =>
            rowsRead(callPageSql(scope), [
              ...range,
              CURSOR_FIRST,
              51,
              model,
              null,
              null,
              state,
              LOOKED_ROWS_MAX,
              null,
              null,
              refused,
              ...owner
            ])
          assert.isAtMost(yield* page("none", null), 3 * LOOKED_ROWS_MAX, scope)
          assert.isAtMost(yield* page(null, null), 300, scope)
          assert.isAtMost(yield* page(null, "refused"), refused ? 300 : 0, scope)
        }
      }
    }), 60_000)
})
