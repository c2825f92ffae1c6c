/**
 * One request to an upstream over Undici, as a dispatch handler. Headers are reported once. The body goes to the sink that is
 * attached; until then the connection is paused, so that what is buffered stays bounded.
 *
 * @internal
 */
import type { Dispatcher } from "undici"
import type { AnswerSource } from "./AnswerSource.ts"
import { HeldBody, noSink } from "./HeldBody.ts"

type Headers = Readonly<Record<string, string | ReadonlyArray<string> | undefined>>

export class Exchange extends HeldBody implements Dispatcher.DispatchHandler, AnswerSource {
  status = 0
  /** True once the request has begun to go upstream. */
  isSent = false
  headers: Headers = {}
  private readonly onHeaders: (exchange: Exchange) => void
  private readonly onFailure: (error: Error) => void
  private controller: Dispatcher.DispatchController | undefined
  private aborted = false
  private paused = false

  constructor(onHeaders: (exchange: Exchange) => void, onFailure: (error: Error) => void) {
    super()
    this.onHeaders = onHeaders
    this.onFailure = onFailure
  }

  /** True once this side has closed it. */
  get isAborted(): boolean {
    return this.aborted
  }

  /** A response header's first value. */
  header(name: string): string | undefined {
    const value = this.headers[name]
    return typeof value === "string" ? value : value?.[0]
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.controller = controller
    if (this.aborted) controller.abort(new Error("aborted"))
    else this.isSent = true
  }

  onResponseStart(_: Dispatcher.DispatchController, status: number, headers: Headers): void {
    if (status < 200) return
    this.status = status
    this.headers = headers
    this.onHeaders(this)
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (this.sink !== undefined) return this.sink.onChunk(chunk)
    this.early.push(chunk)
    controller.pause()
  }

  onResponseEnd(): void {
    this.ended = true
    this.sink?.onEnd()
  }

  onResponseError(_: Dispatcher.DispatchController | undefined, error: Error): void {
    this.failure = error
    if (this.status === 0) this.onFailure(error)
    else this.sink?.onError(error)
  }

  pause(): void {
    this.paused = true
    if (!this.ended && this.failure === undefined) this.controller?.pause()
  }

  resume(): void {
    this.paused = false
    if (!this.ended && this.failure === undefined) this.controller?.resume()
  }

  discard(): void {
    this.paused = false
    this.attach(noSink)
  }

  abort(): void {
    if (this.aborted || this.ended || this.failure !== undefined) return
    this.aborted = true
    this.controller?.abort(new Error("aborted"))
  }

  protected flow(): void {
    if (!this.paused) this.controller?.resume()
  }
}
