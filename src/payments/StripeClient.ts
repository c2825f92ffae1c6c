/**
 * What is asked of Stripe: Checkout Sessions made, looked at and expired, money back. By the official SDK, with a client
 * per key; no key is ever in an error.
 */
import { Context, Effect, Layer, Redacted } from "effect"
import { createHash } from "node:crypto"
import type { Stripe } from "stripe"
import { isHttpsOrLoopback, type StripeConfig } from "../config/Config.ts"
import type { RefundId } from "../domain/Ids.ts"
import { databaseJson, databaseText } from "../postgres/DatabaseText.ts"
import { evidenceOfJson } from "./Evidence.ts"
import { ProviderOff, ProviderRefused, ProviderUnavailable } from "./PaymentError.ts"
import type { PaymentFact, RefundTold } from "./PaymentFact.ts"
import {
  factOf,
  idIn,
  isJson,
  type Json,
  REFERENCE_KEY,
  referenceIn,
  REFUND_KEY,
  refundIn,
  sessionTold,
  textIn
} from "./StripeFacts.ts"
import { stripeSdk } from "./StripeSdk.ts"

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
  /** Our row of it, which the refund carries from then on; null for one that was asked for before refunds carried it. */
  readonly row: RefundId | null
}

/** How every request may fail: no key, an answer for good, no answer. */
export type StripeFailure = ProviderOff | ProviderRefused | ProviderUnavailable

/** A short fingerprint of the account: tells keys apart and shows none. */
export const stripeAccountOf = (config: StripeConfig): string =>
  createHash("sha256").update(`${Redacted.value(config.secretKey)}@${config.apiBase}`).digest("hex").slice(
    0,
    FINGERPRINT_CHARACTERS
  )

export class StripeClient extends Context.Service<StripeClient, {
  /** Makes a session, once for a reference however often it is asked. Fails with `ProviderOff` when Stripe is off. */
  create(config: StripeConfig, order: SessionOrder): Effect.Effect<OpenedSession, StripeFailure>
  /** Also while Stripe is off, as long as there is a key; so do the others. */
  retrieve(config: StripeConfig, sessionId: string): Effect.Effect<SessionNow, StripeFailure>
  /** Closes a session. One that is not open any more is what it says: `complete` may mean that it is paid. */
  expire(config: StripeConfig, sessionId: string): Effect.Effect<"complete" | "expired", StripeFailure>
  /** Gives money back; answers what the refund is then. */
  refund(config: StripeConfig, refund: RefundOrder): Effect.Effect<RefundTold, StripeFailure>
  /** Every refund of a payment intent, those that others asked for too. */
  refunds(config: StripeConfig, payment: string): Effect.Effect<ReadonlyArray<RefundTold>, StripeFailure>
  /** The merchant reference that a payment intent carries; null: none of ours, or there is no such payment. */
  referenceOf(config: StripeConfig, payment: string): Effect.Effect<string | null, StripeFailure>
  /** The payment intent of a charge; null: it has none, or there is no such charge. */
  paymentOf(config: StripeConfig, charge: string): Effect.Effect<string | null, StripeFailure>
  /** Whether the key works. */
  ping(config: StripeConfig): Effect.Effect<void, StripeFailure>
}>()("realms/payments/StripeClient") {
  static readonly layer: Layer.Layer<StripeClient> = Layer.effect(
    StripeClient,
    Effect.sync(() => {
      const clients = new Map<string, Stripe>()

      const clientOf = (sdk: typeof Stripe, config: StripeConfig): Stripe => {
        const account = stripeAccountOf(config)
        const known = clients.get(account)
        if (known !== undefined) return known
        const [oldest] = clients.keys()
        if (clients.size >= CLIENTS_MAX && oldest !== undefined) clients.delete(oldest)
        const client = new sdk(Redacted.value(config.secretKey), {
          ...addressOf(config.apiBase),
          maxNetworkRetries: RETRIES_MAX,
          timeout: REQUEST_MS_MAX,
          telemetry: false
        })
        clients.set(account, client)
        return client
      }

      /** Asks, and sees that the answer is an object of the kind: the SDK takes any JSON for one. */
      const ask = Effect.fnUntraced(function*(
        config: StripeConfig,
        kind: "checkout.session" | "refund" | "list" | "payment_intent" | "charge" | "balance",
        question: (client: Stripe) => Promise<unknown>
      ): Effect.fn.Return<Json, StripeFailure> {
        if (Redacted.value(config.secretKey) === "") return yield* new ProviderOff({ provider: "stripe" })
        if (!isFit(config.apiBase)) return yield* unavailable("api_base is neither https nor on this machine")
        const sdk = yield* stripeSdk
        const answer: unknown = yield* Effect.tryPromise({
          try: () => question(clientOf(sdk, config)),
          catch: (error) => failureOf(sdk, error)
        }).pipe(
          Effect.timeoutOrElse({
            duration: QUESTION_MS_MAX,
            orElse: () => Effect.fail(unavailable("there was no answer in time"))
          })
        )
        const clean: unknown = JSON.parse(databaseJson(JSON.stringify(answer ?? null)))
        return isJson(clean) && clean.object === kind ? clean : yield* unavailable(`its answer is no ${kind}`)
      })

      const create = Effect.fn("StripeClient.create")(function*(config: StripeConfig, order: SessionOrder) {
        if (!config.enabled) return yield* new ProviderOff({ provider: "stripe" })
        if (!isAmount(order.amountMinor)) return yield* badAmount
        const metadata = { [REFERENCE_KEY]: order.reference }
        const session = yield* ask(config, "checkout.session", (client) =>
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
        const id = textIn(session, "id")
        const url = textIn(session, "url")
        if (id === null) return yield* unavailable("its session has no id")
        // Asked again under the same key, a session that is over has no page any more.
        if (url === null) return yield* new ProviderRefused({ provider: "stripe", why: "the session has no page" })
        return { session: id, url, expiresAtSeconds: order.expiresAtSeconds } satisfies OpenedSession
      })

      const retrieve = Effect.fn("StripeClient.retrieve")(function*(config: StripeConfig, sessionId: string) {
        const session = yield* ask(
          config,
          "checkout.session",
          (client) => client.checkout.sessions.retrieve(sessionId, { expand: ["payment_intent"] })
        )
        const told = sessionTold(session)
        const state = stateOf(textIn(session, "status"), told.body._tag)
        if (state === undefined) return yield* unavailable("its session is in no state that is known")
        const evidence = evidenceOfJson(session)
        const identity = { eventKey: `session:${sessionId}:${state}`, kind: "checkout.session", atSeconds: 0, evidence }
        const fact = factOf(identity, told)
        return {
          state,
          fact: state === "open" ? undefined : fact,
          url: textIn(session, "url") ?? undefined
        } satisfies SessionNow
      })

      const expire = Effect.fn("StripeClient.expire")(function*(config: StripeConfig, sessionId: string) {
        const expired = yield* Effect.result(
          ask(config, "checkout.session", (client) => client.checkout.sessions.expire(sessionId))
        )
        if (expired._tag === "Success") {
          return textIn(expired.success, "status") === "expired"
            ? "expired" as const
            : yield* unavailable("its session did not expire")
        }
        if (expired.failure._tag !== "ProviderRefused") return yield* expired.failure
        // Only an open session can be expired: what it is instead is asked.
        const { state } = yield* retrieve(config, sessionId)
        return state === "open"
          ? yield* expired.failure
          : state === "expired"
          ? "expired" as const
          : "complete" as const
      })

      const unreadableRefund = unavailable("its refund is not what it should be")

      const refund = Effect.fn("StripeClient.refund")(function*(config: StripeConfig, order: RefundOrder) {
        if (order.amountMinor !== undefined && !isAmount(order.amountMinor)) return yield* badAmount
        const made = yield* ask(config, "refund", (client) =>
          client.refunds.create({
            payment_intent: order.payment,
            ...(order.amountMinor === undefined ? {} : { amount: Number(order.amountMinor) }),
            ...(order.row === null ? {} : { metadata: { [REFUND_KEY]: String(order.row) } })
          }, { idempotencyKey: order.key }))
        return refundIn(made) ?? (yield* unreadableRefund)
      })

      const unreadableList = new ProviderRefused({ provider: "stripe", why: "a refund cannot be read" })

      const refunds = Effect.fn("StripeClient.refunds")(function*(config: StripeConfig, payment: string) {
        const all: Array<RefundTold> = []
        for (let page = 0; page < REFUND_PAGES_MAX; page++) {
          const last = all.at(-1)?.refund
          const listed = yield* ask(config, "list", (client) =>
            client.refunds.list({
              payment_intent: payment,
              limit: REFUNDS_PAGE,
              ...(last === undefined || last === null ? {} : { starting_after: last })
            }))
          const items: ReadonlyArray<unknown> = Array.isArray(listed.data) ? listed.data : []
          for (const item of items) all.push((isJson(item) ? refundIn(item) : undefined) ?? (yield* unreadableList))
          if (listed.has_more !== true) return all
        }
        return yield* new ProviderRefused({ provider: "stripe", why: "it has more refunds than can be listed" })
      })

      const referenceOf = Effect.fn("StripeClient.referenceOf")(function*(config: StripeConfig, payment: string) {
        const intent = yield* orMissing(
          ask(config, "payment_intent", (client) => client.paymentIntents.retrieve(payment))
        )
        return intent === undefined ? null : referenceIn(intent)
      })

      const paymentOf = Effect.fn("StripeClient.paymentOf")(function*(config: StripeConfig, id: string) {
        const charge = yield* orMissing(ask(config, "charge", (client) => client.charges.retrieve(id)))
        return charge === undefined ? null : idIn(charge, "payment_intent")
      })

      const ping = (config: StripeConfig) =>
        Effect.asVoid(ask(config, "balance", (client) => client.balance.retrieve()))

      return StripeClient.of({ create, retrieve, expire, refund, refunds, referenceOf, paymentOf, ping })
    })
  )
}

/** Undefined: Stripe knows no such object. */
const orMissing = <A>(asked: Effect.Effect<A, StripeFailure>): Effect.Effect<A | undefined, StripeFailure> =>
  Effect.catchIf(
    asked,
    (error) => error._tag === "ProviderRefused" && error.why.startsWith(MISSING),
    () => Effect.succeed(undefined)
  )

/** Clients kept at once: one for each key that was used lately. */
const CLIENTS_MAX = 4

/** One request to Stripe takes no longer, in milliseconds; it is repeated by the SDK so often, under one idempotency key. */
const REQUEST_MS_MAX = 15_000
const RETRIES_MAX = 2

/** A question with its repetitions takes no longer, however slowly its answer trickles. */
const QUESTION_MS_MAX = 40_000

const FINGERPRINT_CHARACTERS = 16

/** Refunds are listed in pages of so many, and of one payment at most so many pages. */
const REFUNDS_PAGE = 100
const REFUND_PAGES_MAX = 10

/** A key that lacks a permission. */
export const NOT_ALLOWED = "the key may not ask that"

/** What Stripe says of an id that it does not know. */
export const MISSING = "resource_missing"

/** An address that the key may be sent to: https, or this machine. */
const isFit = (apiBase: string): boolean => {
  if (apiBase === "") return true
  const url = URL.canParse(apiBase) ? new URL(apiBase) : undefined
  return url !== undefined && url.pathname === "/" && isHttpsOrLoopback(apiBase)
}

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
const failureOf = ({ errors }: typeof Stripe, error: unknown): ProviderRefused | ProviderUnavailable => {
  if (error instanceof errors.StripeInvalidRequestError) {
    const what = [error.code, error.param].filter((part) => typeof part === "string" && part !== "").join(", ")
    return new ProviderRefused({ provider: "stripe", why: what === "" ? "invalid request" : databaseText(what) })
  }
  if (error instanceof errors.StripePermissionError) {
    return new ProviderRefused({ provider: "stripe", why: NOT_ALLOWED })
  }
  if (error instanceof errors.StripeIdempotencyError) {
    return new ProviderRefused({ provider: "stripe", why: "the same request was made before with other terms" })
  }
  const kind = error instanceof errors.StripeError ? error.type : "no answer"
  return new ProviderUnavailable({ provider: "stripe", why: kind })
}

const unavailable = (why: string): ProviderUnavailable => new ProviderUnavailable({ provider: "stripe", why })

/** What the API takes: a JSON number that is exact. */
const isAmount = (amountMinor: bigint): boolean => amountMinor > 0n && amountMinor <= BigInt(Number.MAX_SAFE_INTEGER)

const badAmount = new ProviderRefused({ provider: "stripe", why: "the amount is out of bounds" })

/** What a session is, by its own status and what follows from it; undefined: none that is known. */
const stateOf = (status: string | null, tag: PaymentFact["_tag"]): SessionNow["state"] | undefined => {
  if (status === "open" || status === "expired") return status
  if (status !== "complete") return undefined
  if (tag === "Processing") return "processing"
  return tag === "Ended" ? "expired" : "paid"
}
