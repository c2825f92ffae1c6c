/**
 * Bounds the requests that a client sends ahead on one connection. Each waits for the answers before it, and is in memory meanwhile;
 * hardly any client does so, and none by the thousand.
 *
 * @internal
 */
import type { IncomingMessage, ServerResponse } from "node:http"
import type { Socket } from "node:net"

/** Requests of one connection that wait for the answers before them, at most. A connection with more is cut. */
const AHEAD_MAX = 64

export class Pipelining {
  private readonly ahead = new WeakMap<Socket, number>()

  /** Counts a request; false when its connection is cut. */
  admits({ socket }: IncomingMessage, response: ServerResponse): boolean {
    // Its answer has the connection where no other is under way.
    if (response.socket !== null) return true
    const count = (this.ahead.get(socket) ?? 0) + 1
    if (socket.destroyed) return false
    if (count > AHEAD_MAX) {
      socket.destroy()
      return false
    }
    this.ahead.set(socket, count)
    response.once("socket", () => this.ahead.set(socket, (this.ahead.get(socket) ?? 1) - 1))
    return true
  }
}
