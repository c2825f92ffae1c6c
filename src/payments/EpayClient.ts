/**
 * Questions to an EPay gateway: what became of an order, and money back. The answers are unsigned, so that who answers is
 * proved by TLS alone, and what is answered is compared with what was asked. The merchant key is in the address of a
 * query: addresses are never logged, traced or put into an error.
 */
import { Context, Effect, Layer } from "effect"
import type { EpayConfig } from "../platform/Config.ts"
import { type ProviderRefused, ProviderUnavailable } from "./PaymentError.ts"
import type { PaymentFact } from "./PaymentFact.ts"

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
  static readonly layer: Layer.Layer<EpayClient> = Layer.effect(EpayClient, Effect.suspend(() => make))
}

const make = Effect.succeed(EpayClient.of({
  query: () => Effect.fail(new ProviderUnavailable({ provider: "epay", why: "cannot be asked" })),
  refund: () => Effect.fail(new ProviderUnavailable({ provider: "epay", why: "cannot be asked" }))
}))
