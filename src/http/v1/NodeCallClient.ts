/**
 * A call's client over Node's HTTP server.
 *
 * @internal
 */
import type { ServerResponse } from "node:http"
import type { CallClient } from "../../gateway/CallClient.ts"

/** The last bytes of an answer have to be taken within this time. */
const LAST_BYTES_MS_MAX = 60_000

export class NodeCallClient implements CallClient {
  onDrain: () => void = () => undefined
  onGone: () => void = () => undefined
  private readonly response: ServerResponse
  private gone = false

  constructor(response: ServerResponse) {
    this.response = response
    response.on("drain", () => this.onDrain())
    response.on("close", () => {
      if (this.gone) return
      this.gone = true
      if (!response.writableFinished) this.onGone()
    })
    // A reset arrives as an error and then as a close; the close tells.
    response.on("error", () => undefined)
  }

  get isGone(): boolean {
    return this.gone || this.response.destroyed
  }

  start(status: number, headers: Readonly<Record<string, string>>): void {
    if (!this.isGone && !this.response.headersSent) this.response.writeHead(status, headers)
  }

  write(bytes: Uint8Array | string): boolean {
    return this.isGone || this.response.write(bytes)
  }

  end(bytes?: Uint8Array | string): void {
    if (this.isGone) return
    if (bytes === undefined) this.response.end()
    else this.response.end(bytes)
    if (this.response.writableLength === 0) return
    // A client that does not take the end of its answer does not keep it for ever.
    const timer = setTimeout(() => this.response.destroy(), LAST_BYTES_MS_MAX).unref()
    this.response.once("close", () => clearTimeout(timer))
  }

  destroy(): void {
    this.response.destroy()
  }
}
