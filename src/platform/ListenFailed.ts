/**
 * Listens on an address, or says why that is not possible.
 */
import { Data, Effect } from "effect"
import type { Server } from "node:net"

/** The address could not be listened on. */
export class ListenFailed extends Data.TaggedError("ListenFailed")<{ readonly message: string }> {}

/** Connections that wait to be accepted, at most: those of a burst beyond it come back only after a second or more. */
const BACKLOG_MAX = 4_096

/** Answers the port, which is another one for port 0. */
export const listen = (server: Server, host: string, port: number): Effect.Effect<number, ListenFailed> =>
  Effect.callback((resume) => {
    server.once(
      "error",
      (error) => resume(Effect.fail(new ListenFailed({ message: messageOf(error, host, port) })))
    )
    server.listen({ port, host, backlog: BACKLOG_MAX }, () => {
      const address = server.address()
      resume(Effect.succeed(typeof address === "object" && address !== null ? address.port : port))
    })
  })

const messageOf = (error: Error, host: string, port: number): string =>
  "code" in error && error.code === "EADDRINUSE"
    ? `${host}:${port} is already in use. Stop what listens there, or set PORT (or server.port) to another port.`
    : `cannot listen on ${host}:${port}: ${error.message}`
