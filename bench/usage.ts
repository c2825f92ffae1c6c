/**
 * How fast usage reports are for a user with many calls: `node bench/usage.ts`, on an embedded PostgreSQL of its own. Every
 * figure is also told as a ratio to a `SELECT 1` of the same run, so that it says something on any machine. `BENCH_CALLS` and
 * `BENCH_ROUNDS` change its size.
 */
import * as NodeServices from "@effect/platform-node/NodeServices"
import { Effect, Layer, Redacted, Stream } from "effect"
import { SqlClient } from "effect/sql"
import { chmodSync, mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { ApiKeyId, UserId } from "../src/domain/Ids.ts"
import { Database, SqlLayer } from "../src/postgres/Database.ts"
import { EmbeddedPostgres } from "../src/postgres/EmbeddedPostgres.ts"
import { runMigrations } from "../src/postgres/Migrations.ts"
import { CallList } from "../src/usage/CallList.ts"
import { UsageFolds } from "../src/usage/UsageFolds.ts"
import { UsageReports } from "../src/usage/UsageReports.ts"
import { makeMonths } from "./pastCalls.ts"

const CALLS = Number(process.env.BENCH_CALLS ?? "100000")
const ROUNDS = Number(process.env.BENCH_ROUNDS ?? "50")
const OTHER_USERS = 50
const DAY_MS = 86_400_000

const folder = mkdtempSync(join(tmpdir(), "realms-bench-"))
// As root, PostgreSQL runs as somebody else, who has to get there.
chmodSync(folder, 0o755)

/** Settled calls of the last 30 days, oldest first, of the one user and of the others in turn. */
const fill = Effect.gen(function*() {
  const sql = yield* SqlClient.SqlClient
  const [user] = yield* sql<{ id: UserId }>`INSERT INTO users (email) VALUES ('bench@example.com') RETURNING id`
  yield* sql`INSERT INTO users (email) SELECT 'other' || i || '@example.com' FROM generate_series(1, ${OTHER_USERS}) i`
  const userId = user?.id ?? UserId.make(0n)
  const [key] = yield* sql<{ id: ApiKeyId }>`INSERT INTO api_keys (user_id, key_hash, hint, spend_limit_micros)
    VALUES (${userId}, '\\x01', 'sk-…aaaa', 1000000000000) RETURNING id`
  yield* sql`INSERT INTO api_keys (user_id, key_hash, hint) VALUES (${userId}, '\\x02', 'sk-…bbbb')`
  const step = Math.floor((30 * DAY_MS) / CALLS)
  yield* makeMonths(sql, 31)
  // The trigger looks at calls that are written long after their reserve time, which these are and real ones are not.
  yield* sql`ALTER TABLE usage_events DISABLE TRIGGER usage_events_straggler`
  yield* sql`INSERT INTO usage_events (id, user_id, key_id, state, funding, reserved_micros, cost_micros, charged_micros,
      input_tokens, cached_input_tokens, cache_write_tokens, output_tokens, endpoint, model, upstream_model, channel,
      usage_source, status, latency_ms, ttft_ms, reserved_at, lease_expires_at, settled_at)
    SELECT (substr(realms_uuid_at_v1(ms)::text, 1, 24) || lpad(to_hex(i * 2 + owner), 12, '0'))::uuid,
        CASE owner WHEN 0 THEN ${userId}::bigint ELSE ${userId}::bigint + 1 + i % ${OTHER_USERS} END,
        CASE owner WHEN 0 THEN ${key?.id ?? 0n}::bigint + i % 2 END,
        CASE WHEN i % 50 = 0 THEN 'voided' ELSE 'committed' END, 'balance', 900,
        CASE WHEN i % 50 = 0 THEN 0 ELSE 700 END, CASE WHEN i % 50 = 0 THEN 0 ELSE 700 END, 1200, 300, 0, 400,
        'chat.completions', CASE WHEN i = 10 THEN 'rare' ELSE 'model-' || i % 5 END, 'up', 'one', 'upstream', 200, 900, 200,
        to_timestamp(ms / 1000.0), to_timestamp(ms / 1000.0), to_timestamp(ms / 1000.0)
      FROM (SELECT i, floor(extract(epoch FROM now()) * 1000)::bigint - (${CALLS}::bigint - i) * ${step} - 1000 AS ms
          FROM generate_series(1, ${CALLS}) i) c
        CROSS JOIN generate_series(0, 1) AS owner
      ORDER BY i`
  yield* sql`ALTER TABLE usage_events ENABLE TRIGGER usage_events_straggler`
  yield* sql`VACUUM ANALYZE`.unprepared
  return { userId, keyId: key?.id ?? ApiKeyId.make(0n) }
})

interface Timing {
  readonly p50: number
  readonly p95: number
}

const time = <E, R>(rounds: number, work: Effect.Effect<unknown, E, R>) =>
  Effect.gen(function*() {
    const times: Array<number> = []
    for (let round = 0; round < rounds + 3; round++) {
      const started = performance.now()
      yield* work
      // The first rounds fill caches.
      if (round >= 3) times.push(performance.now() - started)
    }
    const sorted = times.toSorted((a, b) => a - b)
    const at = (part: number) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? 0
    return { p50: at(0.5), p95: at(0.95) } satisfies Timing
  })

const measure = (userId: UserId, keyId: ApiKeyId, when: string) =>
  Effect.gen(function*() {
    const reports = yield* UsageReports
    const list = yield* CallList
    const sql = yield* SqlClient.SqlClient
    const [row] = yield* sql<{ now_ms: number }>`SELECT floor(extract(epoch FROM now()) * 1000)::float8 AS now_ms`
    const nowMs = row?.now_ms ?? 0
    const month = { fromMs: nowMs - 30 * DAY_MS, toMs: nowMs + DAY_MS }
    const today = { fromMs: nowMs - DAY_MS, toMs: nowMs + DAY_MS }
    const unit = yield* time(ROUNDS * 4, sql`SELECT 1`)
    const say = (name: string, { p50, p95 }: Timing) =>
      Effect.sync(() =>
        void process.stdout.write(
          `${
            JSON.stringify({
              when,
              question: name,
              "p50 ms": Number(p50.toFixed(2)),
              "p95 ms": Number(p95.toFixed(2)),
              "of SELECT 1": Math.round(p50 / unit.p50)
            })
          }\n`
        )
      )
    yield* say("SELECT 1", unit)
    const ask = <E, R>(name: string, work: Effect.Effect<unknown, E, R>, rounds = ROUNDS) =>
      Effect.flatMap(time(rounds, work), (timing) => say(name, timing))
    yield* ask("overview, 30 days", reports.overview(userId, month, "Asia/Shanghai"))
    yield* ask("overview, 1 day", reports.overview(userId, today, "Asia/Shanghai"))
    yield* ask("models", reports.models(userId))
    yield* ask("list page", list.page(userId, month))
    const [middle] = yield* sql<{ cursor: string }>`
      SELECT realms_uuid_at_v1(${nowMs - 15 * DAY_MS}::bigint) AS cursor`
    yield* ask("list page, 15 days back", list.page(userId, month, middle?.cursor))
    yield* ask("list page, by model", list.page(userId, { ...month, model: "model-3" }))
    yield* ask("list page, rare model", list.page(userId, { ...month, model: "rare" }))
    yield* ask("spent by key", sql`SELECT realms_key_spent_v1(${userId}, ${keyId}, 'total', to_timestamp(0))`)
    yield* ask("all rows as a stream", Stream.runDrain(list.rows(userId, month)), 2)
  })

const bench = Effect.gen(function*() {
  yield* runMigrations
  process.stderr.write(`writing ${CALLS} calls of one user and as many of ${OTHER_USERS} others ...\n`)
  const { keyId, userId } = yield* fill
  const folds = yield* UsageFolds
  yield* measure(userId, keyId, "not folded")
  const started = performance.now()
  const passed = yield* folds.round
  const seconds = (performance.now() - started) / 1_000
  process.stdout.write(`${JSON.stringify({ folded: passed, "calls/s": Math.round(passed / seconds) })}\n`)
  // As autovacuum does in time.
  const sql = yield* SqlClient.SqlClient
  yield* sql`VACUUM ANALYZE`.unprepared
  yield* measure(userId, keyId, "folded")
  const idle = yield* time(ROUNDS, folds.round)
  process.stdout.write(`${JSON.stringify({ "a round with nothing to fold, ms": Number(idle.p50.toFixed(2)) })}\n`)
})

const DatabaseLayer = Layer.unwrap(Effect.map(
  EmbeddedPostgres.acquire(join(folder, "data")),
  ({ url }) => SqlLayer.pipe(Layer.provide(Database.layerOf(Redacted.make(Redacted.value(url)), true)))
)).pipe(Layer.provide(NodeServices.layer))

const Services = Layer.mergeAll(UsageReports.layer, CallList.layer, UsageFolds.layer).pipe(
  Layer.provideMerge(DatabaseLayer)
)

await Effect.runPromise(bench.pipe(Effect.provide(Services))).finally(() =>
  rmSync(folder, { recursive: true, force: true })
)
