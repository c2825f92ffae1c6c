/**
 * One POST to a webhook: a bounded time, no redirects, and of the answer only its status counts. A user's address has to be public, by
 * what its name resolves to at this moment; root's may be in a private network. What a receiver answers is not kept: it could be
 * anything that this server can reach.
 */
import { Context, Effect, Layer, Schema } from "effect"
import type * as undici from "undici"
import type { Agent } from "undici"
import { type AppConfig, isHttpsOrLoopback } from "../config/Config.ts"
import { makeOutboundGuard, makeUserOutboundGuard } from "../config/OutboundGuard.ts"
import { OUTBOUND_REFUSED, type OutboundGuard, type OutboundProblem } from "../config/OutboundUrl.ts"

/** Bounds on a receiver. Replaced in tests. */
export interface WebhookLimits {
  /** From the connection to the last byte that is read, in milliseconds. */
  readonly timeoutMs: number
  /** Of the answer; the rest is not read. */
  readonly answerBytesMax: number
}

export const WebhookLimits = Context.Reference<WebhookLimits>("realms/notices/WebhookLimits", {
  defaultValue: () => ({ timeoutMs: 15_000, answerBytesMax: 65_536 })
})

/** Why a request was not taken: a code, and with some a detail behind a space: `status 500`, `connection ECONNREFUSED`. */
export const webhookFailures = ["status", "timeout", "forbidden", "connection"] as const

/** It was not taken. `isGone`: the receiver says that nothing is to be sent there any more. */
export class WebhookFailed extends Schema.TaggedError<WebhookFailed>()("WebhookFailed", {
  reason: Schema.String,
  isGone: Schema.Boolean
}) {
  override readonly message = this.reason
}

/** Who says where is called. */
export type WebhookOwner = "user" | "root"

export interface WebhookRequest {
  readonly owner: WebhookOwner
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  /** JSON. */
  readonly body: string
}

export class WebhookClient extends Context.Service<WebhookClient, {
  /** What is wrong with an address as it was typed; undefined: nothing. It is https, and for root also http on this machine. */
  problemOf(owner: WebhookOwner, url: string): OutboundProblem | undefined
  /** Succeeds with a status of 2xx. */
  post(request: WebhookRequest): Effect.Effect<void, WebhookFailed>
}>()("realms/notices/WebhookClient") {
  static readonly layer: Layer.Layer<WebhookClient, never, AppConfig> = Layer.effect(WebhookClient)(
    Effect.gen(function*() {
      const { answerBytesMax, timeoutMs } = yield* WebhookLimits
      const guards = { root: yield* makeOutboundGuard, user: yield* makeUserOutboundGuard }
      const agents = new Map<WebhookOwner, Agent>()
      yield* Effect.addFinalizer(() =>
        Effect.promise(() => Promise.all(Array.from(agents.values(), (agent) => agent.destroy())))
      )
      /** Made when it is first needed: no start waits for the client's modules. Connections are not kept: the next one is rare. */
      const agentOf = ({ Agent }: Undici, owner: WebhookOwner): Agent => {
        const made = agents.get(owner) ?? new Agent({
          connect: { timeout: timeoutMs, lookup: guards[owner].lookup },
          pipelining: 0,
          maxHeaderSize: HEADER_BYTES_MAX
        })
        agents.set(owner, made)
        return made
      }

      const problemOf = (owner: WebhookOwner, url: string): OutboundProblem | undefined =>
        problemWith(guards[owner], owner, url)

      const post = Effect.fn("WebhookClient.post")(function*({ body, headers, owner, url }: WebhookRequest) {
        // An address is not resolved, so that only this keeps one from being called.
        if (problemOf(owner, url) !== undefined) return yield* failed("forbidden")
        const status = yield* Effect.promise(() => import("undici")).pipe(
          Effect.flatMap((client) =>
            Effect.tryPromise({
              try: (signal) => send(client, agentOf(client, owner), { url, headers, body, signal, answerBytesMax }),
              catch: failureOf
            })
          ),
          Effect.timeoutOrElse({
            duration: timeoutMs,
            orElse: () => failed("timeout")
          })
        )
        if (status >= 200 && status <= 299) return
        return yield* new WebhookFailed({ reason: `status ${status}`, isGone: status === GONE })
      })

      return WebhookClient.of({ problemOf, post })
    })
  )
}

const GONE = 410

/** The body of an answer is waited for no longer. */
const BODY_MS_MAX = 1_000

const HEADER_BYTES_MAX = 16_384

type Undici = typeof undici

const failed = (reason: string) => Effect.fail(new WebhookFailed({ reason, isGone: false }))

const problemWith = (guard: OutboundGuard, owner: WebhookOwner, url: string): OutboundProblem | undefined => {
  const isEncrypted = owner === "root" ? isHttpsOrLoopback(url) : /^https:/i.test(url)
  return guard.problemOf(url) ?? (isEncrypted ? undefined : "url")
}

/** Names the kind of failure, and nothing that a receiver said. */
const failureOf = (error: unknown): WebhookFailed => {
  const code = error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : "no code"
  const reason = code === OUTBOUND_REFUSED ? "forbidden" : `connection ${code.replace(/[^\w ]/g, "")}`
  return new WebhookFailed({ reason, isGone: false })
}

interface Sent {
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
  readonly signal: AbortSignal
  readonly answerBytesMax: number
}

/** Answers the status. A redirect is not followed: it is a failure like any other status. */
async function send({ request }: Undici, dispatcher: Agent, sent: Sent): Promise<number> {
  const { answerBytesMax, body, headers, signal, url } = sent
  const answer = await request(url, {
    dispatcher,
    method: "POST",
    signal,
    headers: { ...headers, "content-type": "application/json", "user-agent": "Realms-Webhook" },
    body
  })
  // The status is what counts: a body that does not end, or breaks, changes nothing.
  await answer.body.dump({ limit: answerBytesMax, signal: AbortSignal.timeout(BODY_MS_MAX) }).catch(() => undefined)
  return answer.statusCode
}
