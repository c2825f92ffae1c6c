/**
 * Whether a payment provider answers to the settings as they are saved: a question that changes nothing there, for root to ask
 * before anybody pays.
 */
import { Context, Effect, Layer } from "effect"
import { EpayClient } from "../payments/EpayClient.ts"
import type { ProviderOff, ProviderRefused, ProviderUnavailable } from "../payments/PaymentError.ts"
import type { Provider } from "../payments/PaymentFact.ts"
import { StripeClient } from "../payments/StripeClient.ts"
import type { DatabaseUnavailable } from "../postgres/DatabaseUnavailable.ts"
import { Settings } from "../settings/Settings.ts"

export class Connections extends Context.Service<Connections, {
  /** Succeeds when the provider has answered for this account. Also while it is switched off. */
  test(
    provider: Provider
  ): Effect.Effect<void, ProviderOff | ProviderRefused | ProviderUnavailable | DatabaseUnavailable>
}>()("realms/orders/Connections") {
  static readonly layer = Layer.effect(Connections)(Effect.gen(function*() {
    const settings = yield* Settings
    const epay = yield* EpayClient
    const stripe = yield* StripeClient
    return Connections.of({
      test: Effect.fn("Connections.test")(function*(provider: Provider) {
        const { payment } = yield* settings.fresh
        if (provider === "stripe") return yield* stripe.ping(payment.stripe)
        yield* epay.query(payment.epay, { reference: NO_ORDER })
      })
    })
  }))
}

/** No order has it: a gateway that knows the account answers that there is none. */
const NO_ORDER = "realms_connection_test"
