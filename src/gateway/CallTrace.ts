/**
 * The trace of one call: which trace it belongs to, and, where that is recorded, what its stages were and how long they took. Spans are
 * made when the call has ended, so that it waits for none of it. They carry ids, names, numbers and outcomes, and never a text of the
 * call.
 */
import { Context, Exit, Option, Tracer } from "effect"
import { randomBytes } from "node:crypto"
import type { Stage } from "./CallNotes.ts"
import { type TraceParent, writeTraceParent } from "./TraceParent.ts"

/** Attempts and stages of one call that are kept, at most. */
const PARTS_MAX = 40

const TRACE_ID_BYTES = 16
const SPAN_ID_BYTES = 8
const NANOS_PER_MS = 1_000_000

/** What a span says of its subject. */
export type SpanFacts = Readonly<Record<string, string | number | boolean>>

interface Part {
  readonly name: string
  readonly kind: Tracer.SpanKind
  readonly fromAt: number
  untilAt: number
  /** Given upstream as the parent of what it does. */
  readonly span: Tracer.Span | undefined
  facts: SpanFacts
  failed: boolean
}

/** Stages that are spans of their own; the time in between is ours. */
const spanNames: Readonly<Partial<Record<Stage, string>>> = { body: "read body", hold: "hold", commit: "commit" }

/** `performance.now()` as nanoseconds since the epoch. */
const nanosAt = (at: number): bigint => BigInt(Math.round((performance.timeOrigin + at) * NANOS_PER_MS))

const hex = (bytes: number): string => randomBytes(bytes).toString("hex")

class CallFailed extends Error {
  override readonly name = "CallFailed"
}

const failure = (why: string): Exit.Exit<never, CallFailed> => {
  const error = new CallFailed(why)
  // Where in our code a span was made says nothing of the call.
  error.stack = `CallFailed: ${why}`
  return Exit.fail(error)
}

export class CallTrace {
  readonly traceId: string
  private readonly root: Tracer.Span | undefined
  private readonly tracer: Tracer.Tracer
  private readonly parts: Array<Part> = []
  private readonly startedAt: number
  private attempt: Part | undefined
  private outputAt: number | undefined
  private isFirst = true

  /** `isRecorded`: its spans are kept; otherwise the trace is only passed on. */
  constructor(tracer: Tracer.Tracer, name: string, parent: TraceParent | undefined, isRecorded: boolean) {
    this.tracer = tracer
    this.startedAt = performance.now()
    const external = Option.map(Option.fromUndefinedOr(parent), (known) => Tracer.externalSpan(known))
    this.root = isRecorded ? this.make(name, "server", external, this.startedAt) : undefined
    this.traceId = this.root?.traceId ?? parent?.traceId ?? hex(TRACE_ID_BYTES)
  }

  get isRecorded(): boolean {
    return this.root !== undefined
  }

  /** The header of the request to the upstream, whose parent is this attempt. */
  get upstreamParent(): string {
    return writeTraceParent({
      traceId: this.traceId,
      spanId: this.attempt?.span?.spanId ?? hex(SPAN_ID_BYTES),
      sampled: this.isRecorded
    })
  }

  /** A stage is over. */
  passed(stage: Stage, fromAt: number, untilAt: number): void {
    if (this.root === undefined) return
    const name = this.isFirst ? "authenticate" : spanNames[stage]
    this.isFirst = false
    if (name !== undefined) {
      this.keep({ name, kind: "internal", fromAt, untilAt, span: undefined, facts: {}, failed: false })
    }
    if (stage !== "upstream" || this.attempt === undefined) return
    this.attempt.untilAt = untilAt
    if (this.outputAt === undefined) return
    this.keep({
      name: "relay",
      kind: "internal",
      fromAt: this.outputAt,
      untilAt,
      span: undefined,
      facts: {},
      failed: false
    })
    this.outputAt = undefined
  }

  /** An upstream attempt begins. */
  attempts(channel: string): void {
    if (this.root === undefined) return
    const fromAt = performance.now()
    const span = this.make("upstream", "client", Option.some(this.root), fromAt)
    const facts = { "realms.channel": channel }
    this.attempt = { name: "upstream", kind: "client", fromAt, untilAt: fromAt, span, facts, failed: false }
    this.keep(this.attempt)
  }

  /** The first output of the attempt has come. */
  gaveOutput(at: number): void {
    this.outputAt = at
  }

  /** The attempt is over, and another one may follow where it failed. */
  attemptEnded(failed: boolean): void {
    const { attempt } = this
    if (attempt === undefined) return
    attempt.failed = failed
    if (failed) attempt.untilAt = performance.now()
    this.attempt = undefined
  }

  /** The call is over: its spans go to the exporter. `failed`: why, where that was not its client's doing. */
  end(facts: SpanFacts, failed: string | undefined): void {
    const { root } = this
    if (root === undefined) return
    for (const part of this.parts) {
      const span = part.span ?? this.make(part.name, part.kind, Option.some(root), part.fromAt)
      for (const [name, value] of Object.entries(part.facts)) span.attribute(name, value)
      span.end(nanosAt(part.untilAt), part.failed ? failure("the attempt failed") : Exit.void)
    }
    for (const [name, value] of Object.entries(facts)) root.attribute(name, value)
    root.end(nanosAt(performance.now()), failed === undefined ? Exit.void : failure(failed))
  }

  private keep(part: Part): void {
    if (this.parts.length < PARTS_MAX) this.parts.push(part)
  }

  private make(
    name: string,
    kind: Tracer.SpanKind,
    parent: Option.Option<Tracer.AnySpan>,
    fromAt: number
  ): Tracer.Span {
    return this.tracer.span({
      name,
      parent,
      annotations: Context.empty(),
      links: [],
      startTime: nanosAt(fromAt),
      kind,
      root: Option.isNone(parent),
      sampled: true
    })
  }
}
