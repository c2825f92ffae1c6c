/**
 * Streams as chance makes them: every shape of output that upstreams are known for, ends of every kind at any frame, and usage in the
 * forms and at the places of many providers. Each comes with what a call of it has to cost, worked out from how it was made.
 */
import { Schema } from "effect"
import { costOf, forms, micros, nonsense, nonsenseUsage, usageIn } from "./ProviderUsage.ts"

const Count = (minimum: number, maximum: number) => Schema.Int.check(Schema.isBetween({ minimum, maximum }))

/** After these words of an answer its client leaves, where it does. */
export const LAST_WORDS = " THE END"

const Text = Schema.Literals([
  " word",
  " the quick brown fox",
  "的是在",
  " être\n",
  ' {"usage": {"completion_tokens": 9}}',
  "--------------------",
  ' "quoted" \\ \u0001',
  "😀",
  LAST_WORDS
])

const deltaShapes = ["content", "reasoning_content", "reasoning", "refusal", "arguments", "name", "unknown"] as const
const listShapes = ["parts", "thinking", "unknown_list"] as const
const looseShapes = ["loose_content", "loose_response"] as const
/** They repeat what came before, and add something. */
const wholeShapes = ["message", "text", "item"] as const
const silentShapes = ["comment", "role", "empty", "logprobs"] as const

const Piece = Schema.Struct({
  shape: Schema.Literals([...deltaShapes, ...listShapes, ...looseShapes, ...wholeShapes, ...silentShapes]),
  text: Text
})
export type Piece = typeof Piece.Type

export const StreamPlan = Schema.Struct({
  dialect: Schema.Literals(["chat", "chat", "responses"]),
  pieces: Schema.Array(Piece).check(Schema.isMaxLength(24)),
  end: Schema.Literals(["whole", "whole", "no_done", "done_only", "error", "cut", "plain_end", "leave"]),
  /** Where the stream breaks, when it does. */
  breaksAt: Count(0, 24),
  form: Schema.Literals([...forms, ...forms, ...nonsense]),
  place: Schema.Literals(["own", "last", "choice", "section", "behind", "growing", "early"]),
  limit: Schema.NullOr(Schema.Literal(500)),
  tokens: Schema.Struct({
    uncached: Count(1, 400),
    cached: Count(0, 300),
    written: Count(1, 200),
    output: Count(100, 500),
    /** Beyond any limit of the client. */
    more: Count(0, 3_000),
    reasoning: Count(1, 800)
  })
})
export type StreamPlan = typeof StreamPlan.Type

export const OUTPUT_TOKENS_MAX = 4_000

const isIn = <A extends string>(names: ReadonlyArray<A>, name: string): name is A => names.some((one) => one === name)
const isSilent = ({ shape }: Piece): boolean => isIn(silentShapes, shape)
const isWhole = ({ shape }: Piece): boolean => isIn(wholeShapes, shape)

/** What is expected of the call. */
export type Expected =
  /** It fails before any output. */
  | { readonly _tag: "Nothing" }
  | { readonly _tag: "Exact"; readonly micros: number; readonly flagged: boolean }
  /** `reported` output tokens, and beside them at least and at most a text. */
  | { readonly _tag: "Estimated"; readonly reported: number; readonly textMin: string; readonly textMax: string }
  /** More input was reported than is possible, and more output. */
  | { readonly _tag: "InputClamped"; readonly output: number }

export interface ScriptedStream {
  readonly frames: ReadonlyArray<string>
  readonly finish: "end" | "cut" | "hang"
  readonly expected: Expected
  /** It reports reasoning, which a model is marked for. */
  readonly reasons: boolean
}

const data = (value: unknown): string => `data: ${typeof value === "string" ? value : JSON.stringify(value)}\n\n`

const choice = (delta: object, more: object = {}) => ({
  id: "c",
  object: "chat.completion.chunk",
  choices: [{ index: 0, delta, finish_reason: null, ...more }]
})

const chatFrame = ({ shape, text }: Piece, before: string): object | string => {
  switch (shape) {
    case "arguments":
      return choice({ tool_calls: [{ index: 0, function: { arguments: text } }] })
    case "name":
      return choice({ tool_calls: [{ index: 0, id: "call_1", type: "function", function: { name: text } }] })
    case "unknown":
      return choice({ never_heard_of: { inside: text } })
    case "unknown_list":
      return choice({}, { never_heard_of: [[text]] })
    case "parts":
      return choice({ content: [{ type: "text", text }] })
    case "thinking":
      return choice({ content: [{ type: "thinking", thinking: [{ type: "text", text }] }] })
    case "loose_content":
      return { content: [{ type: "text", text }] }
    case "loose_response":
      return { response: text }
    case "message":
    case "item":
      return { choices: [{ index: 0, message: { role: "assistant", content: before + text }, finish_reason: null }] }
    case "text":
      return { choices: [{ index: 0, text: before + text, finish_reason: null }] }
    case "comment":
      return ": waiting\n\n"
    case "role":
      return choice({ role: "assistant", content: "" })
    case "empty":
      return choice({})
    case "logprobs":
      return choice({ content: "" }, { logprobs: { content: [{ token: text }] } })
    default:
      return choice({ [shape]: text })
  }
}

const deltaEvents: Readonly<Record<string, string>> = {
  content: "response.output_text.delta",
  reasoning_content: "response.reasoning_text.delta",
  reasoning: "response.reasoning_summary_text.delta",
  refusal: "response.refusal.delta",
  arguments: "response.function_call_arguments.delta",
  name: "response.custom_tool_call_input.delta"
}

const itemOf = (text: string) => ({ id: "msg_1", type: "message", content: [{ type: "output_text", text }] })

/** Frames of one stream, made one after the other, since some repeat what came before them. */
class Writer {
  private readonly isChat: boolean
  /** Text of the answer, of the item and of the part so far. */
  private answer = ""
  private item = ""
  private part = ""
  private itemIndex = 0
  private partIndex = 0

  constructor(isChat: boolean) {
    this.isChat = isChat
  }

  /** The next frame: data, or a comment as it is. */
  write(piece: Piece): object | string {
    const frame = this.isChat ? chatFrame(piece, this.answer) : this.event(piece)
    if (isSilent(piece)) return frame
    this.answer += piece.text
    this.item += piece.text
    this.part += piece.text
    if (piece.shape === "item") {
      this.itemIndex++
      this.item = ""
    }
    if (isWhole(piece)) {
      this.partIndex++
      this.part = ""
    }
    return frame
  }

  /** What the whole response repeats. */
  get output(): ReadonlyArray<object> {
    return [itemOf(this.answer)]
  }

  private event({ shape, text }: Piece): object | string {
    const item = { item_id: `msg_${this.itemIndex}`, output_index: this.itemIndex }
    switch (shape) {
      case "comment":
        return ": waiting\n\n"
      case "role":
        return { type: "response.output_item.added", ...item, item: itemOf("") }
      case "empty":
      case "logprobs":
        return { type: "response.in_progress", response: { id: "resp_1" } }
      case "item":
        return { type: "response.output_item.done", ...item, item: itemOf(this.item + text) }
      case "message":
      case "text":
        return { type: "response.output_text.done", ...item, content_index: this.partIndex, text: this.part + text }
      default: {
        const type = deltaEvents[shape] ?? "response.never_heard_of.delta"
        return { type, ...item, content_index: this.partIndex, delta: text }
      }
    }
  }
}

/** What cannot be together is made to fit. */
const fitting = (plan: StreamPlan): StreamPlan => {
  const { dialect, end, form, pieces, place } = plan
  const leaving = end === "leave" ? [...pieces, { shape: "content", text: LAST_WORDS } as const] : pieces
  // A response reports its usage in its last event alone.
  if (dialect === "responses") {
    return { ...plan, pieces: leaving, place: "own", end: end === "no_done" || end === "done_only" ? "whole" : end }
  }
  const isPlaced = end === "done_only"
    ? place !== "last" && place !== "choice"
    : end !== "no_done" || place !== "behind"
  const placed = isPlaced ? place : "own"
  // Counts that grow from frame to frame are told in one form here.
  return { ...plan, pieces: leaving, place: placed, form: placed === "growing" ? "openai" : form }
}

const limitOf = ({ limit }: StreamPlan): number => limit ?? OUTPUT_TOKENS_MAX

/** The usage, its key, and its tokens where they make sense; undefined: none is sent. */
const usageOf = (plan: StreamPlan, part = 1) => {
  const { form, limit, tokens } = plan
  if (form === "none") return undefined
  if (isIn(nonsense, form)) return { usage: nonsenseUsage[form], key: "usage", said: undefined }
  const output = Math.ceil((tokens.output + (limit === null ? tokens.more : 0)) * part)
  return usageIn(form, { ...tokens, output })
}

type Usage = NonNullable<ReturnType<typeof usageOf>>

/** What follows from the usage that came, if one came, and the text that came with it. */
const expectedOf = (
  plan: StreamPlan,
  usage: Usage | undefined,
  delivered: ReadonlyArray<Piece>,
  isBehind: boolean
): Expected => {
  const output = delivered.filter((piece) => !isSilent(piece))
  const hasOutput = output.length > 0
  const isFailure = plan.end === "error" || plan.end === "cut" || plan.end === "plain_end" || plan.end === "done_only"
  if (!hasOutput && isFailure) return { _tag: "Nothing" }
  const textOf = (pieces: ReadonlyArray<Piece>) => pieces.map(({ text }) => text).join("")
  const estimated = (reported: number): Expected => ({
    _tag: "Estimated",
    reported,
    textMin: textOf(output.filter((piece) => !isWhole(piece))),
    textMax: textOf(output)
  })
  const form = usage === undefined ? "none" : plan.form
  if (form === "none" || form === "word" || form === "empty" || form === "negative") return estimated(0)
  if (form === "zeros") return hasOutput ? estimated(0) : { _tag: "Exact", micros: 0, flagged: false }
  const isAfter = isBehind && hasOutput
  if (form === "huge_output") {
    return isAfter
      ? estimated(limitOf(plan))
      : { _tag: "Exact", micros: 20 * micros.input + limitOf(plan) * micros.output, flagged: true }
  }
  if (form === "huge_input") return isAfter ? estimated(200) : { _tag: "InputClamped", output: 200 }
  const said = usage?.said ?? { uncached: 0, cached: 0, written: 0, output: 0, reasoning: 0 }
  return isAfter
    ? estimated(said.output + said.reasoning)
    : { _tag: "Exact", micros: costOf(said), flagged: false }
}

const chatStream = (plan: StreamPlan): ScriptedStream => {
  const { breaksAt, end, pieces, place } = plan
  const breaks = end === "error" || end === "cut" || end === "plain_end"
  const delivered = breaks ? pieces.slice(0, breaksAt) : pieces
  const writer = new Writer(true)
  const frames: Array<string> = []
  const usage = usageOf(plan)
  let arrived: Usage | undefined
  const report = (one: Usage | undefined): object => {
    arrived = one ?? arrived
    return one === undefined ? {} : { [one.key]: one.usage }
  }
  const ownFrame = () => {
    if (usage === undefined) return
    const said = report(usage)
    frames.push(data(place === "section" ? { id: "c", choices: [], x_groq: said } : { id: "c", choices: [], ...said }))
  }
  if (place === "early") ownFrame()
  for (const [index, piece] of delivered.entries()) {
    const frame = writer.write(piece)
    if (typeof frame === "string") frames.push(frame)
    else {
      const grown = place === "growing" ? report(usageOf(plan, (index + 1) / pieces.length)) : {}
      frames.push(data({ ...frame, ...grown }))
    }
  }
  if (end === "error") frames.push(data({ error: { message: "scripted" } }))
  if (end === "whole" || end === "no_done") {
    const last = place === "last" ? report(usage) : {}
    frames.push(data({
      ...last,
      choices: [{ index: 0, delta: {}, finish_reason: "stop", ...(place === "choice" ? report(usage) : {}) }]
    }))
  }
  const ends = end === "whole" || end === "no_done" || end === "done_only"
  if (ends && (place === "own" || place === "section")) ownFrame()
  if (end === "whole" || end === "done_only") frames.push(data("[DONE]"))
  if (ends && place === "behind") ownFrame()
  return {
    frames,
    finish: end === "cut" ? "cut" : end === "leave" ? "hang" : "end",
    expected: expectedOf(plan, arrived, delivered, place === "early"),
    reasons: (arrived?.said?.reasoning ?? 0) > 0
  }
}

const responseStream = (plan: StreamPlan): ScriptedStream => {
  const { breaksAt, end, pieces } = plan
  const breaks = end === "error" || end === "cut" || end === "plain_end"
  const delivered = breaks ? pieces.slice(0, breaksAt) : pieces
  const writer = new Writer(false)
  const frames = [data({ type: "response.created", response: { id: "resp_1", status: "in_progress", usage: null } })]
  for (const piece of delivered) {
    const frame = writer.write(piece)
    frames.push(typeof frame === "string" ? frame : data(frame))
  }
  const usage = end === "whole" ? usageOf(plan) : undefined
  const settings = { truncation: "disabled", metadata: { note: "what the client wrote" } }
  const response = { id: "resp_1", output: writer.output, ...settings, usage: usage?.usage }
  if (end === "whole") frames.push(data({ type: "response.completed", response: { ...response, status: "completed" } }))
  if (end === "error") {
    frames.push(data({ type: "response.failed", response: { ...response, status: "failed", error: { message: "x" } } }))
  }
  return {
    frames,
    finish: end === "cut" ? "cut" : end === "leave" ? "hang" : "end",
    expected: expectedOf(plan, usage, delivered, false),
    reasons: (usage?.said?.reasoning ?? 0) > 0
  }
}

/** The stream of a plan, and what its call has to cost. */
export const streamOf = (plan: StreamPlan): ScriptedStream => {
  const fitted = fitting(plan)
  return fitted.dialect === "chat" ? chatStream(fitted) : responseStream(fitted)
}
