/**
 * Reports are what a plain aggregate over the calls says, whatever was folded, is open, came late or was inserted with an old
 * id; by local day, DST days included; and never of another user's calls.
 */
import { assert } from "@effect/vitest"
import { Clock, DateTime, Effect, Layer } from "effect"
import { SqlClient } from "effect/sql"
import type { UserId } from "../../src/domain/Ids.ts"
import type { UsageFilter } from "../../src/usage/UsageFilter.ts"
import { UsageFolds } from "../../src/usage/UsageFolds.ts"
import { type UsageOverview, UsageReports } from "../../src/usage/UsageReports.ts"
import { STACKED_MODELS_MAX, unitOf } from "../../src/usage/UsageSeries.ts"
import type { UsageSums } from "../../src/usage/UsageSums.ts"
import { seeded } from "../support/Seeded.ts"
import { TestDatabase } from "../support/TestDatabase.ts"
import { anyCall, callAt, commitLate, endCall, insertCalls, keyIdOf, makeUsers, nobody } from "../support/UsageRows.ts"
import { testsOver } from "../support/Steps.ts"

const Services = Layer.mergeAll(UsageReports.layer, UsageFolds.layer).pipe(Layer.provideMerge(TestDatabase.layer))

const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS
const SEEDS = 12

const zones = ["UTC", "Asia/Shanghai", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe", "Asia/Kathmandu"]

interface NaiveRow {
  readonly day: string
  readonly model: string
  readonly calls: bigint
  readonly input: bigint
  readonly output: bigint
  readonly cost: bigint
  readonly charged: bigint
}

/** By day and model, over the rows themselves. A local day begins with the UTC hour that its midnight is in. */
const naive = Effect.fnUntraced(function*(userId: UserId, filter: UsageFilter, zone: string) {
  const sql = yield* SqlClient.SqlClient
  return yield* sql<NaiveRow>`
    SELECT to_char((date_trunc('hour', reserved_at, 'UTC') + interval '30 minutes') AT TIME ZONE ${zone}, 'YYYY-MM-DD') AS day,
        model, count(*) AS calls, coalesce(sum(input_tokens), 0)::bigint AS input,
        coalesce(sum(output_tokens), 0)::bigint AS output, sum(cost_micros)::bigint AS cost, sum(charged_micros + late_charged_micros)::bigint AS charged
      FROM usage_events
      WHERE user_id = ${userId} AND (state = 'committed' OR (state = 'expired' AND charged_micros > 0))
        AND reserved_at >= date_trunc('hour', to_timestamp(${filter.fromMs}::bigint / 1000.0), 'UTC')
        AND reserved_at < date_trunc('hour', to_timestamp(${filter.toMs}::bigint / 1000.0), 'UTC')
        AND (${filter.model ?? null}::text IS NULL OR model = ${filter.model ?? null})
        AND (${filter.keyId ?? null}::bigint IS NULL OR key_id = ${filter.keyId ?? null})
        AND (${filter.funding ?? null}::text IS NULL OR funding = ${filter.funding ?? null})
      GROUP BY 1, 2`
})

const figures = (rows: ReadonlyArray<NaiveRow>) => {
  const sum = (of: (row: NaiveRow) => bigint) => rows.reduce((total, row) => total + of(row), 0n)
  return [
    sum((row) => row.calls),
    sum((row) => row.input),
    sum((row) => row.output),
    sum((row) => row.cost),
    sum((row) => row.charged)
  ]
}

const figuresOf = (sums: UsageSums) => [
  BigInt(sums.calls),
  BigInt(sums.inputTokens),
  BigInt(sums.outputTokens),
  sums.costMicros,
  sums.chargedMicros
]

const agree = (overview: UsageOverview, rows: ReadonlyArray<NaiveRow>) => {
  assert.deepStrictEqual(figuresOf(overview.totals), figures(rows))
  assert.isFalse(overview.partial)
  for (const day of overview.moments) {
    assert.deepStrictEqual(figuresOf(day), figures(rows.filter((row) => row.day === day.moment)), day.moment)
  }
  for (const day of new Set(rows.map((row) => row.day))) assert.include(overview.moments.map((one) => one.moment), day)
  assert.deepStrictEqual(
    overview.models.map((model) => model.model).toSorted(),
    [...new Set(rows.map((row) => row.model))].toSorted()
  )
  for (const model of overview.models) {
    assert.deepStrictEqual(figuresOf(model), figures(rows.filter((row) => row.model === model.model)))
  }
}

/** The parts of each moment add up to it, with what is left for all others. */
const stacked = (overview: UsageOverview, rows: ReadonlyArray<NaiveRow>) => {
  for (const { model, place, ...sums } of overview.cells) {
    const day = overview.moments[place - 1]?.moment
    assert.deepStrictEqual(figuresOf(sums), figures(rows.filter((row) => row.model === model && row.day === day)))
  }
  const models = new Set(overview.models.slice(0, STACKED_MODELS_MAX).map(({ model }) => model))
  assert.lengthOf(overview.cells, rows.filter((row) => models.has(row.model)).length)
}

/** Something happens to the calls of two users. */
const step = Effect.fnUntraced(
  function*(below: ReturnType<typeof seeded>, users: ReadonlyArray<UserId>, nowMs: number) {
    const sql = yield* SqlClient.SqlClient
    const folds = yield* UsageFolds
    const userId = users[below(users.length)] ?? nobody
    const pick = (state: string) =>
      Effect.map(
        sql<{ id: string }>`SELECT id FROM calls WHERE user_id = ${userId} AND state = ${state} AND NOT late
          ORDER BY id OFFSET ${below(10)} LIMIT 1`,
        ([row]) => row?.id
      )
    switch (below(5)) {
      case 0:
        return yield* folds.fold(userId)
      case 1: {
        const id = yield* pick("expired")
        return id === undefined ? undefined : yield* commitLate(id, BigInt(below(400)))
      }
      case 2: {
        const id = yield* pick("reserved")
        return id === undefined ? undefined : yield* endCall(id, "committed", null)
      }
      default: {
        // Of any age: those older than the fold are stragglers, the youngest are not folded yet.
        const ageMs = below(3) === 0 ? below(200_000) : below(5 * DAY_MS)
        const calls = Array.from(
          { length: 1 + below(20) },
          () => anyCall(below, userId, nowMs - ageMs - below(2 * HOUR_MS))
        )
        return yield* insertCalls(calls)
      }
    }
  }
)

testsOver(Services)("usage reports", (test) => {
  test("are what the rows say, after any history", function*() {
    const sql = yield* SqlClient.SqlClient
    const reports = yield* UsageReports
    let folded = 0n
    let pending = 0n
    for (let seed = 1; seed <= SEEDS; seed++) {
      const below = seeded(seed)
      const nowMs = yield* Clock.currentTimeMillis
      const users = yield* makeUsers(2)
      for (let index = 0; index < 40; index++) {
        yield* step(below, users, nowMs)
        if (below(4) !== 0) continue
        const userId = users[below(2)] ?? nobody
        const zone = zones[below(zones.length)] ?? "UTC"
        const fromMs = nowMs - below(6 * DAY_MS) - HOUR_MS
        const filter = {
          fromMs,
          toMs: fromMs + HOUR_MS + below(7 * DAY_MS),
          ...(below(4) === 0 ? { model: `model-${below(4)}` } : {}),
          ...(below(4) === 0 ? { keyId: keyIdOf(userId, 1) } : {}),
          ...(below(4) === 0 ? { funding: "balance" as const } : {})
        }
        const overview = yield* reports.overview(userId, filter, zone)
        const rows = yield* naive(userId, filter, zone)
        agree(overview, rows)
        stacked(overview, rows)
        const byHour = yield* reports.overview(userId, filter, zone, "hour")
        assert.deepStrictEqual([byHour.totals, byHour.models], [overview.totals, overview.models])
        assert.strictEqual(
          byHour.unit,
          unitOf({
            fromMs: Math.floor(filter.fromMs / HOUR_MS) * HOUR_MS,
            toMs: Math.floor(filter.toMs / HOUR_MS) * HOUR_MS
          })
        )
      }
      for (const userId of users) {
        const all = { fromMs: nowMs - 10 * DAY_MS, toMs: nowMs + DAY_MS }
        agree(yield* reports.overview(userId, all, "UTC"), yield* naive(userId, all, "UTC"))
      }
    }
    // The histories were worth it: much was folded, and something waits.
    const [seen] = yield* sql<{ folded: bigint; pending: bigint }>`SELECT
        (SELECT sum(calls) FROM usage_hours)::bigint AS folded, (SELECT count(*) FROM usage_pending) AS pending`
    folded += seen?.folded ?? 0n
    pending += seen?.pending ?? 0n
    assert.isAbove(Number(folded), 100)
    assert.isAbove(Number(pending), 0)
  })

  test("a day is a local one, also when it has 23 or 25 hours, and none is left out", function*() {
    const reports = yield* UsageReports
    const [userId = nobody] = yield* makeUsers(1)
    const hours = (from: string, to: string) => {
      const [fromMs, toMs] = [DateTime.makeUnsafe(from).epochMilliseconds, DateTime.makeUnsafe(to).epochMilliseconds]
      const times: Array<number> = []
      for (let ms = fromMs; ms < toMs; ms += HOUR_MS) times.push(ms)
      return { fromMs, toMs, times }
    }
    // In New York the 8th of March 2026 has 23 hours, the 1st of November 25.
    const spring = hours("2026-03-07T05:00:00Z", "2026-03-10T04:00:00Z")
    const autumn = hours("2026-10-31T04:00:00Z", "2026-11-03T05:00:00Z")
    yield* insertCalls([...spring.times, ...autumn.times].map((ms) => callAt(userId, ms + 1_000)))
    const daysOf = (range: typeof spring, zone: string) =>
      Effect.map(
        reports.overview(userId, range, zone),
        ({ moments: days }) => days.map((day) => [day.moment, day.calls])
      )
    assert.deepStrictEqual(yield* daysOf(spring, "America/New_York"), [
      ["2026-03-07", 24],
      ["2026-03-08", 23],
      ["2026-03-09", 24]
    ])
    assert.deepStrictEqual(yield* daysOf(autumn, "America/New_York"), [
      ["2026-10-31", 24],
      ["2026-11-01", 25],
      ["2026-11-02", 24]
    ])
    // Midnight in Kathmandu is at 18:15 UTC; the hour it is in belongs to the day that begins in it.
    const kathmandu = hours("2026-03-07T18:15:00Z", "2026-03-09T18:15:00Z")
    assert.deepStrictEqual(yield* daysOf(kathmandu, "Asia/Kathmandu"), [["2026-03-08", 24], ["2026-03-09", 24]])
    const quiet = hours("2026-06-01T00:00:00Z", "2026-06-04T00:00:00Z")
    assert.deepStrictEqual(yield* daysOf(quiet, "UTC"), [["2026-06-01", 0], ["2026-06-02", 0], ["2026-06-03", 0]])
  })

  test("show twenty models by charge and the others as one; names of models come from folded hours", function*() {
    const reports = yield* UsageReports
    const folds = yield* UsageFolds
    const nowMs = yield* Clock.currentTimeMillis
    const [userId = nobody, other = nobody] = yield* makeUsers(2)
    const at = nowMs - 2 * HOUR_MS
    yield* insertCalls(Array.from(
      { length: 25 },
      (_, index) => callAt(userId, at, { model: `m${index}`, charged_micros: BigInt(1_000 - index) })
    ))
    yield* insertCalls([callAt(other, at, { model: "secret" })])
    const range = { fromMs: nowMs - DAY_MS, toMs: nowMs + DAY_MS }
    const before = yield* reports.overview(userId, range, "UTC")
    assert.strictEqual(yield* folds.fold(userId), 25)
    yield* folds.fold(other)
    const after = yield* reports.overview(userId, range, "UTC")
    assert.deepStrictEqual(after, before)
    assert.deepStrictEqual(after.models.map((model) => model.model), Array.from({ length: 20 }, (_, i) => `m${i}`))
    assert.strictEqual(after.otherModels?.calls, 5)
    const models = yield* reports.models(userId)
    assert.strictEqual(models.length, 25)
    assert.notInclude(models, "secret")
  })

  test("refuse a range that is empty or longer than 400 days", function*() {
    const reports = yield* UsageReports
    const [userId = nobody] = yield* makeUsers(1)
    const reason = (fromMs: number, toMs: number) =>
      reports.overview(userId, { fromMs, toMs }, "UTC").pipe(
        Effect.as("none"),
        Effect.catchTag("UsageRefused", (error) => Effect.succeed(error.reason))
      )
    assert.strictEqual(yield* reason(HOUR_MS, HOUR_MS + 1), "empty_range")
    assert.strictEqual(yield* reason(0, 400 * DAY_MS), "none")
    assert.strictEqual(yield* reason(0, 400 * DAY_MS + HOUR_MS), "range_too_long")
  })
})
