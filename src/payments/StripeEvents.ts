/**
 * What Stripe tells by webhook: verified by the official SDK, then translated into a fact, whatever API version wrote it.
 */
import { Effect, Redacted } from "effect"
import { Stripe } from "stripe"
import type { StripeConfig } from "../platform/Config.ts"
import { NotVerified } from "./PaymentError.ts"
import type { PaymentFact } from "./PaymentFact.ts"
import { eventFact } from "./StripeFacts.ts"

/** A signature is believed for so long, in seconds: Stripe's own default. */
const TOLERANCE_SECONDS = 300

/** With an empty secret anyone can sign: the endpoint is off. */
export const isWebhookOn = (config: StripeConfig): boolean => Redacted.value(config.webhookSecret).trim() !== ""

/** Keys say by their beginning which mode they are of. */
const isLiveKey = (config: StripeConfig): boolean => /^[rs]k_live_/.test(Redacted.value(config.secretKey))

/** Needs the webhook secret and does not ask whether the provider is on: what was started while it was on still settles. */
export const readStripeEvent = (
  rawBody: string | Uint8Array,
  signatureHeader: string | undefined,
  config: StripeConfig,
  nowSeconds: number
): Effect.Effect<PaymentFact, NotVerified> =>
  Effect.gen(function*() {
    if (!isWebhookOn(config)) return yield* new NotVerified({ why: "no webhook secret is set" })
    if (signatureHeader === undefined) return yield* new NotVerified({ why: "there is no signature" })
    const event: unknown = yield* Effect.try({
      try: () =>
        Stripe.webhooks.constructEvent(
          rawBody,
          signatureHeader,
          Redacted.value(config.webhookSecret),
          TOLERANCE_SECONDS,
          undefined,
          nowSeconds * 1_000
        ),
      // The SDK's texts are long, and of what is no JSON they may quote a piece: the first line of its own is enough.
      catch: (error) =>
        new NotVerified({
          why: error instanceof Stripe.errors.StripeSignatureVerificationError
            ? error.message.split("\n")[0] ?? ""
            : "it is no event"
        })
    })
    const fact = eventFact(event, isLiveKey(config))
    return fact ?? (yield* new NotVerified({ why: "it is signed, and no event" }))
  })
