/**
 * How the tests of the simulated Stripe talk to it: the official SDK, and a webhook endpoint that verifies with it.
 */
import { it } from "@effect/vitest"
import { Effect } from "effect"
import { Stripe } from "stripe"
import { acquireStripe, type StripeOptions, type StripeSimulator } from "../../simulators/stripe/StripeSimulator.ts"
import { type Callback, type CallbackProbe, startCallbackProbe } from "./CallbackProbe.ts"

export interface StripeWorld {
  readonly sim: StripeSimulator
  readonly sdk: Stripe
  readonly shop: CallbackProbe
  /** What the shop got, each verified by the SDK. */
  readonly events: () => ReadonlyArray<Stripe.Event>
}

export const sdkOf = (sim: StripeSimulator, config: Stripe.StripeConfig = {}, key = sim.secretKey) =>
  new Stripe(key, { ...sim.address, maxNetworkRetries: 0, telemetry: false, ...config })

export const verified = (sdk: Stripe, sim: StripeSimulator, { body, headers }: Callback): Stripe.Event =>
  sdk.webhooks.constructEvent(body, headers["stripe-signature"] ?? "", sim.webhookSecret)

export const withStripe = (
  name: string,
  run: (world: StripeWorld) => Promise<void>,
  options: StripeOptions = {}
) =>
  it.live(name, () =>
    Effect.gen(function*() {
      const shop = yield* Effect.acquireRelease(
        Effect.promise(startCallbackProbe),
        (probe) => Effect.promise(probe.close)
      )
      const sim = yield* acquireStripe({ webhookUrl: shop.url, retryDelaysMs: [1, 1], ...options })
      const sdk = sdkOf(sim)
      const events = () => shop.received.map((callback) => verified(sdk, sim, callback))
      yield* Effect.promise(() => run({ sim, sdk, shop, events }))
    }))

export const lineItem = (unit_amount = 2000, currency = "cny") => ({
  price_data: { currency, unit_amount, product_data: { name: "Top-up <b>20</b>" } },
  quantity: 1
})

export const params = (
  extra: Partial<Stripe.Checkout.SessionCreateParams> = {}
): Stripe.Checkout.SessionCreateParams => ({
  mode: "payment",
  line_items: [lineItem()],
  client_reference_id: "topup_1_abc",
  metadata: { reference: "topup_1_abc" },
  payment_intent_data: { metadata: { reference: "topup_1_abc" } },
  success_url: "http://127.0.0.1:9/pay/done?session={CHECKOUT_SESSION_ID}",
  cancel_url: "http://127.0.0.1:9/pay/cancel",
  allow_promotion_codes: false,
  automatic_tax: { enabled: false },
  adaptive_pricing: { enabled: false },
  ...extra
})

/** The error a promise fails with; undefined when it does not. */
export const failureOf = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(() => undefined, (error: unknown) => error)
