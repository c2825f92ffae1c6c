/**
 * How cost grows: calls a second, waiting and CPU against connections, users, rows of past calls and the size of frames, and where
 * each curve bends. It takes some ten minutes, more with many rows, so it runs only by name.
 */
import { Effect } from "effect"
import type { UserId } from "../../src/domain/Ids.ts"
import { KEYS_CACHED_MAX } from "../../src/identity/ApiKeyCache.ts"
import { inDatabase } from "../database.ts"
import { FRAME_TOKENS_MAX, frameBytes, frameModelOf, frameModels, FRAMES_PER_STREAM } from "../frameModels.ts"
import { fallOf, frameCostOf, riseOf } from "../growth/bends.ts"
import { measurePoint, type Point, secondsForAll } from "../growth/point.ts"
import { type Curve, headLine, pointLine, writeGrowth } from "../growth/report.ts"
import { keysOfUsers, makeUsers } from "../growth/users.ts"
import { writePastCalls } from "../pastCalls.ts"
import type { Bench, Scenario } from "../scenario.ts"
import { endProcesses, keyOf, type Realms, type RealmsOptions, startRealms, startScript } from "../servers.ts"

const CONNECTIONS = 64
const STREAMS = 16

/** Users who call while the rows of past calls become more, and whose rows those are. */
const USERS_WITH_ROWS = 1_000

/** Rows of past calls, at most, where no flag says otherwise. */
const ROWS_MAX = 1_000_000

/** The first point of a curve is also the first that a new server is asked: until then, nothing of it is compiled. */
const FIRST_WARM_UP_SECONDS = { quick: 2, whole: 10 }

/** One size of a curve. */
interface Step {
  readonly realms: Realms
  readonly size: number
  /** The size before it; 0 before the first. */
  readonly before: number
  readonly isQuick: boolean
  readonly warmUpSeconds?: number
}

interface CurvePlan {
  readonly name: string
  readonly title: string
  readonly unit: string
  readonly sizes: ReadonlyArray<number>
  readonly options?: RealmsOptions
  /** Prepares one size, and measures it. */
  readonly measure: (at: Step) => Promise<Point>
  readonly bend: (points: ReadonlyArray<Point>) => string
}

const powersOfTen = (from: number, to: number): ReadonlyArray<number> => {
  const sizes: Array<number> = []
  for (let size = from; size < to; size *= 10) sizes.push(size)
  return [...sizes, to]
}

const byConnections = ({ isQuick }: Bench): CurvePlan => {
  const keys: Array<string> = []
  return {
    name: "connections",
    title: "Connections of one user",
    unit: "connections",
    sizes: isQuick ? [1, 16, 64] : [1, 4, 16, 64, 256, 1_024],
    measure: (at) => {
      if (keys.length === 0) keys.push(keyOf(at.realms, "bench@example.com", "100000"))
      return measurePoint({ ...at, load: { keys, connections: at.size } })
    },
    bend: (points) => riseOf(points, "connections")
  }
}

const byUsers = ({ isQuick, say }: Bench): CurvePlan => ({
  name: "users",
  title: `Users, ${CONNECTIONS} connections`,
  unit: "users",
  sizes: isQuick ? [1, 100, 1_000] : [1, 10, 100, 1_000, 10_000, 100_000],
  measure: async (at) => {
    const { before, realms, size } = at
    await inDatabase(realms.dataDir, (sql) => Effect.andThen(makeUsers(sql, before, size), sql`ANALYZE`.unprepared))
    const load = { keys: keysOfUsers(size), connections: CONNECTIONS }
    const warmUpSeconds = Math.max(at.warmUpSeconds ?? 0, await secondsForAll(realms, load, size))
    say(`calling each of ${size} users, ${warmUpSeconds} s ...`)
    return measurePoint({ ...at, load, warmUpSeconds })
  },
  bend: (points) =>
    fallOf(points, "users", [{ size: KEYS_CACHED_MAX, what: "the number of API keys that a server remembers" }])
})

const byRows = ({ isQuick, rowsMax = isQuick ? 10_000 : ROWS_MAX, say }: Bench): CurvePlan => {
  const load = { keys: keysOfUsers(USERS_WITH_ROWS), connections: CONNECTIONS }
  return {
    name: "rows",
    title: `Rows of past calls of ${USERS_WITH_ROWS} users, ${CONNECTIONS} connections`,
    unit: "rows",
    sizes: [0, ...powersOfTen(Math.min(rowsMax, isQuick ? 1_000 : 10_000), rowsMax)],
    measure: async (at) => {
      const { before, realms, size } = at
      await inDatabase(realms.dataDir, (sql) =>
        Effect.gen(function*() {
          const [found] = yield* sql<{ first: UserId | null }>`
            SELECT min(id) AS first FROM users WHERE email LIKE 'growth%'`
          const firstUser = found?.first ?? (yield* makeUsers(sql, 0, USERS_WITH_ROWS))
          yield* writePastCalls(sql, { from: before, to: size, total: rowsMax, firstUser, users: USERS_WITH_ROWS, say })
          // What was written here is in no report: the server need not fold it while it is measured.
          yield* sql`INSERT INTO usage_folds (user_id, through)
            SELECT id, realms_uuid_at_v1(floor(extract(epoch FROM now()) * 1000)::bigint) FROM users
            ON CONFLICT (user_id) DO UPDATE SET through = greatest(usage_folds.through, excluded.through)`
          yield* sql`VACUUM ANALYZE`.unprepared
          yield* sql`CHECKPOINT`.unprepared
        }))
      return measurePoint({ ...at, load })
    },
    bend: (points) => fallOf(points, "rows")
  }
}

const byFrames = ({ isQuick }: Bench): CurvePlan => {
  const keys: Array<string> = []
  return {
    name: "frames",
    title: `Bytes of text in a frame, streams of ${FRAMES_PER_STREAM} frames, ${STREAMS} at once`,
    unit: "bytes",
    sizes: isQuick ? frameBytes.filter((_, index) => index % 2 === 0) : frameBytes,
    options: { moreModels: frameModels },
    measure: (at) => {
      if (keys.length === 0) keys.push(keyOf(at.realms, "bench@example.com", "100000"))
      const model = frameModelOf(at.size)
      return measurePoint({
        ...at,
        load: { keys, connections: STREAMS, stream: true, model, maxTokens: FRAME_TOKENS_MAX }
      })
    },
    bend: (points) => frameCostOf(points, FRAMES_PER_STREAM)
  }
}

/** A server of its own for every curve. */
const curveOf = async ({ isQuick, print, say }: Bench, plan: CurvePlan): Promise<Curve> => {
  const realms = await startRealms((await startScript("upstream.ts")).origin, plan.options)
  print("")
  print(plan.title)
  print(headLine(plan.unit))
  const points: Array<Point> = []
  for (const size of plan.sizes) {
    say(`${size} ${plan.unit} ...`)
    const isFirst = points.length === 0
    const point = await plan.measure({
      realms,
      size,
      before: points.at(-1)?.size ?? 0,
      isQuick,
      ...isFirst ? { warmUpSeconds: FIRST_WARM_UP_SECONDS[isQuick ? "quick" : "whole"] } : {}
    })
    points.push(point)
    print(pointLine(point))
  }
  await endProcesses()
  const { name, title, unit } = plan
  const bend = plan.bend(points)
  print(bend)
  return { name, title, unit, points, bend }
}

export const growth: Scenario = {
  name: "growth",
  about: "How cost grows with connections, users, rows of past calls and the size of frames",
  isLong: true,
  run: async (bench) => {
    const curves: Array<Curve> = []
    for (const planOf of [byConnections, byUsers, byRows, byFrames]) curves.push(await curveOf(bench, planOf(bench)))
    const failed = curves.flatMap(({ points }) => points).reduce((sum, point) => sum + point.failed, 0)
    bench.figure({ what: "calls that failed", value: failed, unit: "calls", target: { atMost: 0 } })
    if (!bench.isQuick) writeGrowth(curves)
  }
}
