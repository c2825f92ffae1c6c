/**
 * One runner as its supervisor sees it: a process of the same command. Effects tell when it takes connections and when it has ended.
 *
 * @internal
 */
import { Data, Deferred, Effect, Option } from "effect"
import { fork } from "node:child_process"
import type { Socket } from "node:net"
import type { Connections, Taker } from "./Connections.ts"
import { ADDRESS_VARIABLE, type GivenConnection, PLACE_VARIABLE, readRunnerMessage } from "./RunnerMessage.ts"

/** How a process ended: its exit code, or the signal that ended it. */
export type RunnerEnd = number | string

/** A runner ended before it took connections, or took none in time. */
export class RunnerNotReady extends Data.TaggedError("RunnerNotReady")<{ readonly message: string }> {}

/** A runner needs so long at most from its start until it takes connections: a database may have to recover first. */
const READY_MS_MAX = 300_000

export interface RunnerProcess {
  /** Its place among the runners, from 0. */
  readonly place: number
  readonly pid: number
  /** Waits until it takes connections. */
  readonly ready: Effect.Effect<void, RunnerNotReady>
  /** Waits for its end. */
  readonly ended: Effect.Effect<RunnerEnd>
  /** Asks it to stop, and waits for its end; one that does not stop in `waitMs` is ended. */
  stop(waitMs: number): Effect.Effect<RunnerEnd>
}

export interface RunnerOptions {
  readonly place: number
  /** Where the supervisor listens. */
  readonly host: string
  readonly port: number
  readonly connections: Connections<Socket>
}

/** Starts a runner of the command line of this process. Its process group is its own: a Ctrl-C is the supervisor's. */
export const startRunner = ({ connections, host, place, port }: RunnerOptions): Effect.Effect<RunnerProcess> =>
  Effect.gen(function*() {
    const isReady = yield* Deferred.make<void, RunnerNotReady>()
    const ends = yield* Deferred.make<RunnerEnd>()
    const child = fork(process.argv[1] ?? "", process.argv.slice(2), {
      env: { ...process.env, [PLACE_VARIABLE]: String(place), [ADDRESS_VARIABLE]: `${port} ${host}` },
      detached: true
    })
    const taker: Taker<Socket> = {
      give: (number, connection) => {
        const message: GivenConnection = { realms: "connection", number }
        // What cannot be sent was not taken: that is found out when the process has ended.
        child.send(message, connection, { keepOpen: true }, () => undefined)
      }
    }
    child.on("message", (received) => {
      const message = readRunnerMessage(received)
      if (message?.realms === "taken") return connections.taken(taker, message.number)
      if (message?.realms === "leaving") return connections.leave(taker)
      if (message?.realms !== "ready") return
      connections.join(taker)
      Deferred.doneUnsafe(isReady, Effect.void)
    })
    const end = (how: RunnerEnd) => {
      connections.leave(taker)
      const message = `runner ${place} ended with ${how} before it was ready`
      Deferred.doneUnsafe(isReady, Effect.fail(new RunnerNotReady({ message })))
      Deferred.doneUnsafe(ends, Effect.succeed(how))
    }
    child.once("exit", (code, signal) => end(signal ?? code ?? "an unknown end"))
    child.on("error", (error) => {
      // Without a number it could not even be started.
      if (child.pid === undefined) end(error.message)
    })

    const ended = Deferred.await(ends)
    const signal = (name: NodeJS.Signals) => Effect.sync(() => void child.kill(name))
    return {
      place,
      pid: child.pid ?? 0,
      ready: Deferred.await(isReady).pipe(Effect.timeoutOrElse({
        duration: READY_MS_MAX,
        orElse: () =>
          Effect.fail(new RunnerNotReady({ message: `runner ${place} was not ready in ${READY_MS_MAX / 1_000} s` }))
      })),
      ended,
      stop: Effect.fnUntraced(function*(waitMs: number) {
        connections.leave(taker)
        yield* signal("SIGTERM")
        const stopped = yield* Effect.timeoutOption(ended, waitMs)
        if (Option.isSome(stopped)) return stopped.value
        yield* Effect.logError(`runner ${place} did not stop in ${waitMs / 1_000} s and is ended`)
        yield* signal("SIGKILL")
        return yield* ended
      })
    }
  })
