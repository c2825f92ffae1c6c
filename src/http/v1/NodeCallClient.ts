/**
 * A call's client over Node's HTTP server. A client that takes nothing for too long while something waits for it is gone; one
 * that reads slowly is not.
 *
 * @internal
 */
import type { ServerResponse } from "node:http"
import type { CallClient } from "../../gateway/CallClient.ts"
import type { ClientWatch, Watched } from "./ClientWatch.ts"

/** An answer up to this is written together with its headers, as one text: Node then writes once, and copies less. In bytes. */
const SHORT_BYTES_MAX = 16_384

const isShort = (bytes: Uint8Array | string): bytes is Buffer =>
  Buffer.isBuffer(bytes) && bytes.length > 0 && bytes.length <= SHORT_BYTES_MAX

const ignore = (): void => undefined

export class NodeCallClient implements CallClient {
  onDrain: () => void = () => undefined
  onGone: () => void = () => undefined
  onDone: () => void = () => undefined
  private readonly response: ServerResponse
  private readonly watch: ClientWatch
  private readonly headers: Readonly<Record<string, string>>
  private watched: Watched | undefined
  private gone = false
  private isFull = false

  /** `headers`: what the answer carries besides its own; given with them, they cost the least. */
  constructor(response: ServerResponse, watch: ClientWatch, headers: Readonly<Record<string, string>> = {}) {
    this.response = response
    this.watch = watch
    this.headers = headers
    // It is said when the answer is taken, too.
    response.on("close", () => {
      this.unwatch()
      if (this.gone) return
      this.gone = true
      if (!response.writableFinished) this.onGone()
      this.onDone()
    })
    // A reset arrives as an error and then as a close; the close says it.
    response.on("error", ignore)
  }

  get isGone(): boolean {
    return this.gone || this.response.destroyed
  }

  start(status: number, headers: Readonly<Record<string, string>>): void {
    if (this.isGone || this.response.headersSent) return
    const lines: Array<string> = []
    for (const name in this.headers) if (headers[name] === undefined) lines.push(name, this.headers[name] ?? "")
    for (const name in headers) lines.push(name, headers[name] ?? "")
    this.response.writeHead(status, lines)
  }

  write(bytes: Uint8Array | string): boolean {
    if (this.isGone) return true
    const takesMore = this.response.write(bytes)
    if (takesMore) return true
    this.awaitDrain()
    this.watchProgress()
    return false
  }

  end(bytes?: Uint8Array | string): void {
    if (this.isGone) return
    if (bytes === undefined) this.response.end()
    else if (isShort(bytes)) this.response.end(bytes.toString("latin1"), "latin1")
    else this.response.end(bytes)
    // The end of an answer is not kept for ever either.
    if (this.response.writableLength > 0) this.watchProgress()
  }

  destroy(): void {
    this.response.destroy()
  }

  /** Most clients take an answer as it comes, so that nothing listens before one does not. */
  private awaitDrain(): void {
    if (this.isFull) return
    this.isFull = true
    this.response.on("drain", () => {
      this.unwatch()
      this.onDrain()
    })
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
