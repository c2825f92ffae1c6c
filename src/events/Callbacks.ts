/**
 * What payment providers send is verified, translated and settled here. The sender of a message that cannot be verified learns
 * nothing. A verified message is on record before this succeeds.
 */
import { Clock, Context, Effect, Layer } from "effect"
import { type Settled, Settlement } from "../orders/Settlement.ts"
import { readNotify } from "../payments/EpayNotify.ts"
import { parseParams } from "../payments/EpayParams.ts"
import { type NotVerified, ProviderOff, type ProviderUnavailable } from "../payments/PaymentError.ts"
import { isWebhookOn, readStripeEvent } from "../payments/StripeEvents.ts"
import type { DatabaseUnavailable } from "../postgres/DatabaseUnavailable.ts"
import { Settings } from "../settings/Settings.ts"

export class Callbacks extends Context.Service<Callbacks, {
  /** A webhook of Stripe: its body as it came, and its `Stripe-Signature`. `ProviderOff` while no secret is set. */
  stripe(
    body: Uint8Array,
    signature: string | undefined
  ): Effect.Effect<Settled, NotVerified | ProviderOff | ProviderUnavailable | DatabaseUnavailable>
  /** A notify of EPay: the query of its address, and the form in its body if there is one. */
  epay(
    query: string,
    form: string | undefined
  ): Effect.Effect<Settled, NotVerified | ProviderUnavailable | DatabaseUnavailable>
}>()("realms/events/Callbacks") {
  static readonly layer = Layer.effect(Callbacks)(Effect.gen(function*() {
    const settings = yield* Settings
    const settlement = yield* Settlement

    const stripe = Effect.fn("Callbacks.stripe")(function*(body: Uint8Array, signature: string | undefined) {
      const config = (yield* settings.fresh).payment.stripe
      if (!isWebhookOn(config)) return yield* new ProviderOff({ provider: "stripe" })
      const nowSeconds = Math.floor((yield* Clock.currentTimeMillis) / 1_000)
      return yield* settlement.settle(yield* readStripeEvent({ body, signature, nowSeconds }, config))
    })

    const epay = Effect.fn("Callbacks.epay")(function*(query: string, form: string | undefined) {
      const params = yield* parseParams(query, form)
      return yield* settlement.settle(yield* readNotify(params, (yield* settings.fresh).payment.epay))
    })

    return Callbacks.of({ stripe, epay })
  }))
}
