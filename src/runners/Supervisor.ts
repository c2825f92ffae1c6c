/**
 * Several runners on one machine. The supervisor listens, and gives each new connection to the next runner, which reads and answers
 * it; nothing of a request passes through the supervisor. It starts a runner again that has ended, replaces them one by one on SIGHUP - by
 * what is built now - and stops them when it is stopped. Accounts need no owner among the runners: what each of them decides stands behind
 * the guards in PostgreSQL.
 */
import { Clock, Effect, Fiber, Schedule } from "effect"
import { createServer, type Socket } from "node:net"
import { REPLACED_GRACE_SECONDS } from "../platform/GivenConnections.ts"
import { listen } from "../platform/ListenFailed.ts"
import { makeSparingLog } from "../platform/SparingLog.ts"
import { Connections } from "./Connections.ts"
import { type RunnerProcess, startRunner } from "./RunnerProcess.ts"

export interface SupervisorOptions<E, R> {
  readonly runners: number
  readonly host: string
  readonly port: number
  /** A runner that is asked to stop has so long, in milliseconds. */
  readonly stopMs: number
  /** Waits for the next time that all are to be replaced. */
  readonly nextHangUp: Effect.Effect<unknown>
  /** Called once, when all of them take connections, with the port that is listened on. */
  readonly onReady: (port: number) => Effect.Effect<void, E, R>
}

/** One that ends again soon after its start waits for the next one so long, doubled each time. */
const RESTART_MS_MIN = 200
const RESTART_MS_MAX = 30_000

/** One that was replaced has so long for its open calls, in milliseconds; for the first of it the next replacement waits. */
const RETIRE_MS_MAX = (REPLACED_GRACE_SECONDS + 60) * 1_000
const RETIRE_WAIT_MS = 30_000

/** How often connections that nobody takes are looked for. */
const EXPIRE_EVERY_MS = 1_000

/** One that has run for so long had started well. */
const STEADY_MS = 60_000

/** How long to wait before the next start, after so many ends in a row soon after a start; the first is not waited for. */
export const restartWaitMs = (quickEnds: number): number =>
  quickEnds <= 1 ? 0 : Math.min(RESTART_MS_MIN * 2 ** Math.min(quickEnds - 2, 20), RESTART_MS_MAX)

/** Runs the runners until it is interrupted. Fails when one of them does not start the first time. */
export const supervise = Effect.fnUntraced(function*<E, R>(options: SupervisorOptions<E, R>) {
  const { host, nextHangUp, onReady, runners, stopMs } = options
  const clock = yield* Clock.Clock
  const connections = new Connections<Socket>(() => clock.currentTimeMillisUnsafe())
  const server = createServer(
    { pauseOnConnect: true, allowHalfOpen: true, noDelay: true, keepAlive: true },
    (connection) => {
      // A client may leave before a runner has its connection.
      connection.on("error", () => undefined)
      connections.give(connection)
    }
  )
  const port = yield* listen(server, host, options.port)
  const all = new Set<RunnerProcess>()
  // Registered first, so that it runs last: nothing below starts a runner any more.
  yield* Effect.addFinalizer(() =>
    Effect.suspend(() => {
      server.close()
      return Effect.forEach([...all], (runner) => runner.stop(stopMs), { concurrency: "unbounded", discard: true })
    }).pipe(Effect.andThen(Effect.sync(() => connections.close())))
  )
  const warn = yield* makeSparingLog<"closed">("connections that no runner took were closed")
  const expire = Effect.suspend(() => {
    const closed = connections.expire()
    return closed === 0 ? Effect.void : warn("closed", { closed })
  })
  yield* Effect.forkScoped(Effect.repeat(expire, Schedule.spaced(EXPIRE_EVERY_MS)))

  const begin = Effect.fnUntraced(function*(place: number) {
    const runner = yield* startRunner({ place, host, port, connections })
    all.add(runner)
    yield* Effect.forkScoped(Effect.andThen(runner.ended, Effect.sync(() => all.delete(runner))))
    return runner
  }, Effect.uninterruptible)

  const current = yield* Effect.forEach(Array.from({ length: runners }, (_, place) => place), begin)
  yield* Effect.forEach(current, (runner) => runner.ready, { concurrency: "unbounded", discard: true })
  yield* Effect.logInfo("all runners are ready", { supervisor: process.pid, pids: current.map(({ pid }) => pid) })
  yield* onReady(port)

  /** Starts the runner of a place again whenever it ends, unless it was replaced. */
  const keep = Effect.fnUntraced(function*(place: number) {
    let quickEnds = 0
    for (;;) {
      const runner = current[place]
      if (runner === undefined) return
      const startedMs = yield* Clock.currentTimeMillis
      const how = yield* runner.ended
      if (current[place] !== runner) continue
      quickEnds = (yield* Clock.currentTimeMillis) - startedMs > STEADY_MS ? 1 : quickEnds + 1
      const waitMs = restartWaitMs(quickEnds)
      yield* Effect.logError(`runner ${place} ended with ${how} and is started again`, { pid: runner.pid, waitMs })
      yield* Effect.sleep(waitMs)
      if (current[place] !== runner) continue
      const next = yield* begin(place)
      current[place] = next
      yield* Effect.forkScoped(next.ready.pipe(
        Effect.andThen(Effect.logInfo(`runner ${place} is ready again`, { pid: next.pid })),
        Effect.catch((error) => Effect.andThen(Effect.logError(error.message), next.stop(stopMs)))
      ))
    }
  })

  /** Puts a new runner in the place of the one that is there. False: it did not start, and the old one stays. */
  const replace = Effect.fnUntraced(function*(place: number) {
    const next = yield* begin(place)
    const isReady = yield* Effect.result(next.ready)
    if (isReady._tag === "Failure") {
      yield* Effect.logError(`${isReady.failure.message}; the runners that are there stay`)
      yield* next.stop(stopMs)
      return false
    }
    const old = current[place]
    current[place] = next
    if (old !== undefined) {
      const retired = yield* Effect.forkScoped(old.retire(RETIRE_MS_MAX))
      yield* Effect.timeoutOption(Fiber.join(retired), RETIRE_WAIT_MS)
    }
    yield* Effect.logInfo(`runner ${place} is replaced`, { pid: next.pid })
    return true
  })

  const replaceAll = Effect.gen(function*() {
    yield* Effect.logInfo("replacing the runners one by one")
    for (const { place } of current) if (!(yield* replace(place))) return
    yield* Effect.logInfo("all runners are replaced", { pids: current.map(({ pid }) => pid) })
  })

  for (const { place } of current) yield* Effect.forkScoped(keep(place))
  return yield* Effect.forever(Effect.andThen(nextHangUp, replaceAll))
})
