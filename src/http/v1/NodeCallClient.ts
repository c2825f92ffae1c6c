/**
 * A call's client over Node's HTTP server. A client that takes nothing for too long while something waits for it is gone; one
 * that reads slowly is not.
 *
 * @internal
 */
import type { ServerResponse } from "node:http"
import type { CallClient } from "../../gateway/CallClient.ts"
import type { ClientWatch, Watched } from "./ClientWatch.ts"

export class NodeCallClient implements CallClient {
  onDrain: () => void = () => undefined
  onGone: () => void = () => undefined
  onDone: () => void = () => undefined
  private readonly response: ServerResponse
  private readonly watch: ClientWatch
  private readonly headers: Readonly<Record<string, string>>
  private watched: Watched | undefined
  private gone = false

  /** `headers`: what the answer carries besides its own; given with them, they cost the least. */
  constructor(response: ServerResponse, watch: ClientWatch, headers: Readonly<Record<string, string>> = {}) {
    this.response = response
    this.watch = watch
    this.headers = headers
    response.on("drain", () => {
      this.unwatch()
      this.onDrain()
    })
    response.on("finish", () => this.unwatch())
    response.on("close", () => {
      this.unwatch()
      if (this.gone) return
      this.gone = true
      if (!response.writableFinished) this.onGone()
      this.onDone()
    })
    // A reset arrives as an error and then as a close; the close says it.
    response.on("error", () => undefined)
  }

  get isGone(): boolean {
    return this.gone || this.response.destroyed
  }

  start(status: number, headers: Readonly<Record<string, string>>): void {
    if (!this.isGone && !this.response.headersSent) this.response.writeHead(status, { ...this.headers, ...headers })
  }

  write(bytes: Uint8Array | string): boolean {
    if (this.isGone) return true
    const takesMore = this.response.write(bytes)
    if (!takesMore) this.watchProgress()
    return takesMore
  }

  end(bytes?: Uint8Array | string): void {
    if (this.isGone) return
    if (bytes === undefined) this.response.end()
    else this.response.end(bytes)
    // The end of an answer is not kept for ever either.
    if (this.response.writableLength > 0) this.watchProgress()
  }

  destroy(): void {
    this.response.destroy()
  }

  /** Breaks off when the client takes nothing any more; its close is then word of its leaving. */
  private watchProgress(): void {
    const { socket } = this.response
    if (this.watched !== undefined || socket === null) return
    this.watched = { socket, onStalled: () => void this.response.destroy() }
    this.watch.add(this.watched)
  }

  private unwatch(): void {
    if (this.watched !== undefined) this.watch.remove(this.watched)
    this.watched = undefined
  }
}
