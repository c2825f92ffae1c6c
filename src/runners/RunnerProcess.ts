/**
 * One runner as its supervisor sees it: a process of the same command. Effects tell when it takes connections and when it has ended.
 *
 * @internal
 */
import { Data, Deferred, Effect, Option } from "effect"
import { type ChildProcess, fork } from "node:child_process"
import type { Socket } from "node:net"
import type { Connections, Taker } from "./Connections.ts"
import { ADDRESS_VARIABLE, PLACE_VARIABLE, readRunnerMessage, type SupervisorMessage } from "./RunnerMessage.ts"

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
  /** The same for one whose place another runner has taken: its open calls have more time. */
  retire(waitMs: number): Effect.Effect<RunnerEnd>
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
    const end = (how: RunnerEnd) => {
      connections.ended(taker)
      const message = `runner ${place} ended with ${how} before it was ready`
      Deferred.doneUnsafe(isReady, Effect.fail(new RunnerNotReady({ message })))
      Deferred.doneUnsafe(ends, Effect.succeed(how))
    }
    let child: ChildProcess | undefined
    const send = (message: SupervisorMessage, connection?: Socket): void => {
      // What cannot be sent is not taken. It is given to another runner when this one has ended.
      child?.send(message, connection, { keepOpen: true }, () => undefined)
    }
    const taker: Taker<Socket> = { give: (number, connection) => send({ realms: "connection", number }, connection) }
    const leave = (): void => {
      connections.leave(taker)
      send({ realms: "last" })
    }
    const forked = yield* Effect.result(Effect.try({
      try: () =>
        fork(process.argv[1] ?? "", process.argv.slice(2), {
          env: { ...process.env, [PLACE_VARIABLE]: String(place), [ADDRESS_VARIABLE]: `${port} ${host}` },
          detached: true
        }),
      // The system has no memory or no process to give.
      catch: (cause) => cause instanceof Error ? cause.message : String(cause)
    }))
    if (forked._tag === "Failure") end(forked.failure)
    else {
      const started = child = forked.success
      started.on("message", (received) => {
        const message = readRunnerMessage(received)
        if (message?.realms === "taken") return connections.taken(taker, message.number)
        if (message?.realms === "leaving") return leave()
        if (message?.realms !== "ready") return
        connections.join(taker)
        Deferred.doneUnsafe(isReady, Effect.void)
      })
      started.once("exit", (code, signal) => end(signal ?? code ?? "an unknown end"))
      started.on("error", (error) => {
        // Without a pid it was not started, and no exit follows.
        if (started.pid === undefined) end(error.message)
      })
    }

    const ended = Deferred.await(ends)
    const signal = (name: NodeJS.Signals) => Effect.sync(() => void child?.kill(name))
    /** Waits for the end of one that was asked to stop. */
    const awaitEnd = Effect.fnUntraced(function*(waitMs: number) {
      const stopped = yield* Effect.timeoutOption(ended, waitMs)
      if (Option.isSome(stopped)) return stopped.value
      yield* Effect.logError(`runner ${place} did not stop in ${waitMs / 1_000} s and is ended`)
      yield* signal("SIGKILL")
      return yield* ended
    })
    return {
      place,
      pid: child?.pid ?? 0,
      ready: Deferred.await(isReady).pipe(Effect.timeoutOrElse({
        duration: READY_MS_MAX,
        orElse: () =>
          Effect.fail(new RunnerNotReady({ message: `runner ${place} was not ready in ${READY_MS_MAX / 1_000} s` }))
      })),
      ended,
      stop: (waitMs) => Effect.andThen(signal("SIGTERM"), awaitEnd(waitMs)),
      // One that takes no connections yet has no calls, and does not read messages.
      retire: (waitMs) =>
        Effect.andThen(
          Effect.suspend(() =>
            Deferred.isDoneUnsafe(isReady) ? Effect.sync(() => send({ realms: "replaced" })) : signal("SIGTERM")
          ),
          awaitEnd(waitMs)
        )
    }
  })
