/**
 * What the tests of Stripe share: a configuration, a simulated Stripe with the real client pointed at it, and an order.
 */
import { it } from "@effect/vitest"
import { Clock, Effect, Redacted } from "effect"
import { acquireStripe, type StripeOptions, type StripeSimulator } from "../../simulators/stripe/StripeSimulator.ts"
import type { StripeConfig } from "../../src/config/Config.ts"
import { type SessionOrder, StripeClient } from "../../src/payments/StripeClient.ts"
import type { Steps } from "../support/Steps.ts"

/** Of characters that come together nowhere else, so that a part of it is found for sure, and never by chance. */
export const STRIPE_KEY = "sk_test_QqXx77ZzJj55WwVvYyKk"

export const SECRET = "whsec_test_secret"

export const stripeConfig = (changed: Partial<StripeConfig> = {}): StripeConfig => ({
  enabled: true,
  secretKey: Redacted.make(STRIPE_KEY),
  webhookSecret: Redacted.make(SECRET),
  currency: "cny",
  minorPerFen: "1",
  apiBase: "",
  ...changed
})

export interface StripeWorld {
  readonly sim: StripeSimulator
  readonly config: StripeConfig
  readonly stripe: StripeClient["Service"]
  /** Lasts an hour unless said otherwise. */
  readonly order: (changed?: Partial<SessionOrder>) => SessionOrder
}

/** A test with a Stripe of its own, on the clock of the machine. Webhooks are only recorded. */
export const withStripe = (title: string, steps: Steps<StripeWorld, never>, options: StripeOptions = {}) =>
  it.live(title, () =>
    Effect.gen(function*() {
      const sim = yield* acquireStripe({ secretKey: STRIPE_KEY, webhooks: "manual", ...options })
      const stripe = yield* StripeClient
      const nowSeconds = Math.floor((options.now?.() ?? (yield* Clock.currentTimeMillis)) / 1_000)
      const order = (changed: Partial<SessionOrder> = {}): SessionOrder => ({
        reference: "topup_1001_abc",
        amountMinor: 2000n,
        currency: "cny",
        name: "Realms Top-up",
        successUrl: "http://127.0.0.1:9/pay/topup/1001",
        cancelUrl: "http://127.0.0.1:9/pay/topup/1001",
        expiresAtSeconds: nowSeconds + 3_600,
        ...changed
      })
      const config = stripeConfig({ apiBase: sim.url })
      yield* Effect.gen(() => steps({ sim, config, stripe, order }))
    }).pipe(Effect.provide(StripeClient.layer)))
