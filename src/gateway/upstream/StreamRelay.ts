/**
 * Relays one stream from upstream to client, byte for byte and with back-pressure. Frames without output are kept back until
 * the first output comes, so that a stream that fails before can be tried elsewhere. What the hold does not cover waits until
 * the extension is durable. From the frame in which the answer ends, everything is kept back until the money is settled.
 * Plain callbacks: one write for each piece that arrives.
 *
 * @internal
 */
import type { HowEnded } from "../CallEnd.ts"
import type { FrameFailure } from "../meter/FrameFailure.ts"
import type { SseFrame } from "../meter/SseScanner.ts"
import { SseScanner } from "../meter/SseScanner.ts"
import type { StreamBudget } from "../meter/StreamBudget.ts"
import type { Observation, StreamMeter } from "../meter/StreamMeter.ts"
import type { Reply } from "../Reply.ts"
import type { StopReason } from "../StopSignal.ts"
import type { AnswerSource, BodySink } from "./AnswerSource.ts"
import { QuietStream } from "./QuietStream.ts"

export type RelayEnd =
  /** Before any output: another channel may be tried. */
  | { readonly _tag: "Failed"; readonly failure: FrameFailure | undefined; readonly why: string }
  | { readonly _tag: "Ended"; readonly how: HowEnded }

export interface RelayOptions {
  readonly reply: Reply
  readonly source: AnswerSource
  readonly meter: StreamMeter
  readonly budget: StreamBudget
  readonly wantsUsage: boolean
  /** Called once, before the first output goes out. */
  readonly onFirstOutput: () => void
  /** Asks for a larger hold; answered by `extended` or `refused`. */
  readonly onWantsMore: (relay: StreamRelay) => void
  /** Called once. */
  readonly onDone: (end: RelayEnd) => void
  /** Schedules a callback; answers how to cancel it. */
  readonly after: (delayMs: number, callback: () => void) => () => void
  readonly extendWaitMs: number
  /** How long the upstream is read on after the client left, in milliseconds; 0: not at all. Asked once. */
  readonly drainMs: () => number
}

/** After the account could not be reached an extension is asked for again. */
const ASK_AGAIN_MS = 100

/** Frames without output that are kept back before the first output, at most. */
export const QUIET_BYTES_MAX = 16 * 1024 * 1024

/** Usage is awaited for so long after the frame in which the answer ended. */
export const USAGE_WAIT_MS = 2_000

/** A response whose last event has come may take so long to end. */
const LINGER_MS_MAX = 2_000

/** `quiet`: no output yet. `flowing`: output goes to the client. `ending`: the answer has ended, its usage may still come. */
type Phase = "quiet" | "flowing" | "ending"

export class StreamRelay implements BodySink {
  readonly meter: StreamMeter
  readonly budget: StreamBudget
  /** The end of the answer, kept back until the money is settled. */
  tail: Array<Uint8Array> = []
  private readonly options: RelayOptions
  private readonly scanner = new SseScanner()
  private readonly quiet = new QuietStream()
  private phase: Phase = "quiet"
  private quietBytes = 0
  /** Frames that wait for a larger hold. */
  private waiting: Array<Uint8Array> = []
  private done = false
  private sawDone = false
  /** The terminal event of a response came. */
  private sawTerminal = false
  /** There is output in `tail`: the answer ended with it. */
  private tailHasOutput = false
  /** The output in `tail` is more than the hold covers. */
  private tailExceeds = false
  private asking = false
  private refusedBecause: "insufficient_quota" | "key_limit_exceeded" | undefined
  /** How the upstream ended, once it has. */
  private upstreamEnd: "whole" | "cut" | undefined
  /** The time for the usage has passed, while something waited for a larger hold. */
  private usageAwaited = false
  private clientFull = false
  private clientLeft = false
  private extendTimer: (() => void) | undefined
  private drainTimer: (() => void) | undefined
  private usageTimer: (() => void) | undefined

  constructor(options: RelayOptions) {
    this.options = options
    this.meter = options.meter
    this.budget = options.budget
  }

  run(): void {
    this.options.reply.client.onDrain = () => this.drained()
    this.options.source.attach(this)
  }

  onChunk(chunk: Buffer): void {
    if (this.done) return
    const scanned = this.scanner.push(chunk)
    if (scanned === "overflow") return this.broken("a frame of the upstream is too large")
    const out: Array<Uint8Array> = []
    for (const frame of scanned) {
      if (!this.take(frame, out)) return
    }
    this.send(out)
    this.checkBudget()
  }

  /** Sorts one frame; false when the stream has ended with it. */
  private take(frame: SseFrame, out: Array<Uint8Array>): boolean {
    const seen = this.meter.observe(frame)
    if (seen.failure !== undefined) {
      this.send(out)
      this.failed(seen.failure)
      return false
    }
    if (seen.isOutput && this.phase !== "flowing") this.flow(out)
    if (this.phase === "quiet" && !seen.done) this.quiet.note(frame)
    if (seen.done) this.sawDone = true
    if (seen.terminal) this.sawTerminal = true
    const ends = seen.finishes || seen.done || seen.terminal
    if (ends && this.phase !== "ending") this.beginEnd()
    if (!this.isShown(frame, seen)) return true
    if (this.phase === "flowing") this.show(frame, seen, out)
    else this.keepBack(frame, seen)
    if (this.phase === "quiet" && this.quietBytes > QUIET_BYTES_MAX) {
      this.broken("the upstream sends no output")
      return false
    }
    if (!seen.terminal || this.isHeld) return true
    this.send(out)
    this.finish("complete")
    return false
  }

  /** Something waits for a larger hold. */
  private get isHeld(): boolean {
    return this.waiting.length > 0 || this.tailExceeds
  }

  /** The usage frame is for those who asked; an upstream's comments say nothing before there is output. */
  private isShown(frame: SseFrame, seen: Observation): boolean {
    if (seen.isUsageOnly) return this.options.wantsUsage
    return this.phase !== "quiet" || frame.data !== undefined
  }

  /** Output has come, for the first time or after what looked like the end: what was kept back goes out. */
  private flow(out: Array<Uint8Array>): void {
    if (this.phase === "quiet") this.options.onFirstOutput()
    this.usageTimer?.()
    this.usageTimer = undefined
    this.usageAwaited = false
    this.phase = "flowing"
    if (this.waiting.length > 0) this.waiting.push(...this.tail)
    else out.push(...this.tail)
    this.tail = []
    this.tailHasOutput = false
  }

  private beginEnd(): void {
    this.phase = "ending"
    this.usageTimer = this.options.after(USAGE_WAIT_MS, () => this.settleEnd())
  }

  private show(frame: SseFrame, seen: Observation, out: Array<Uint8Array>): void {
    const waits = this.waiting.length > 0 || (seen.isOutput && this.budget.isExceeded)
    if (waits) this.waiting.push(frame.raw)
    else out.push(frame.raw)
  }

  private keepBack(frame: SseFrame, seen: Observation): void {
    this.tail.push(frame.raw)
    if (seen.isOutput) this.tailHasOutput = true
    if (seen.isOutput && this.budget.isExceeded) this.tailExceeds = true
    if (this.phase === "quiet") this.quietBytes += frame.raw.length
  }

  private send(frames: ReadonlyArray<Uint8Array>): void {
    if (frames.length === 0 || this.clientLeft) return
    if (!this.options.reply.write(frames)) {
      this.clientFull = true
      this.options.source.pause()
    }
  }

  private checkBudget(): void {
    if (this.done) return
    if (this.budget.ignoresLimit) return this.finish("limit_ignored")
    if (this.isHeld) {
      if (this.refusedBecause !== undefined) return this.finish(this.refusedBecause)
      this.options.source.pause()
      this.extendTimer ??= this.options.after(this.options.extendWaitMs, () => this.finish("extension_unavailable"))
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
    if (this.isHeld) {
      if (this.budget.isExceeded) return this.checkBudget()
      this.tailExceeds = false
      this.extendTimer?.()
      this.extendTimer = undefined
      const waiting = this.waiting
      this.waiting = []
      this.send(waiting)
    }
    if (this.sawTerminal) return this.finish("complete")
    if (this.upstreamEnd !== undefined) return this.endOf(this.upstreamEnd)
    if (this.usageAwaited) return this.settleEnd()
    this.checkBudget()
    if (!this.clientFull && !this.done) this.options.source.resume()
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
    if (this.isHeld) this.finish(because)
  }

  /** Ends the stream from outside. */
  stop(reason: StopReason): void {
    if (this.done) return
    if (reason !== "client_gone") return this.finish(reason)
    if (this.clientLeft) return
    this.clientLeft = true
    // What looks like the end is waited for: leaving at the last word pays what was used.
    const drainMs = this.phase === "ending" ? USAGE_WAIT_MS : this.options.drainMs()
    if (drainMs <= 0) return this.finish("client_gone")
    this.drainTimer = this.options.after(drainMs, () => this.finish("client_gone"))
    this.clientFull = false
    if (!this.isHeld) this.options.source.resume()
  }

  private drained(): void {
    if (this.done || !this.clientFull) return
    this.clientFull = false
    if (!this.isHeld) this.options.source.resume()
  }

  onEnd(): void {
    if (this.done) return
    const last = this.scanner.tailFrame()
    if (last !== undefined) {
      // The blank line behind a last frame is often left out.
      const out: Array<Uint8Array> = []
      if (!this.take({ ...last, raw: Buffer.from(last.raw) }, out)) return
      this.send(out)
      this.checkBudget()
      if (this.done) return
    }
    this.endOf("whole")
  }

  onError(): void {
    if (!this.done) this.endOf("cut")
  }

  /** The upstream has ended; frames that wait for a larger hold are decided first. */
  private endOf(how: "whole" | "cut"): void {
    this.upstreamEnd = how
    if (this.isHeld) return this.checkBudget()
    if (this.isDone || (how === "whole" && (this.phase === "ending" || this.meter.isWhole))) return this.settleEnd()
    this.broken(how === "whole" ? "the upstream's answer has no end" : "the upstream's connection was cut")
  }

  /** The answer has ended, with its usage or without. `[DONE]` alone, with neither output nor a reason to finish, is no answer. */
  private settleEnd(): void {
    if (this.done) return
    if (this.isHeld) {
      this.usageAwaited = true
      return this.checkBudget()
    }
    if (!this.meter.hasOutput && !this.meter.isFinished && !this.meter.isWhole) {
      return this.broken("the upstream's answer is empty")
    }
    this.finish("complete")
  }

  /** Output and `[DONE]`: complete, whatever comes behind it. */
  private get isDone(): boolean {
    return this.sawDone && this.meter.hasOutput
  }

  private failed(failure: FrameFailure): void {
    if (this.isDone && !this.isHeld) return this.settleEnd()
    if (this.meter.hasOutput) return this.finishAfterOutput("failed")
    this.close()
    this.options.source.abort()
    this.options.onDone({ _tag: "Failed", failure, why: "the upstream's stream failed" })
  }

  private broken(why: string): void {
    if (this.meter.hasOutput) return this.finishAfterOutput("cut")
    this.close()
    this.options.source.abort()
    this.options.onDone({ _tag: "Failed", failure: this.quiet.failure(), why })
  }

  /** All output is charged, so all of it is delivered: that with which the answer seemed to end too. */
  private finishAfterOutput(how: "failed" | "cut"): void {
    if (this.tailHasOutput && !this.isHeld) this.send(this.tail)
    this.finish(how)
  }

  private finish(how: HowEnded): void {
    if (this.done) return
    this.close()
    if (how === "complete" && this.upstreamEnd === undefined && this.sawTerminal) {
      // After its last event an upstream ends the response at once; one that does not is cut off.
      this.options.after(LINGER_MS_MAX, () => this.options.source.abort())
      this.options.source.discard()
    } else if (this.upstreamEnd === undefined) {
      this.options.source.abort()
    }
    this.options.onDone({ _tag: "Ended", how })
  }

  private close(): void {
    this.done = true
    this.extendTimer?.()
    this.drainTimer?.()
    this.usageTimer?.()
    this.options.reply.client.onDrain = () => undefined
  }
}
