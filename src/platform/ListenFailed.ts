/**
 * Listens on an address, or says why that is not possible.
 */
import { Data, Effect } from "effect"
import type { Server } from "node:net"
import { makeSparingLog } from "./SparingLog.ts"

/** The address could not be listened on. */
export class ListenFailed extends Data.TaggedError("ListenFailed")<{ readonly message: string }> {}

/** Connections that wait to be accepted, at most: those of a burst beyond it come back only after a second or more. */
const BACKLOG_MAX = 4_096

/** Answers the port, which is another one for port 0. A connection that cannot be accepted later on is logged, and ends nothing. */
export const listen = Effect.fnUntraced(function*(server: Server, host: string, port: number) {
  const run = Effect.runForkWith(yield* Effect.context<never>())
  const log = yield* makeSparingLog<"accept">("a connection could not be accepted")
  const bound = yield* Effect.callback<number, ListenFailed>((resume) => {
    const fail = (error: Error): void =>
      resume(Effect.fail(new ListenFailed({ message: messageOf(error, host, port) })))
    server.once("error", fail)
    server.listen({ port, host, backlog: BACKLOG_MAX }, () => {
      server.removeListener("error", fail)
      const address = server.address()
      resume(Effect.succeed(typeof address === "object" && address !== null ? address.port : port))
    })
  })
  server.on("error", (error) => void run(log("accept", { error: error.message })))
  return bound
})

const messageOf = (error: Error, host: string, port: number): string =>
  "code" in error && error.code === "EADDRINUSE"
    ? `${host}:${port} is already in use. Stop what listens there, or set PORT (or server.port) to another port.`
    : `cannot listen on ${host}:${port}: ${error.message}`
