/**
 * A plain HTTP client for end-to-end tests, which can also send what no library would: broken bodies, unfinished ones,
 * and hanging up in the middle of an answer.
 */
import { Effect, Schema } from "effect"
import { Agent, type ClientRequest, type IncomingHttpHeaders, request as httpRequest } from "node:http"

export interface TestAnswer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly text: string
}

export interface TestRequest {
  readonly key?: string
  readonly method?: string
  /** A string or bytes go as they are, everything else as JSON. */
  readonly body?: unknown
  readonly headers?: Readonly<Record<string, string>>
  /** The address of this machine that it comes from. */
  readonly from?: string
}

const agent = new Agent({ keepAlive: true, maxSockets: Infinity })

const open = (url: string, request: TestRequest): ClientRequest =>
  httpRequest(url, {
    agent,
    ...(request.from === undefined ? {} : { localAddress: request.from }),
    method: request.method ?? (request.body === undefined ? "GET" : "POST"),
    headers: {
      "content-type": "application/json",
      ...(request.key === undefined ? {} : { authorization: `Bearer ${request.key}` }),
      ...request.headers
    }
  })

const bytesOf = (body: unknown): string | Uint8Array =>
  typeof body === "string" || body instanceof Uint8Array ? body : JSON.stringify(body)

/** Sends a request and reads the whole answer. A connection that breaks before its end is a failure. */
export const send = (url: string, request: TestRequest): Effect.Effect<TestAnswer> =>
  Effect.callback<TestAnswer>((resume) => {
    const outgoing = open(url, request)
    let answered = false
    outgoing.on("response", (response) => {
      answered = true
      const chunks: Array<Uint8Array> = []
      response.on("data", (piece: Uint8Array) => chunks.push(piece))
      response.on("error", (error) => resume(Effect.die(error)))
      response.on("end", () =>
        resume(Effect.succeed({
          status: response.statusCode ?? 0,
          headers: response.headers,
          text: Buffer.concat(chunks).toString("utf8")
        })))
    })
    // A refusal may come, and the connection go, while the body is still being sent.
    outgoing.on("error", (error) => answered ? undefined : resume(Effect.die(error)))
    if (request.body === undefined) outgoing.end()
    else outgoing.end(bytesOf(request.body))
    return Effect.sync(() => outgoing.destroy())
  })

/** A request under way whose answer is read as it comes. */
export class OpenAnswer {
  status = 0
  headers: IncomingHttpHeaders = {}
  text = ""
  /** The answer is whole, or the connection is gone. */
  ended = false
  private readonly outgoing: ClientRequest

  constructor(url: string, request: TestRequest) {
    this.outgoing = open(url, request)
    this.outgoing.on("response", (response) => {
      this.status = response.statusCode ?? 0
      this.headers = response.headers
      response.setEncoding("utf8")
      response.on("data", (piece: string) => {
        this.text += piece
      })
      response.on("error", () => undefined)
      response.on("close", () => {
        this.ended = true
      })
    })
    this.outgoing.on("error", () => {
      this.ended = true
    })
  }

  write(text: string): void {
    this.outgoing.write(text)
  }

  end(body: unknown): void {
    this.outgoing.end(bytesOf(body))
  }

  /** Hangs up. */
  cut(): void {
    this.outgoing.destroy()
  }

  /** Events received whole, without the last blank line. */
  get frames(): ReadonlyArray<string> {
    return this.text.split("\n\n").slice(0, -1)
  }

  get requestId(): string {
    return String(this.headers["x-request-id"])
  }
}

const ErrorBody = Schema.fromJsonString(Schema.Struct({
  error: Schema.Struct({
    message: Schema.String,
    type: Schema.String,
    param: Schema.NullOr(Schema.String),
    code: Schema.NullOr(Schema.String)
  })
}))

const decodeErrorBody = Schema.decodeUnknownSync(ErrorBody, { onExcessProperty: "error" })

/** The error of an answer in OpenAI's shape, with nothing more and nothing less. */
export const errorOf = (text: string) => decodeErrorBody(text).error
