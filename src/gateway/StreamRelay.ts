/**
 * Relays one stream from upstream to client, byte for byte and with back-pressure, while a scanner finds the frames that
 * matter. What the durable hold does not cover is kept back until it does; the terminal frame is kept back until the
 * money is settled. Plain callbacks: one write for each piece that arrives.
 *
 * @internal
 */
import type { CallClient } from "./CallClient.ts"
import type { Dialect } from "./CallRequest.ts"
import type { BodySink, Exchange } from "./Exchange.ts"
import { SseScanner } from "./SseScanner.ts"
import { StreamBudget } from "./StreamBudget.ts"
import { StreamMeter } from "./StreamMeter.ts"

/** How a stream ended. `failed`: before a byte reached the client, so that another channel may be tried. */
export type StreamEnd =
  | "failed"
  | "complete"
  | "truncated"
  | "client_gone"
  | "insufficient_quota"
  | "key_limit_exceeded"
  | "service_unavailable"
  | "lease_lost"

export interface RelayOptions {
  readonly dialect: Dialect
  readonly client: CallClient
  readonly exchange: Exchange
  readonly wantsUsage: boolean
  readonly heldTokens: number
  readonly extendable: boolean
  /** Sends the headers; called right before the first byte. */
  readonly onFirstByte: () => void
  /** Asks for a larger hold; answered by `extended` or `refused`. */
  readonly onWantsMore: (relay: StreamRelay) => void
  /** Called once. */
  readonly onDone: (end: StreamEnd) => void
  /** Schedules a callback; answers how to cancel it. */
  readonly after: (delayMs: number, callback: () => void) => () => void
  readonly extendWaitMs: number
  readonly drainOnDisconnect: () => boolean
}

/** After the account could not be reached an extension is asked for again. */
const ASK_AGAIN_MS = 100

/** A client that takes nothing for so long is gone. */
const CLIENT_STALL_MS_MAX = 60_000

/** Reading on for exact usage after the client left takes no longer. */
const DRAIN_MS_MAX = 60_000

/** A response whose terminal frame has come may take so long to end. */
const LINGER_MS_MAX = 2_000

export class StreamRelay implements BodySink {
  readonly meter: StreamMeter
  readonly budget: StreamBudget
  /** The frame that ends the stream, kept back until the money is settled, with what came with it. */
  terminal: Array<Uint8Array> = []
  private readonly options: RelayOptions
  private readonly scanner = new SseScanner()
  private held: Array<Uint8Array> = []
  private started = false
  private done = false
  private asking = false
  private refusedBecause: "insufficient_quota" | "key_limit_exceeded" | undefined
  /** How the upstream ended while frames were held. */
  private ended: "whole" | "cut" | undefined
  private clientFull = false
  private draining = false
  private stallTimer: (() => void) | undefined
  private extendTimer: (() => void) | undefined
  private drainTimer: (() => void) | undefined

  constructor(options: RelayOptions) {
    this.options = options
    this.meter = new StreamMeter(options.dialect)
    this.budget = new StreamBudget({
      heldTokens: options.heldTokens,
      extendable: options.extendable,
      count: () => this.meter.estimateOutputTokens()
    })
  }

  /** True once a byte has gone to the client. */
  get hasStarted(): boolean {
    return this.started
  }

  run(): void {
    this.options.client.onDrain = () => this.drained()
    this.options.client.onGone = () => this.clientGone()
    if (this.options.client.isGone) this.clientGone()
    if (!this.done) this.options.exchange.attach(this)
  }

  onChunk(chunk: Buffer): void {
    if (this.done) return
    const scanned = this.scanner.push(chunk)
    if (scanned === "overflow") return this.finish(this.started ? "truncated" : "failed")
    const out: Array<Uint8Array> = []
    for (const frame of scanned) {
      if (this.terminal.length > 0) {
        this.terminal.push(frame.raw)
        continue
      }
      const seen = this.meter.observe(frame)
      if (seen.kind === "error") {
        // An upstream's own words may name what is the operator's; the client gets ours.
        this.send(out)
        return this.finish(this.started || this.held.length > 0 ? "truncated" : "failed")
      }
      if (seen.kind === "terminal") {
        this.terminal.push(frame.raw)
      } else if (seen.kind !== "usage-only" || this.options.wantsUsage) {
        this.budget.observe(this.meter.runningTokens)
        if (this.held.length > 0 || (seen.outputDelta > 0 && this.budget.isExceeded)) this.held.push(frame.raw)
        else out.push(frame.raw)
      }
    }
    this.send(out)
    this.checkBudget()
    if (this.terminal.length > 0 && this.held.length === 0) this.finish("complete")
  }

  private send(frames: ReadonlyArray<Uint8Array>): void {
    const [first] = frames
    if (first === undefined || this.draining) return
    if (!this.started) {
      this.started = true
      this.options.onFirstByte()
    }
    if (!this.options.client.write(frames.length === 1 ? first : Buffer.concat(frames))) {
      this.clientFull = true
      this.options.exchange.pause()
      this.stallTimer ??= this.options.after(CLIENT_STALL_MS_MAX, () => this.clientGone())
    }
  }

  private checkBudget(): void {
    if (this.done) return
    if (this.held.length > 0) {
      if (this.refusedBecause !== undefined) return this.finish(this.refusedBecause)
      this.options.exchange.pause()
      this.extendTimer ??= this.options.after(this.options.extendWaitMs, () => this.finish("service_unavailable"))
    }
    if (!this.asking && this.refusedBecause === undefined && this.budget.wantsMore) this.ask()
  }

  private ask(): void {
    if (this.done) return
    this.asking = true
    this.options.onWantsMore(this)
  }

  /** The hold now covers `heldTokens` output tokens. */
  extended(heldTokens: number): void {
    if (this.done) return
    this.asking = false
    if (heldTokens <= this.budget.heldTokens) return this.refused("insufficient_quota")
    this.budget.extended(heldTokens)
    if (this.held.length > 0) {
      if (this.budget.isExceeded) return this.checkBudget()
      this.extendTimer?.()
      this.extendTimer = undefined
      const held = this.held
      this.held = []
      this.send(held)
    }
    if (this.terminal.length > 0) return this.finish("complete")
    if (this.ended !== undefined) return this.finishEnded(this.ended)
    this.checkBudget()
    if (!this.clientFull && !this.done) this.options.exchange.resume()
  }

  /** The hold can not be raised: what it covers still goes out. For a passing reason it is asked again. */
  refused(because: "insufficient_quota" | "key_limit_exceeded" | "service_unavailable"): void {
    if (this.done) return
    if (because === "service_unavailable") {
      // The wait for the extension has its own end.
      this.options.after(ASK_AGAIN_MS, () => {
        this.asking = false
        this.checkBudget()
      })
      return
    }
    this.asking = false
    this.refusedBecause = because
    if (this.held.length > 0) this.finish(because)
  }

  /** The reservation is not open any more. */
  lost(): void {
    this.finish("lease_lost")
  }

  /** The server is stopping. */
  stop(): void {
    this.finish("service_unavailable")
  }

  private drained(): void {
    if (this.done || !this.clientFull) return
    this.clientFull = false
    this.stallTimer?.()
    this.stallTimer = undefined
    if (this.held.length === 0) this.options.exchange.resume()
  }

  private clientGone(): void {
    if (this.done || this.draining) return
    if (this.terminal.length === 0 && this.options.drainOnDisconnect()) {
      this.draining = true
      this.drainTimer = this.options.after(DRAIN_MS_MAX, () => this.finish("client_gone"))
      if (!this.clientFull) return
      this.clientFull = false
      return this.options.exchange.resume()
    }
    this.finish("client_gone")
  }

  onEnd(): void {
    if (this.done) return
    const last = this.scanner.tailFrame()
    const tail = this.scanner.flush()
    if (last !== undefined && this.meter.observe(last).kind === "terminal") {
      // The blank line after a last `[DONE]` is often left out.
      this.terminal.push(Buffer.from(last.raw))
      return this.held.length === 0 ? this.finish("complete") : this.checkBudget()
    }
    // Some upstreams end without a terminal frame: with usage seen and no frame cut, nothing is missing.
    this.finishEnded(tail.length === 0 && this.meter.hasUsage ? "whole" : "cut")
  }

  onError(): void {
    if (!this.done) this.finishEnded("cut")
  }

  /** The upstream has ended; frames that wait for an extension are decided first. */
  private finishEnded(how: "whole" | "cut"): void {
    if (this.held.length > 0 && !this.draining) {
      this.ended = how
      return this.checkBudget()
    }
    if (this.draining) return this.finish("client_gone")
    if (!this.started) return this.finish("failed")
    this.finish(how === "whole" ? "complete" : "truncated")
  }

  private finish(end: StreamEnd): void {
    if (this.done) return
    this.done = true
    this.stallTimer?.()
    this.extendTimer?.()
    this.drainTimer?.()
    if (end === "complete") {
      // After its terminal frame an upstream ends the response at once; one that does not is cut off.
      this.options.after(LINGER_MS_MAX, () => this.options.exchange.abort())
      this.options.exchange.discard()
    } else {
      this.options.exchange.abort()
    }
    this.options.client.onDrain = () => undefined
    this.options.client.onGone = () => undefined
    this.options.onDone(end)
  }
}
