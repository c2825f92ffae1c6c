/**
 * Whether this server should get calls now: PostgreSQL answers, the disk has room, the clocks agree, and it is not stopping. It looks
 * when it is asked and every few seconds by itself. Nothing changes on one look: a second one, a moment later, has to find the same, so
 * that one slow answer takes no server out of service. A change is logged once, and shown as a metric.
 */
import { Clock, Context, Effect, Fiber, FiberSet, Layer, Metric, Schedule, Schema } from "effect"
import { SqlClient } from "effect/sql"
import { AppConfig } from "../../config/Config.ts"
import { Row } from "../../domain/Row.ts"
import { Database } from "../../postgres/Database.ts"
import { withinDatabaseWait } from "../../postgres/DatabaseUnavailable.ts"
import { DiskLimits, freeBytes } from "../../postgres/DiskSpace.ts"
import { oneRowOf } from "../../postgres/Rows.ts"

const reasons = ["database_away", "disk_full", "clock_off", "stopping"] as const

export type NotReadyReason = typeof reasons[number]

/** Why this server should get no calls. */
export interface NotReady {
  readonly reason: NotReadyReason
  readonly message: string
}

const DatabaseClock = Row({ nowMs: Schema.Number })

export class Readiness extends Context.Service<Readiness, {
  /** What is wrong now; empty: the server is ready. Answers within two seconds; those who ask at once share one look. */
  readonly problems: Effect.Effect<ReadonlyArray<NotReady>>
  /** The server stops: from now on it is not ready. */
  stops(): void
}>()("realms/http/ops/Readiness") {
  static readonly layer = Layer.effect(Readiness)(Effect.gen(function*() {
    const sql = yield* SqlClient.SqlClient
    const database = yield* Database
    const config = yield* AppConfig
    const limits = yield* DiskLimits
    // A look belongs to nobody's request: others wait for it too.
    const run = yield* FiberSet.makeRuntime<never, ReadonlyArray<NotReady>>()

    const askDatabase = Effect.gen(function*() {
      const askedMs = yield* Clock.currentTimeMillis
      const { nowMs } = yield* oneRowOf(
        DatabaseClock,
        sql`SELECT (extract(epoch FROM clock_timestamp()) * 1000)::float8 AS now_ms`
      )
      const answeredMs = yield* Clock.currentTimeMillis
      const offMs = clockOffMs({ askedMs, serverMs: nowMs, answeredMs })
      const clockOff: NotReady = {
        reason: "clock_off",
        message: `This server's clock differs from PostgreSQL's by ${Math.round(offMs)} ms or more. Set both by NTP.`
      }
      return offMs > CLOCK_OFF_MS_MAX ? [clockOff] : []
    })

    const lookAtDatabase = withinDatabaseWait(askDatabase, PROBE_MS_MAX).pipe(
      Effect.catch((error) => {
        const away: NotReady = { reason: "database_away", message: `PostgreSQL does not answer: ${error.message}.` }
        return Effect.succeed([away])
      })
    )

    let wasFull = false
    const lookAtDisk = Effect.gen(function*() {
      const free = yield* freeBytes(config.dataDir)
      const refusedMs = database.diskFullMs()
      const isRefused = refusedMs !== undefined && (yield* Clock.currentTimeMillis) - refusedMs < limits.refusedMs
      // What is freed a little is soon written again.
      const wanted = wasFull ? limits.freeBytesMin * FREE_AGAIN : limits.freeBytesMin
      wasFull = isRefused || (free !== undefined && free < wanted)
      if (!wasFull) return []
      const room = free === undefined ? "" : ` ${config.dataDir} has ${Math.floor(free / MEGABYTE)} MiB free.`
      const full: NotReady = {
        reason: "disk_full",
        message: isRefused
          ? `PostgreSQL refused a write because its disk is full.${room} Make room on it.`
          : `The disk is nearly full.${room} Make room on it.`
      }
      return [full]
    })

    let last: ReadonlySet<NotReadyReason> = new Set()
    const note = Effect.fnUntraced(function*(problems: ReadonlyArray<NotReady>) {
      const now = new Set(problems.map(({ reason }) => reason))
      const before = last
      last = now
      for (const { message, reason } of problems) {
        if (!before.has(reason)) yield* Effect.logError(`not ready for calls: ${message}`, { reason })
      }
      for (const reason of before) {
        if (!now.has(reason)) yield* Effect.logInfo(`resolved: ${reason}`, { reason })
      }
      if (before.size > 0 && now.size === 0) yield* Effect.logInfo("ready for calls again")
      yield* Metric.update(readyGauge, problems.length === 0 ? 1 : 0)
      yield* Effect.forEach(
        reasons,
        (reason) => Metric.update(Metric.withAttributes(problemGauge, { reason }), now.has(reason) ? 1 : 0),
        { discard: true }
      )
    })

    const look: Effect.Effect<ReadonlyArray<NotReady>> = Effect.map(
      Effect.all([lookAtDatabase, lookAtDisk], { concurrency: 2 }),
      (found) => isStopping ? [...found.flat(), stopping] : found.flat()
    )

    let isStopping = false
    let current: ReadonlyArray<NotReady> = []
    const decide = Effect.gen(function*() {
      const first = yield* look
      const isNew = (found: ReadonlyArray<NotReady>) =>
        reasons.some((reason) => has(found, reason) !== has(current, reason) && reason !== "stopping")
      const second = isNew(first) ? yield* Effect.delay(look, CONFIRM_MS) : first
      const before = current
      current = reasons.flatMap((reason) => {
        const agreed = has(first, reason) === has(second, reason) ? second : before
        const which = reason === "stopping" ? second : agreed
        return which.filter((problem) => problem.reason === reason)
      })
      yield* note(current)
      return current
    })

    let looking: Fiber.Fiber<ReadonlyArray<NotReady>> | undefined
    const problems = Effect.suspend(() => {
      if (looking !== undefined) return Fiber.join(looking)
      const fiber = run(Effect.ensuring(
        decide,
        Effect.sync(() => {
          looking = undefined
        })
      ))
      if (fiber.pollUnsafe() === undefined) looking = fiber
      return Fiber.join(fiber)
    })

    yield* Effect.forkScoped(Effect.repeat(problems, Schedule.spaced(LOOK_EVERY_MS)))
    return Readiness.of({
      problems,
      stops: () => {
        isStopping = true
      }
    })
  }))
}

/** PostgreSQL is waited for no longer, in ms: after two looks the answer to who asks has to be there within two seconds. */
const PROBE_MS_MAX = 800

/** Between a look that finds something new and the one that confirms it, in ms. */
const CONFIRM_MS = 200

/** A full disk counts as free again once this many times the space that it needs is free. */
const FREE_AGAIN = 1.25

const stopping: NotReady = { reason: "stopping", message: "This server is stopping." }

const has = (problems: ReadonlyArray<NotReady>, reason: NotReadyReason): boolean =>
  problems.some((problem) => problem.reason === reason)

/** Between two looks that nobody asked for, in ms. */
const LOOK_EVERY_MS = 5_000

/** A clock that differs more from PostgreSQL's would judge leases and windows wrongly, in ms. */
const CLOCK_OFF_MS_MAX = 1_000

const MEGABYTE = 1_048_576

const readyGauge = Metric.gauge("realms_ready", { description: "1 while this server is ready for calls, else 0" })

const problemGauge = Metric.gauge("realms_not_ready", {
  description: "1 while this server is not ready for the reason, else 0"
})

/** When PostgreSQL was asked for its time, and what it answered, all in ms. */
export interface ClockReading {
  readonly askedMs: number
  readonly serverMs: number
  readonly answeredMs: number
}

/** By how much the clocks differ at least, whenever within the question PostgreSQL read its own, in ms. */
export const clockOffMs = ({ answeredMs, askedMs, serverMs }: ClockReading): number =>
  serverMs < askedMs ? askedMs - serverMs : serverMs > answeredMs ? serverMs - answeredMs : 0
