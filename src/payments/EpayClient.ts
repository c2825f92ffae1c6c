/**
 * Questions to an EPay gateway: what became of an order, and money back. The answers are unsigned, so that who answers is
 * proved by TLS alone, and what is answered is compared with what was asked. The merchant key is in the address of a
 * query: addresses are never logged, traced or put into an error.
 */
import { Context, Effect, Layer, Redacted, Schema } from "effect"
import { Buffer } from "node:buffer"
import type * as undici from "undici"
import type { Agent, Dispatcher } from "undici"
import { type AppConfig, type EpayConfig, isHttpsOrLoopback } from "../config/Config.ts"
import { makeOutboundGuard } from "../config/OutboundGuard.ts"
import { formatCny } from "../domain/Money.ts"
import { databaseJson, databaseText } from "../postgres/DatabaseText.ts"
import { factOf, TRADE_SUCCESS } from "./EpayFacts.ts"
import { pageUrl } from "./EpayGateway.ts"
import { evidenceOfParams } from "./Evidence.ts"
import { ProviderRefused, ProviderUnavailable } from "./PaymentError.ts"
import type { PaymentFact } from "./PaymentFact.ts"

/** Bounds on a gateway. Replaced in tests. */
export interface EpayLimits {
  /** For a whole question, from the connection to the last byte of the answer. */
  readonly timeoutMs: number
  readonly answerBytesMax: number
}

export const EpayLimits = Context.Reference<EpayLimits>("realms/payments/EpayLimits", {
  defaultValue: () => ({ timeoutMs: 10_000, answerBytesMax: 65_536 })
})

/** What a gateway says in words, for the log. */
const WORDS_CHARACTERS_MAX = 200

export class EpayClient extends Context.Service<EpayClient, {
  /**
   * What became of the order with that merchant reference: a `Paid` fact, with the identity that the gateway's notify of
   * it has; `Unreadable` when the money is none; undefined while it is not paid, or not known there.
   */
  query(
    config: EpayConfig,
    order: { readonly reference: string }
  ): Effect.Effect<PaymentFact | undefined, ProviderUnavailable>
  /**
   * Gives money of a trade back. Not to be repeated after `ProviderUnavailable` without looking: the gateway knows no
   * idempotency.
   */
  refund(
    config: EpayConfig,
    refund: { readonly trade: string; readonly amountFen: bigint }
  ): Effect.Effect<void, ProviderRefused | ProviderUnavailable>
}>()("realms/payments/EpayClient") {
  static readonly layer: Layer.Layer<EpayClient, never, AppConfig> = Layer.effect(EpayClient)(Effect.gen(function*() {
    const { answerBytesMax, timeoutMs } = yield* EpayLimits
    const guard = yield* makeOutboundGuard
    let agent: Agent | undefined
    yield* Effect.addFinalizer(() => Effect.promise(async () => agent?.destroy()))
    /** Made when it is first needed: no command and no start waits for the client's modules. */
    const agentOf = ({ Agent }: Undici): Agent =>
      agent ??= new Agent({ connect: { timeout: timeoutMs, lookup: guard.lookup }, connections: 8, pipelining: 1 })

    const ask = Effect.fnUntraced(function*(config: EpayConfig, question: Question) {
      const url = pageUrl(config, "api.php")
      const key = Redacted.value(config.key)
      if (url === undefined || config.partnerId === "" || key === "") return yield* unavailable("it is not set up")
      if (!isHttpsOrLoopback(url.href)) {
        return yield* unavailable("the gateway's address is not https, and the answers are not signed")
      }
      if (guard.isForbidden(url.hostname)) return yield* unavailable("this server does not connect to its address")
      const asked = { ...question, fields: { pid: config.partnerId, key, ...question.fields } }
      const client = yield* Effect.promise(() => import("undici"))
      const post = { agent: agentOf(client), request: client.request }
      const { statusCode, text } = yield* Effect.tryPromise({
        try: (signal) => send(post, url, asked, answerBytesMax, signal),
        catch: failureOf
      }).pipe(Effect.timeoutOrElse({
        duration: timeoutMs,
        orElse: () => Effect.fail(unavailable("there was no answer in time"))
      }))
      if (statusCode !== 200) return yield* unavailable(`the answer has status ${statusCode}`)
      return yield* decodeAnswer(databaseJson(text)).pipe(
        Effect.mapError(() => unavailable("the answer is no JSON object"))
      )
    })

    const query = Effect.fn("EpayClient.query")(function*(config: EpayConfig, order: { readonly reference: string }) {
      const answer = yield* ask(config, { method: "GET", act: "order", fields: { out_trade_no: order.reference } })
      const code = textOf(answer, "code")
      if (code === "-1" || code === "0") return undefined
      if (code !== "1") {
        return yield* unavailable(`the answer has ${/^-?\d{1,6}$/.test(code) ? `code ${code}` : "no code"}`)
      }
      if (textOf(answer, "pid") !== config.partnerId) return yield* unavailable("the answer is for another merchant")
      if (textOf(answer, "out_trade_no") !== order.reference) {
        return yield* unavailable("the answer is for another order")
      }
      if (textOf(answer, "status") !== "1") return undefined
      const trade = textOf(answer, "trade_no")
      if (trade === "") return yield* unavailable("the answer names no trade")
      const fact = factOf(config, {
        pid: config.partnerId,
        trade,
        reference: order.reference,
        method: textOf(answer, "type"),
        money: textOf(answer, "money"),
        status: TRADE_SUCCESS
      })
      const texts = Object.keys(answer).map((name) => [name, textOf(answer, name)] as const)
      return { ...fact, evidence: evidenceOfParams(texts) }
    })

    const refund = Effect.fn("EpayClient.refund")(
      function*(config: EpayConfig, { amountFen, trade }: { readonly trade: string; readonly amountFen: bigint }) {
        const fields = { trade_no: trade, money: formatCny(amountFen) }
        const answer = yield* ask(config, { method: "POST", act: "refund", fields })
        const code = textOf(answer, "code")
        if (code === "1") return
        // Whatever stands before the gateway may answer too: only a code of its own is its word.
        if (!/^-?\d{1,6}$/.test(code)) return yield* unavailable("the answer has no code")
        const said = textOf(answer, "msg").replaceAll(Redacted.value(config.key), "***")
        // A cut may fall within a character.
        const words = databaseText(said.slice(0, WORDS_CHARACTERS_MAX))
        // Gateways refuse by codes below 0. 0 and 200 are success to some and failure to others: somebody has to look.
        if (!code.startsWith("-")) {
          return yield* unavailable(`the answer has code ${code}, which may mean either: ${words}`)
        }
        return yield* new ProviderRefused({ provider: "epay", why: words === "" ? "no reason given" : words })
      }
    )

    return EpayClient.of({ query, refund })
  }))
}

interface Question {
  readonly method: "GET" | "POST"
  readonly act: "order" | "refund"
  readonly fields: { readonly [name: string]: string }
}

type Answer = { readonly [name: string]: unknown }

const decodeAnswer = Schema.decodeUnknownEffect(Schema.fromJsonString(Schema.Record(Schema.String, Schema.Unknown)))

const unavailable = (why: string): ProviderUnavailable => new ProviderUnavailable({ provider: "epay", why })

/**
 * A value as text, whether the gateway wrote a number or a text. A number that lost digits when it was read is none:
 * trade numbers are longer than what a number holds.
 */
const textOf = (answer: Answer, name: string): string => {
  const value = answer[name]
  if (typeof value === "string") return value
  const isExact = typeof value === "number" && (Number.isSafeInteger(value) || !Number.isInteger(value))
  return isExact ? String(value) : ""
}

/** Says nothing of the address, which has the key in it. */
const failureOf = (error: unknown): ProviderUnavailable => {
  if (error instanceof TooLarge) return unavailable("the answer is too large")
  const code = error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : "no code"
  return unavailable(`the connection failed (${code.replace(/[^\w ]/g, "")})`)
}

class TooLarge extends Error {}

type Undici = typeof undici

/** What sends a question. */
interface Post {
  readonly agent: Agent
  readonly request: Undici["request"]
}

async function readBody(body: Dispatcher.ResponseData["body"], bytesMax: number): Promise<string> {
  const chunks: Array<Uint8Array> = []
  let bytes = 0
  for await (const chunk of body) {
    if (!(chunk instanceof Uint8Array)) continue
    bytes += chunk.length
    if (bytes > bytesMax) throw new TooLarge()
    chunks.push(chunk)
  }
  return new TextDecoder().decode(Buffer.concat(chunks))
}

async function send(
  { agent, request }: Post,
  url: URL,
  { act, fields, method }: Question,
  bytesMax: number,
  signal: AbortSignal
) {
  const target = new URL(url)
  const form = new URLSearchParams(fields)
  target.search = String(new URLSearchParams({ act, ...(method === "GET" ? fields : {}) }))
  const { body, statusCode } = await request(target, {
    dispatcher: agent,
    method,
    signal,
    headers: method === "GET"
      ? { accept: "application/json" }
      : { accept: "application/json", "content-type": "application/x-www-form-urlencoded" },
    body: method === "GET" ? null : String(form)
  })
  return { statusCode, text: await readBody(body, bytesMax) }
}
