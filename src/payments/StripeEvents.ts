/**
 * What Stripe tells by webhook: verified by the official SDK, then translated into a fact, whatever API version wrote it.
 */
import { Effect, Redacted } from "effect"
import type { StripeConfig } from "../platform/Config.ts"
import { NotVerified } from "./PaymentError.ts"
import type { PaymentFact } from "./PaymentFact.ts"

/** With an empty secret anyone can sign: the endpoint is off. */
export const isWebhookOn = (config: StripeConfig): boolean => Redacted.value(config.webhookSecret).trim() !== ""

/** Needs the webhook secret and does not ask whether the provider is on: what was started while it was on still settles. */
export const readStripeEvent = (
  _rawBody: string | Uint8Array,
  _signatureHeader: string | undefined,
  _config: StripeConfig,
  _nowSeconds: number
): Effect.Effect<PaymentFact, NotVerified> => Effect.fail(new NotVerified({ why: "nothing is read" }))
