/**
 * One request and its answer on the simulated upstream's side of the wire: it knows when the client is gone, waits for
 * time, gates and room in the socket, and writes frames as slowly, brokenly or oddly as the behaviour asks.
 */
/* oxlint-disable no-await-in-loop -- frames go out one after the other */
import { Buffer } from "node:buffer"
import type { IncomingMessage, ServerResponse } from "node:http"
import { clearTimeout, setTimeout } from "node:timers"
import type { UpstreamFrame } from "./UpstreamAnswer.ts"
import type { Behaviour } from "./UpstreamBehaviour.ts"
import type { UpstreamControl, UpstreamRequest } from "./UpstreamControl.ts"

/** A write larger than this is made in pieces, so that a client which left is noticed between them. */
const WRITE_BYTES_MAX = 64 * 1024

const lineEnds = { lf: "\n", crlf: "\r\n", cr: "\r" }

export class UpstreamExchange {
  readonly request: UpstreamRequest
  /** The bearer token of the request. */
  readonly key: string
  private readonly response: ServerResponse
  private readonly control: UpstreamControl
  private readonly recorded: boolean
  private gone = false
  private cutByUs = false
  private wake: (() => void) | undefined

  constructor(
    incoming: IncomingMessage,
    response: ServerResponse,
    body: Buffer,
    json: unknown,
    control: UpstreamControl,
    recorded: boolean
  ) {
    const { promise, resolve } = Promise.withResolvers<void>()
    this.response = response
    this.key = (incoming.headers.authorization ?? "").replace(/^Bearer /, "")
    this.control = control
    this.recorded = recorded
    this.request = {
      method: incoming.method ?? "",
      path: incoming.url ?? "",
      headers: incoming.headers,
      body,
      json,
      status: 0,
      framesSent: 0,
      tokensSent: 0,
      aborted: false,
      ended: false,
      closed: promise
    }
    control.seen++
    control.active++
    if (recorded) control.record(this.request)
    response.once("close", () => {
      this.closed()
      resolve()
    })
    if (recorded) control.changed()
  }

  private closed(): void {
    this.gone = true
    this.request.ended = true
    this.control.active--
    if (!this.response.writableFinished && !this.cutByUs) {
      this.request.aborted = true
      this.control.aborted++
    }
    this.wake?.()
    if (this.recorded) this.control.changed()
  }

  /** True when nobody listens any more. */
  get isGone(): boolean {
    return this.gone
  }

  /** Answers in one piece. */
  send(status: number, headers: { readonly [name: string]: string | number }, body: string | Buffer): void {
    if (this.gone) return
    this.request.status = status
    this.response.writeHead(status, { ...headers, "content-length": Buffer.byteLength(body) })
    this.response.end(body)
  }

  /** Sends the headers and half of the body, then closes the connection. */
  sendHalf(headers: { readonly [name: string]: string | number }, body: string): void {
    this.request.status = 200
    this.response.writeHead(200, { ...headers, "content-length": Buffer.byteLength(body) })
    this.response.write(body.slice(0, body.length / 2), () => this.cut())
  }

  /** Closes the connection without ceremony. */
  cut(): void {
    this.cutByUs = true
    this.response.destroy()
  }

  sleep(delayMs: number): Promise<void> {
    return this.pause((done) => {
      const timer = setTimeout(done, delayMs)
      return () => clearTimeout(timer)
    })
  }

  /** Waits for the gate to open. */
  gate(name: string): Promise<void> {
    return this.pause((done) => this.control.wait(name, done))
  }

  /** Waits for what `start` waits for, or for the client to leave. */
  private pause(start: (done: () => void) => () => void): Promise<void> {
    if (this.gone) return Promise.resolve()
    return new Promise((resolve) => {
      let cancel: () => void = () => undefined
      const done = () => {
        this.wake = undefined
        cancel()
        resolve()
      }
      this.wake = done
      cancel = start(done)
    })
  }

  startStream(headers: { readonly [name: string]: string }): void {
    this.request.status = 200
    this.response.writeHead(200, headers)
    this.response.flushHeaders()
  }

  /** Writes the frames in their time; false when the client left or the behaviour cut the stream. */
  async frames(frames: Iterable<UpstreamFrame>, behaviour: Behaviour): Promise<boolean> {
    const end = lineEnds[behaviour.eol ?? "lf"]
    const { cutAfter = Infinity, errorAfter = Infinity, frameDelay = 0, gate, gateAfter = Infinity } = behaviour
    for (const frame of frames) {
      if (this.request.framesSent >= Math.min(cutAfter, errorAfter)) break
      if (gate !== undefined && this.request.framesSent === gateAfter) await this.gate(gate)
      if (frameDelay > 0) await this.sleep(frameDelay)
      const event = frame.event === undefined ? "" : `event: ${frame.event}${end}`
      const wrote = this.write(`${event}data: ${frame.data}${end}${end}`, behaviour.split)
      if (wrote !== true) await wrote
      if (this.gone) return false
      this.request.framesSent++
      this.request.tokensSent += frame.tokens
      if (this.recorded) this.control.changed()
    }
    if (this.request.framesSent < cutAfter) return !this.gone
    // What was written is still to go out: a reset would take it along.
    await this.pause((done) => {
      this.response.write("", done)
      return () => undefined
    })
    this.cut()
    return false
  }

  /** Writes text; a promise when the socket is full, for when there is room again. */
  write(text: string, split?: number): true | Promise<void> {
    if (split === undefined && text.length <= WRITE_BYTES_MAX) return this.response.write(text) || this.drained()
    return this.writePieces(Buffer.from(text), split ?? WRITE_BYTES_MAX)
  }

  private async writePieces(bytes: Buffer, pieceBytes: number): Promise<void> {
    for (let at = 0; at < bytes.length && !this.gone; at += pieceBytes) {
      if (!this.response.write(bytes.subarray(at, at + pieceBytes))) await this.drained()
    }
  }

  private drained(): Promise<void> {
    return this.pause((done) => {
      this.response.once("drain", done)
      return () => this.response.off("drain", done)
    })
  }

  end(): void {
    if (!this.gone) this.response.end()
  }
}
