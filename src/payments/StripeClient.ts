/**
 * What is asked of Stripe: Checkout Sessions made, looked at and expired, money back. By the official SDK, with a client
 * per key; no key is ever in an error.
 */
import { Context, Effect, Layer, Redacted } from "effect"
import { createHash } from "node:crypto"
import { Stripe } from "stripe"
import type { StripeConfig } from "../platform/Config.ts"
import { ProviderOff, ProviderRefused, ProviderUnavailable } from "./PaymentError.ts"
import type { PaymentFact } from "./PaymentFact.ts"
import { factOf, isJson, sessionTold, textIn } from "./StripeFacts.ts"

export interface SessionOrder {
  readonly reference: string
  /** In the currency's smallest unit. */
  readonly amountMinor: bigint
  /** In lower case. */
  readonly currency: string
  /** The one line of the payment page. */
  readonly name: string
  readonly successUrl: string
  readonly cancelUrl: string
  /** Between 30 minutes and 24 hours from now. The same at each repetition, as everything here. */
  readonly expiresAtSeconds: number
  readonly customerEmail?: string | undefined
}

export interface OpenedSession {
  readonly session: string
  readonly url: string
  readonly expiresAtSeconds: number
}

export interface SessionNow {
  /** `processing`: complete, and the money is still to come. `expired`: it will not come any more. */
  readonly state: "open" | "paid" | "processing" | "expired"
  /** What follows from it: `Paid`, `Processing`, `Ended`; undefined while it is open. */
  readonly fact: PaymentFact | undefined
  /** Where to pay, while it is open. */
  readonly url: string | undefined
}

export interface RefundOrder {
  /** The payment intent. */
  readonly payment: string
  /** All that is left, when not said. */
  readonly amountMinor?: bigint | undefined
  /** The idempotency key. */
  readonly key: string
}

/** How every request may fail: no key, an answer for good, no answer. */
export type StripeFailure = ProviderOff | ProviderRefused | ProviderUnavailable

export class StripeClient extends Context.Service<StripeClient, {
  /** A short fingerprint of the account: tells keys apart and shows none. */
  accountOf(config: StripeConfig): string
  /** Makes a session, once for a reference however often it is asked. Fails with `ProviderOff` when Stripe is off. */
  create(config: StripeConfig, order: SessionOrder): Effect.Effect<OpenedSession, StripeFailure>
  /** Also while Stripe is off, as long as there is a key; so do the others. */
  retrieve(config: StripeConfig, sessionId: string): Effect.Effect<SessionNow, StripeFailure>
  /** Closes a session. One that is not open any more is what it says: `complete` may mean that it is paid. */
  expire(config: StripeConfig, sessionId: string): Effect.Effect<"complete" | "expired", StripeFailure>
  /** Gives money back; answers the refund's id. */
  refund(config: StripeConfig, refund: RefundOrder): Effect.Effect<{ readonly refund: string }, StripeFailure>
  /** Whether the key works. */
  ping(config: StripeConfig): Effect.Effect<void, StripeFailure>
}>()("realms/payments/StripeClient") {
  static readonly layer: Layer.Layer<StripeClient> = Layer.effect(StripeClient, Effect.suspend(() => make))
}

/** Clients kept at once: one for each key that was used lately. */
const CLIENTS_MAX = 4

/** One request to Stripe takes no longer, in milliseconds; it is repeated by the SDK so often, under one idempotency key. */
const REQUEST_MS_MAX = 15_000
const RETRIES_MAX = 2

const FINGERPRINT_CHARACTERS = 16

/** Where the SDK goes; undefined: to Stripe itself. */
const addressOf = (apiBase: string) => {
  if (apiBase === "") return {}
  const url = new URL(apiBase)
  const protocol = url.protocol === "http:" ? "http" as const : "https" as const
  // A URL has an IPv6 address in brackets, a connection has it without.
  const host = url.hostname.replace(/^\[(.*)\]$/, "$1")
  return { protocol, host, port: url.port === "" ? (protocol === "http" ? 80 : 443) : Number(url.port) }
}

/** Sorted into what a caller may do about it. Stripe's texts may quote a part of a key: theirs are not passed on. */
const failureOf = (error: unknown): ProviderRefused | ProviderUnavailable => {
  if (error instanceof Stripe.errors.StripeInvalidRequestError) {
    const what = [error.code, error.param].filter((part) => typeof part === "string" && part !== "").join(", ")
    return new ProviderRefused({ provider: "stripe", why: what === "" ? "invalid request" : what })
  }
  if (error instanceof Stripe.errors.StripeIdempotencyError) {
    return new ProviderRefused({ provider: "stripe", why: "asked for before with other terms" })
  }
  const kind = error instanceof Stripe.errors.StripeError ? error.type : "no answer"
  return new ProviderUnavailable({ provider: "stripe", why: kind })
}

const make = Effect.sync(() => {
  const clients = new Map<string, Stripe>()

  const accountOf = (config: StripeConfig): string =>
    createHash("sha256").update(`${Redacted.value(config.secretKey)}@${config.apiBase}`).digest("hex").slice(
      0,
      FINGERPRINT_CHARACTERS
    )

  const clientOf = (config: StripeConfig): Stripe => {
    const account = accountOf(config)
    const known = clients.get(account)
    if (known !== undefined) return known
    const [oldest] = clients.keys()
    if (clients.size >= CLIENTS_MAX && oldest !== undefined) clients.delete(oldest)
    const client = new Stripe(Redacted.value(config.secretKey), {
      ...addressOf(config.apiBase),
      maxNetworkRetries: RETRIES_MAX,
      timeout: REQUEST_MS_MAX,
      telemetry: false
    })
    clients.set(account, client)
    return client
  }

  const ask = <A>(config: StripeConfig, question: (client: Stripe) => Promise<A>): Effect.Effect<A, StripeFailure> =>
    Redacted.value(config.secretKey) === ""
      ? Effect.fail(new ProviderOff({ provider: "stripe" }))
      : Effect.tryPromise({ try: () => question(clientOf(config)), catch: failureOf })

  const create = Effect.fn("StripeClient.create")(function*(config: StripeConfig, order: SessionOrder) {
    if (!config.enabled) return yield* new ProviderOff({ provider: "stripe" })
    if (order.amountMinor > BigInt(Number.MAX_SAFE_INTEGER)) {
      return yield* new ProviderRefused({ provider: "stripe", why: "the amount is too large" })
    }
    const metadata = { reference: order.reference }
    const session = yield* ask(config, (client) =>
      client.checkout.sessions.create({
        mode: "payment",
        line_items: [{
          quantity: 1,
          price_data: {
            currency: order.currency,
            unit_amount: Number(order.amountMinor),
            product_data: { name: order.name }
          }
        }],
        client_reference_id: order.reference,
        metadata,
        payment_intent_data: { metadata },
        success_url: order.successUrl,
        cancel_url: order.cancelUrl,
        expires_at: order.expiresAtSeconds,
        allow_promotion_codes: false,
        automatic_tax: { enabled: false },
        adaptive_pricing: { enabled: false },
        ...(order.customerEmail === undefined ? {} : { customer_email: order.customerEmail })
      }, { idempotencyKey: `realms-${order.reference}` }))
    if (session.url === null) return yield* new ProviderRefused({ provider: "stripe", why: "the session has no page" })
    return { session: session.id, url: session.url, expiresAtSeconds: session.expires_at } satisfies OpenedSession
  })

  const stateOf = (fact: PaymentFact): SessionNow["state"] => {
    if (fact._tag === "Ended") return "expired"
    if (fact._tag === "Processing") return "processing"
    return fact._tag === "Paid" || fact._tag === "Unreadable" ? "paid" : "open"
  }

  const retrieve = Effect.fn("StripeClient.retrieve")(function*(config: StripeConfig, sessionId: string) {
    const session: unknown = yield* ask(
      config,
      (client) => client.checkout.sessions.retrieve(sessionId, { expand: ["payment_intent"] })
    )
    if (!isJson(session)) return yield* new ProviderUnavailable({ provider: "stripe", why: "no session in its answer" })
    const told = sessionTold(session)
    const state = stateOf(factOf({ eventKey: "", kind: "", atSeconds: 0 }, told))
    const fact = factOf({ eventKey: `session:${sessionId}:${state}`, kind: "checkout.session", atSeconds: 0 }, told)
    return {
      state,
      fact: state === "open" ? undefined : fact,
      url: textIn(session, "url") ?? undefined
    } satisfies SessionNow
  })

  const expire = Effect.fn("StripeClient.expire")(function*(config: StripeConfig, sessionId: string) {
    const expired = yield* Effect.result(ask(config, (client) => client.checkout.sessions.expire(sessionId)))
    if (expired._tag === "Success") return "expired" as const
    if (expired.failure._tag !== "ProviderRefused") return yield* expired.failure
    // Only an open session can be expired: what it is instead is asked.
    const { state } = yield* retrieve(config, sessionId)
    return state === "open" ? yield* expired.failure : state === "expired" ? "expired" as const : "complete" as const
  })

  const refund = Effect.fn("StripeClient.refund")(function*(config: StripeConfig, order: RefundOrder) {
    const made = yield* ask(config, (client) =>
      client.refunds.create({
        payment_intent: order.payment,
        ...(order.amountMinor === undefined ? {} : { amount: Number(order.amountMinor) })
      }, { idempotencyKey: order.key }))
    return { refund: made.id }
  })

  const ping = (config: StripeConfig) => Effect.asVoid(ask(config, (client) => client.balance.retrieve()))

  return StripeClient.of({ accountOf, create, retrieve, expire, refund, ping })
})
