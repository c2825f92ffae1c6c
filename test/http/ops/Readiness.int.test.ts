/**
 * What `/readyz` is told by, on a real database: what is wrong, when it is over, and that each change is logged once.
 */
import { assert, describe, it } from "@effect/vitest"
import { Clock, Context, Effect, Layer, Logger, Redacted, References } from "effect"
import { tmpdir } from "node:os"
import { AppConfig, testConfig } from "../../../src/config/Config.ts"
import { clockOffMs, Readiness } from "../../../src/http/ops/Readiness.ts"
import { Database, SqlLayer } from "../../../src/postgres/Database.ts"
import { DiskLimits, DiskReader } from "../../../src/postgres/DiskSpace.ts"
import { makeProxy } from "../../support/JournalProxy.ts"
import { makeDatabase } from "../../support/TestDatabase.ts"
import { microPriced, TestGateway } from "../../support/TestGateway.ts"
import { send } from "../../support/TestHttp.ts"
import { until } from "../../support/Until.ts"

const ANSWER_MS_MAX = 2_000

/** The service on a database, with bounds that the test may move and the lines that it logs. */
const fixture = (url: string) =>
  Effect.gen(function*() {
    const lines: Array<string> = []
    const disk = { freeBytesMin: 0, refusedMs: 0 }
    const reader = { read: (): Promise<number | undefined> => Promise.resolve(1_000_000_000) }
    const clock = yield* Clock.Clock
    const skew = { ms: 0 }
    const database = Database.layerOf(Redacted.make(url))
    const context = yield* Layer.build(
      Readiness.layer.pipe(
        Layer.provideMerge(Layer.fresh(SqlLayer)),
        Layer.provideMerge(database),
        Layer.provide(AppConfig.layerOf(testConfig({ data_dir: tmpdir() }))),
        Layer.provide(Logger.layer([Logger.make(({ message }) => void lines.push(String(message)))])),
        Layer.provide(Layer.succeed(References.MinimumLogLevel, "Info")),
        Layer.provide(Layer.succeed(DiskLimits, disk)),
        Layer.provide(Layer.succeed(DiskReader, () => reader.read())),
        Layer.provide(Layer.succeed(Clock.Clock, {
          sleep: (duration) => clock.sleep(duration),
          currentTimeNanosUnsafe: () => clock.currentTimeNanosUnsafe(),
          currentTimeNanos: clock.currentTimeNanos,
          monotonicTimeNanosUnsafe: () => clock.monotonicTimeNanosUnsafe(),
          monotonicTimeNanos: clock.monotonicTimeNanos,
          currentTimeMillisUnsafe: () => clock.currentTimeMillisUnsafe() + skew.ms,
          currentTimeMillis: Effect.sync(() => clock.currentTimeMillisUnsafe() + skew.ms)
        }))
      )
    )
    const { problems, stops } = Context.get(context, Readiness)
    const found = Effect.map(problems, (all) => all.map(({ reason }) => reason))
    return { database: Context.get(context, Database), disk, found, lines, problems, reader, skew, stops }
  })

describe("clockOffMs", () => {
  const readings: ReadonlyArray<readonly [askedMs: number, serverMs: number, answeredMs: number, offMs: number]> = [
    [1_000, 1_000, 1_000, 0],
    [1_000, 1_500, 2_000, 0],
    [1_000, 2_000, 2_000, 0],
    [1_000, 4_000, 1_500, 2_500],
    [5_000, 1_000, 5_100, 4_000]
  ]
  it.each(readings)("asked at %d, %d there, answered at %d: %d off", (askedMs, serverMs, answeredMs, offMs) => {
    assert.strictEqual(clockOffMs({ askedMs, serverMs, answeredMs }), offMs)
  })
})

describe("Readiness", () => {
  it.live("says that the disk is full, by its free space and by a refused write, and logs each change once", () =>
    Effect.gen(function*() {
      const { database, disk, found, lines, problems } = yield* fixture(yield* makeDatabase())
      assert.deepStrictEqual(yield* found, [])
      disk.freeBytesMin = Infinity
      const [full] = yield* problems
      assert.strictEqual(full?.reason, "disk_full")
      assert.match(full?.message ?? "", /^The disk is nearly full\. \S+ has \d+ MiB free\. Make room on it\.$/)
      yield* found
      disk.freeBytesMin = 0
      assert.deepStrictEqual(yield* found, [])
      disk.refusedMs = 60_000
      assert.deepStrictEqual(yield* found, [])
      const connection = yield* database.connect({ applicationName: "test" })
      yield* Effect.flip(connection.query("SELECT 1 / 0"))
      assert.isUndefined(database.diskFullMs())
      yield* Effect.flip(connection.query(
        "DO $$ BEGIN RAISE EXCEPTION 'could not extend file: No space left on device' USING ERRCODE = '53100'; END $$",
        [],
        false
      ))
      const [refused] = yield* problems
      assert.strictEqual(refused?.reason, "disk_full")
      assert.include(refused?.message ?? "", "PostgreSQL refused a write")
      disk.refusedMs = 0
      assert.deepStrictEqual(yield* found, [])
      assert.strictEqual(lines.filter((line) => line.includes("not ready for calls")).length, 2, lines.join("\n"))
      assert.strictEqual(lines.filter((line) => line.includes("resolved: disk_full")).length, 2)
      assert.strictEqual(lines.filter((line) => line.includes("ready for calls again")).length, 2)
    }))

  it.live("changes nothing on one look, and waits for no disk that hangs", () =>
    Effect.gen(function*() {
      const { disk, found, reader } = yield* fixture(yield* makeDatabase())
      disk.freeBytesMin = 100
      assert.deepStrictEqual(yield* found, [])
      const looks = (...free: ReadonlyArray<number>) => {
        const left = [...free]
        // The background may look, too.
        reader.read = () => Promise.resolve(left.length > 1 ? left.shift() : left[0])
      }
      const cases: ReadonlyArray<readonly [free: ReadonlyArray<number>, reasons: ReadonlyArray<string>]> = [
        [[0, 1_000], []],
        [[0, 0], ["disk_full"]],
        [[1_000, 0], ["disk_full"]],
        // A little more than the least is not enough.
        [[110, 110], ["disk_full"]],
        [[130, 130], []]
      ]
      for (const [free, reasons] of cases) {
        looks(...free)
        assert.deepStrictEqual(yield* found, [...reasons], JSON.stringify(free))
      }
      reader.read = () => new Promise(() => undefined)
      const started = performance.now()
      assert.deepStrictEqual(yield* found, [])
      assert.isBelow(performance.now() - started, ANSWER_MS_MAX)
    }))

  it.live("is not ready from the moment on in which it stops", () =>
    Effect.gen(function*() {
      const { found, stops } = yield* fixture(yield* makeDatabase())
      assert.deepStrictEqual(yield* found, [])
      stops()
      assert.deepStrictEqual(yield* found, ["stopping"])
    }))

  it.live("says that the clock is off by more than a second", () =>
    Effect.gen(function*() {
      const { found, skew } = yield* fixture(yield* makeDatabase())
      for (const [ms, reasons] of [[0, []], [5_000, ["clock_off"]], [-5_000, ["clock_off"]], [500, []]] as const) {
        skew.ms = ms
        assert.deepStrictEqual(yield* found, [...reasons], `${ms}`)
      }
    }))

  it.live("is seen at /readyz: away, and back", () =>
    Effect.gen(function*() {
      const proxy = yield* makeProxy(yield* makeDatabase())
      const gateway = yield* TestGateway.make((origin) => microPriced(origin), { url: proxy.url })
      const ask = send(`${gateway.origin}/readyz`, {})
      const ready = yield* ask
      assert.strictEqual(ready.status, 200)
      assert.deepStrictEqual(JSON.parse(ready.text), {
        status: "ready",
        database: "up",
        open_reservations: 0,
        problems: []
      })
      proxy.cut()
      const started = performance.now()
      const away = yield* ask
      assert.isBelow(performance.now() - started, ANSWER_MS_MAX)
      assert.strictEqual(away.status, 503)
      const { database, problems, status } = JSON.parse(away.text)
      assert.deepStrictEqual([status, database, problems[0].reason], ["not_ready", "away", "database_away"])
      const metrics = yield* send(`${gateway.origin}/metrics`, {})
      assert.match(metrics.text, /^realms_ready(\{[^}]*\})? 0$/m)
      assert.match(metrics.text, /^realms_not_ready\{[^}]*reason="database_away"[^}]*\} 1$/m)
      proxy.mend()
      yield* until("it is ready again", Effect.map(ask, ({ status: code }) => code === 200))
    }))
})
