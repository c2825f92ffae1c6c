/**
 * An upstream that looks like OpenAI, over a real socket and offline: for the demo, for tests, and as the target of load
 * tests. It answers with counted words and exact usage, refuses what OpenAI refuses, and misbehaves on demand. A normal
 * start cannot reach it.
 */
import { Buffer } from "node:buffer"
import type { IncomingMessage, ServerResponse } from "node:http"
import { gateControl } from "../http/SimulatorGates.ts"
import { acquireSimulator, listen, type ListenOptions } from "../http/SimulatorServer.ts"
import { answerTo, type UpstreamAnswer, type UpstreamFrame } from "./UpstreamAnswer.ts"
import { type Behaviour, directiveIn, directiveOf, parseBehaviour } from "./UpstreamBehaviour.ts"
import { chatBody, chatFrames } from "./UpstreamChat.ts"
import { UpstreamControl } from "./UpstreamControl.ts"
import { errorBody, errorFrame, page, refusalBody, serverError } from "./UpstreamErrors.ts"
import { UpstreamExchange } from "./UpstreamExchange.ts"
import { type Fixture, fixtureOf } from "./UpstreamFixtures.ts"
import { complaintOf, type Endpoint } from "./UpstreamParameters.ts"
import { responsesBody, responsesFrames } from "./UpstreamResponses.ts"
import { isObject, steer } from "./UpstreamSteering.ts"

export interface UpstreamOptions extends ListenOptions {
  /** Requests must carry it, or one of them, as a bearer token. */
  readonly apiKey?: string | ReadonlyArray<string>
  readonly models?: ReadonlyArray<string>
  /** What the account of every key may spend and has spent, as relays tell it; else nothing is told. */
  readonly billing?: { readonly limitUsd: number; readonly usedUsd: number }
  /** Tokens of an answer that nothing else limits. */
  readonly answerTokens?: number
  /** Input tokens of every usage; else a quarter of the body's bytes. */
  readonly promptTokens?: number
  /** Keep a record of the requests. Off for load tests. */
  readonly record?: boolean
}

export interface Upstream extends
  Pick<
    UpstreamControl,
    "requests" | "next" | "always" | "reset" | "open" | "shut" | "waiting" | "until"
  >
{
  readonly port: number
  /** `http://host:port`, without `/v1`. */
  readonly url: string
  /** What an OpenAI client is pointed at. */
  readonly baseUrl: string
  /** Requests seen so far, recorded or not. */
  readonly seen: () => number
  /** Closes the server and every connection. */
  readonly close: () => Promise<void>
}

type Json = { readonly [key: string]: unknown }

const parse = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

const json = { "content-type": "application/json" }
const eventStream = { "content-type": "text/event-stream; charset=utf-8", "cache-control": "no-cache" }

class Simulator {
  readonly control = new UpstreamControl()
  private readonly options: UpstreamOptions
  private readonly fixtures = new Map<string, Fixture | undefined>()

  constructor(options: UpstreamOptions) {
    this.options = options
  }

  receive(incoming: IncomingMessage, response: ServerResponse): void {
    const chunks: Array<Buffer> = []
    incoming.on("data", (chunk: Buffer) => chunks.push(chunk))
    incoming.on("end", () => {
      const [chunk] = chunks
      this.route(incoming, response, chunks.length === 1 && chunk !== undefined ? chunk : Buffer.concat(chunks))
    })
    incoming.on("error", () => response.destroy())
  }

  private route(incoming: IncomingMessage, response: ServerResponse, body: Buffer): void {
    const path = (incoming.url ?? "").replace(/\?.*$/, "")
    if (path.startsWith("/_sim/")) {
      const reply = steer(this.control, path, parse(body.toString()))
      response.writeHead(reply.status, json)
      return void response.end(JSON.stringify(reply.body))
    }
    const parsed = body.length === 0 ? undefined : parse(body.toString())
    const exchange = new UpstreamExchange(incoming, response, body, parsed, this.control, this.options.record ?? true)
    const { key } = exchange
    const { apiKey } = this.options
    if (apiKey !== undefined && (typeof apiKey === "string" ? key !== apiKey : !apiKey.includes(key))) {
      return this.refuse(exchange, { status: 401 })
    }
    if (incoming.method === "GET" && path === "/v1/models") return exchange.send(200, json, this.models())
    const told = this.billing(path)
    if (incoming.method === "GET" && told !== undefined) return exchange.send(200, json, JSON.stringify(told))
    const endpoint = path === "/v1/chat/completions" ? "chat" : path === "/v1/responses" ? "responses" : undefined
    if (endpoint === undefined || incoming.method !== "POST") {
      return exchange.send(
        404,
        json,
        errorBody(`Invalid URL (${incoming.method} ${path})`, "invalid_request_error", null, null)
      )
    }
    if (!isObject(parsed)) return this.invalid(exchange, "We could not parse the JSON body of your request.")
    const complaint = complaintOf(endpoint, parsed)
    if (complaint !== undefined) return this.invalid(exchange, complaint.message, complaint.param, complaint.code)
    this.behave(exchange, endpoint, parsed, body)
  }

  private billing(path: string): object | undefined {
    const { billing } = this.options
    if (billing === undefined) return undefined
    if (path === "/v1/dashboard/billing/subscription") {
      return { object: "billing_subscription", has_payment_method: true, hard_limit_usd: billing.limitUsd }
    }
    return path === "/v1/dashboard/billing/usage" ? { object: "list", total_usage: billing.usedUsd * 100 } : undefined
  }

  private models(): string {
    const data = (this.options.models ?? ["gpt-4o-mini"]).map((id) => ({
      id,
      object: "model",
      created: 1,
      owned_by: "sim"
    }))
    return JSON.stringify({ object: "list", data })
  }

  private invalid(
    exchange: UpstreamExchange,
    message: string,
    param: string | null = null,
    code: string | null = null
  ): void {
    exchange.send(400, json, errorBody(message, "invalid_request_error", param, code))
  }

  private refuse(exchange: UpstreamExchange, behaviour: Behaviour): void {
    const headers = behaviour.retryAfter === undefined ? json : { ...json, "retry-after": String(behaviour.retryAfter) }
    exchange.send(behaviour.status ?? 500, headers, refusalBody(behaviour, exchange.key))
  }

  private behave(exchange: UpstreamExchange, endpoint: Endpoint, request: Json, body: Buffer): void {
    const model = String(request.model)
    // The prompt has the last word, then the model's name, then the test that holds the upstream.
    const directives = `${directiveOf(model) ?? ""} ${directiveIn(body) ?? ""}`
    const asked = directives === " " ? {} : parseBehaviour(directives)
    if ("complaint" in asked) return this.invalid(exchange, asked.complaint)
    const behaviour = { ...this.control.take(model, exchange.key), ...asked }
    const answer = answerTo(this.control.seen, endpoint, request, body.length, behaviour, {
      answerTokens: this.options.answerTokens ?? 20,
      promptTokens: this.options.promptTokens
    })
    const waits = behaviour.delay !== undefined || (behaviour.gate !== undefined && behaviour.gateAfter === undefined)
    if (!waits) return this.answer(exchange, endpoint, request, answer)
    void this.later(exchange, behaviour).then(() => this.answer(exchange, endpoint, request, answer))
  }

  private async later(exchange: UpstreamExchange, behaviour: Behaviour): Promise<void> {
    if (behaviour.gate !== undefined && behaviour.gateAfter === undefined) await exchange.gate(behaviour.gate)
    if (behaviour.delay !== undefined) await exchange.sleep(behaviour.delay)
  }

  private answer(exchange: UpstreamExchange, endpoint: Endpoint, request: Json, answer: UpstreamAnswer): void {
    const { behaviour } = answer
    if (exchange.isGone || behaviour.hang === true) return
    if (behaviour.reset === true) return exchange.cut()
    if (behaviour.status !== undefined) return this.refuse(exchange, behaviour)
    if (behaviour.html === true) return exchange.send(200, { "content-type": "text/html" }, page)
    const fixture = behaviour.fixture === undefined ? undefined : this.fixture(behaviour.fixture)
    if (behaviour.fixture !== undefined && fixture === undefined) {
      return this.invalid(exchange, `There is no fixture '${behaviour.fixture}'.`)
    }
    if (request.stream === true) {
      void this.stream(exchange, endpoint, request, answer, fixture)
      return
    }
    if (behaviour.error200 === true) return exchange.send(200, json, serverError)
    const body = bodyOf(endpoint, answer, fixture)
    if (body === undefined) return this.invalid(exchange, `Fixture '${behaviour.fixture}' is for streams.`)
    if (behaviour.cutAfter !== undefined) return exchange.sendHalf(json, body)
    exchange.send(200, json, body)
  }

  private fixture(name: string): Fixture | undefined {
    if (!this.fixtures.has(name)) this.fixtures.set(name, fixtureOf(name))
    return this.fixtures.get(name)
  }

  private async stream(
    exchange: UpstreamExchange,
    endpoint: Endpoint,
    request: Json,
    answer: UpstreamAnswer,
    fixture: Fixture | undefined
  ): Promise<void> {
    const { behaviour } = answer
    exchange.startStream(eventStream)
    if (fixture?._tag === "Raw") {
      await exchange.write(fixture.text, behaviour.split)
      return exchange.end()
    }
    const frames = behaviour.error200 === true
      ? [errorFrame(endpoint)]
      : fixture?.frames ?? framesOf(endpoint, request, answer)
    // A response's last event is the terminal one.
    const rest = behaviour.noDone === true && endpoint === "responses" ? withoutLast(frames) : frames
    const whole = await exchange.frames(rest, behaviour)
    if (!whole) return
    const failed = behaviour.errorAfter !== undefined && exchange.request.framesSent >= behaviour.errorAfter
    const tail = failed
      ? [errorFrame(endpoint)]
      : endpoint === "chat" && behaviour.noDone !== true && behaviour.error200 !== true
      ? [{ data: "[DONE]", tokens: 0 }]
      : []
    const { errorAfter: _, ...calm } = behaviour
    if (await exchange.frames(tail, calm)) exchange.end()
  }
}

const bodyOf = (endpoint: Endpoint, answer: UpstreamAnswer, fixture: Fixture | undefined): string | undefined => {
  if (fixture === undefined) return endpoint === "chat" ? chatBody(answer) : responsesBody(answer)
  const last = fixture._tag === "Frames" ? fixture.last : undefined
  return isObject(last) && isObject(last.response) ? JSON.stringify(last.response) : undefined
}

const framesOf = (endpoint: Endpoint, request: Json, answer: UpstreamAnswer): Iterable<UpstreamFrame> =>
  endpoint === "chat"
    ? chatFrames(answer, isObject(request.stream_options) && request.stream_options.include_usage === true)
    : responsesFrames(answer)

function* withoutLast(frames: Iterable<UpstreamFrame>): Generator<UpstreamFrame> {
  let held: UpstreamFrame | undefined
  for (const frame of frames) {
    if (held !== undefined) yield held
    held = frame
  }
}

/** Starts an upstream; it listens when the promise resolves. */
export async function startUpstream(options: UpstreamOptions = {}): Promise<Upstream> {
  const simulator = new Simulator(options)
  const { control } = simulator
  const { close, port, url } = await listen(
    options,
    () => (incoming, response) => simulator.receive(incoming, response)
  )
  return {
    port,
    url,
    baseUrl: `${url}/v1`,
    requests: control.requests,
    seen: () => control.seen,
    next: (rule) => control.next(rule),
    always: (rule) => control.always(rule),
    reset: () => control.reset(),
    ...gateControl(control),
    close
  }
}

/** An upstream for the length of a scope. Fails when its port is taken. */
export const acquireUpstream = (options: UpstreamOptions = {}) => acquireSimulator(() => startUpstream(options))
