/**
 * What Stripe tells by webhook: verified by the official SDK, then translated into a fact, whatever API version wrote it.
 */
import { Effect, Redacted } from "effect"
import type { Stripe } from "stripe"
import type { StripeConfig } from "../config/Config.ts"
import { databaseJson } from "../postgres/DatabaseText.ts"
import { evidenceOfJson } from "./Evidence.ts"
import { NotVerified } from "./PaymentError.ts"
import type { PaymentFact } from "./PaymentFact.ts"
import { eventFact, isThin } from "./StripeFacts.ts"
import { stripeSdk } from "./StripeSdk.ts"

/** A signature is believed for so long, in seconds: Stripe's own default. */
const TOLERANCE_SECONDS = 300

/** With an empty secret anyone can sign: the endpoint is off. */
export const isWebhookOn = (config: StripeConfig): boolean => Redacted.value(config.webhookSecret).trim() !== ""

/** Keys say by their beginning which mode they are of. */
const isLiveKey = (config: StripeConfig): boolean => /^[rs]k_live_/.test(Redacted.value(config.secretKey))

/** The event of a body that Stripe has signed; throws what the SDK throws, or for no JSON. The SDK itself throws for thin events. */
const verifiedEvent = ({ webhooks }: typeof Stripe, { body, nowSeconds, secret, signature }: {
  readonly body: string | Uint8Array
  readonly signature: string
  readonly secret: string
  readonly nowSeconds: number
}): unknown => {
  if (webhooks.signature === null) throw new Error("the SDK has no signatures")
  webhooks.signature.verifyHeader(body, signature, secret, TOLERANCE_SECONDS, undefined, nowSeconds * 1_000)
  return JSON.parse(databaseJson(typeof body === "string" ? body : new TextDecoder().decode(body)))
}

/** The SDK's texts are long, and of what is no JSON they may quote a piece: the first line of its own is enough. */
const doubtOf = ({ errors }: typeof Stripe, error: unknown): NotVerified => {
  if (!(error instanceof errors.StripeSignatureVerificationError)) {
    return new NotVerified({ reason: "unreadable", why: "it is not an event" })
  }
  const why = error.message.split("\n")[0] ?? ""
  return new NotVerified({ reason: why.startsWith("Timestamp outside") ? "stale" : "signature", why })
}

/** Needs the webhook secret and does not ask whether the provider is on: what was started while it was on still settles. */
export const readStripeEvent = (
  { body, nowSeconds, signature }: {
    /** As it was received, byte by byte. */
    readonly body: string | Uint8Array
    /** The header `Stripe-Signature`. */
    readonly signature: string | undefined
    readonly nowSeconds: number
  },
  config: StripeConfig
): Effect.Effect<PaymentFact, NotVerified> =>
  Effect.gen(function*() {
    if (!isWebhookOn(config)) return yield* new NotVerified({ reason: "no_key", why: "no webhook secret is set" })
    if (signature === undefined) {
      return yield* new NotVerified({ reason: "signature", why: "there is no signature" })
    }
    const sdk = yield* stripeSdk
    const event = yield* Effect.try({
      try: () =>
        verifiedEvent(sdk, {
          body,
          signature,
          secret: Redacted.value(config.webhookSecret),
          nowSeconds
        }),
      catch: (error) => doubtOf(sdk, error)
    })
    if (isThin(event)) {
      yield* Effect.logWarning(
        "Stripe sends thin events to the webhook, which say nothing of payments: at Stripe, in the webhook's settings, choose " +
          "snapshot payloads (payload style) and the events that docs/payments.md lists"
      )
    }
    const fact = eventFact(event, isLiveKey(config))
    if (fact === undefined) {
      return yield* new NotVerified({ reason: "unreadable", why: "it is signed, but not an event" })
    }
    return { ...fact, evidence: evidenceOfJson(event) }
  })
