/**
 * An upstream whose every answer a test scripts: what it sends, when, and how it breaks off. It keeps each call it got,
 * with its body and whether the caller left before the end. Scripts are found by the upstream's model name.
 */
import { Effect, Schema } from "effect"
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http"
import { setTimeout } from "node:timers/promises"

const Body = Schema.fromJsonString(Schema.Record(Schema.String, Schema.Unknown))
const decodeBody = Schema.decodeUnknownSync(Body)

/** Something that tests open for others to go on. */
export class Gate {
  private readonly resolvers = Promise.withResolvers<void>()
  /** Resolves when the gate is open. */
  readonly opened: Promise<void> = this.resolvers.promise

  open(): void {
    this.resolvers.resolve()
  }
}

/** One call that reached the upstream. */
export class UpstreamCall {
  readonly path: string
  readonly authorization: string
  readonly traceparent: string | undefined
  readonly body: Readonly<Record<string, unknown>>
  readonly response: ServerResponse
  /** Frames written so far by `frame`. */
  frames = 0
  /** The caller closed the connection before the answer was whole. */
  aborted = false

  constructor(request: IncomingMessage, body: string, response: ServerResponse) {
    this.path = request.url ?? ""
    this.authorization = request.headers.authorization ?? ""
    this.traceparent = request.headers["traceparent"]?.toString()
    this.body = decodeBody(body)
    this.response = response
    response.on("close", () => {
      this.aborted = !response.writableFinished
    })
    response.on("error", () => undefined)
  }

  /** Answers with JSON. */
  json(value: unknown, status = 200, headers: Readonly<Record<string, string>> = {}): void {
    this.response.writeHead(status, { "content-type": "application/json", ...headers })
    this.response.end(JSON.stringify(value))
  }

  /** Answers with an error in OpenAI's shape. */
  error(status: number, message = "scripted", headers: Readonly<Record<string, string>> = {}): void {
    this.json({ error: { message, type: "scripted", param: null, code: "scripted" } }, status, headers)
  }

  /** Writes one event; the headers before the first. */
  frame(data: unknown, newline = "\n"): void {
    if (!this.response.headersSent) this.response.writeHead(200, { "content-type": "text/event-stream" })
    const text = typeof data === "string" ? data : JSON.stringify(data)
    const name = typeof data === "object" && data !== null && "sequence_number" in data && "type" in data
      ? `event: ${String(data.type)}${newline}`
      : ""
    this.frames++
    this.response.write(`${name}data: ${text}${newline}${newline}`)
  }

  /** A chat stream of these texts, a usage frame when there is a usage, and its end. */
  chatStream(texts: ReadonlyArray<string>, usage?: unknown): void {
    for (const text of texts) this.frame(chunk(text))
    this.frame(chunk("", "stop"))
    if (usage !== undefined) this.frame({ ...chunk(""), choices: [], usage })
    this.frame("[DONE]")
    this.response.end()
  }

  /** True once the caller is gone. */
  get isClosed(): boolean {
    return this.response.destroyed || this.response.closed
  }
}

export type UpstreamScript = (call: UpstreamCall) => void | Promise<void>

/** What a fast model takes. Clients that call in a loop leave the machine to others meanwhile. */
const THOUGHT_MS = 50

/** Answers with JSON after as long as a fast model takes. */
export const answerWith = (value: unknown): UpstreamScript => async (call) => {
  await setTimeout(THOUGHT_MS)
  call.json(value)
}

/** A frame of a chat stream. */
export const chunk = (content: string, finish: string | null = null, more: object = {}) => ({
  id: "chatcmpl-1",
  object: "chat.completion.chunk",
  created: 1_700_000_000,
  model: "scripted",
  choices: [{ index: 0, delta: content === "" ? {} : { content }, finish_reason: finish }],
  ...more
})

/** A whole chat completion; without a usage it names none. */
export const completion = (content: string, usage?: unknown) => ({
  id: "chatcmpl-1",
  object: "chat.completion",
  created: 1_700_000_000,
  model: "scripted",
  choices: [{ index: 0, message: { role: "assistant", content }, finish_reason: "stop" }],
  ...(usage === undefined ? {} : { usage })
})

/** Usage in the names of chat completions. */
export const chatUsage = (prompt: number, completed: number, cached = 0) => ({
  prompt_tokens: prompt,
  completion_tokens: completed,
  total_tokens: prompt + completed,
  prompt_tokens_details: { cached_tokens: cached }
})

const readAll = async (request: IncomingMessage): Promise<string> => {
  const chunks: Array<Uint8Array> = []
  for await (const piece of request) chunks.push(piece)
  return Buffer.concat(chunks).toString("utf8")
}

export class TestUpstream {
  readonly origin: string
  /** All calls, in order of arrival. */
  readonly calls: Array<UpstreamCall> = []
  private readonly scripts: Map<string, UpstreamScript>

  private constructor(origin: string, scripts: Map<string, UpstreamScript>) {
    this.origin = origin
    this.scripts = scripts
  }

  /** What calls of an upstream model get from now on. */
  on(model: string, script: UpstreamScript): void {
    this.scripts.set(model, script)
  }

  /** The calls of one upstream model. */
  callsOf(model: string): ReadonlyArray<UpstreamCall> {
    return this.calls.filter((call) => call.body["model"] === model)
  }

  private async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const call = new UpstreamCall(request, await readAll(request), response)
    this.calls.push(call)
    const script = this.scripts.get(String(call.body["model"]))
    if (script === undefined) call.error(404, `no script for ${String(call.body["model"])}`)
    else await script(call)
  }

  /** Listens on a free port as long as the scope. */
  static readonly acquire = Effect.map(
    Effect.acquireRelease(
      Effect.callback<{ readonly server: Server; readonly upstream: TestUpstream }>((resume) => {
        const server = createServer((request, response) => {
          upstream?.answer(request, response).catch(() => response.destroy())
        })
        let upstream: TestUpstream | undefined
        server.listen(0, "127.0.0.1", () => {
          const address = server.address()
          const port = typeof address === "object" && address !== null ? address.port : 0
          upstream = new TestUpstream(`http://127.0.0.1:${port}`, new Map())
          resume(Effect.succeed({ server, upstream }))
        })
      }),
      ({ server }) =>
        Effect.sync(() => {
          server.close()
          server.closeAllConnections()
        })
    ),
    ({ upstream }) => upstream
  )
}
