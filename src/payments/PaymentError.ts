/**
 * How payments fail: a message that does not prove where it is from, and a provider that cannot be asked. Neither says more
 * than its receiver may know; details are for the log.
 */
import { Schema } from "effect"

/**
 * Why a message is not believed, for counts: there is no secret to verify with, it is too large or came too slowly, it cannot be
 * read in one way only, its parameters contradict each other, its signature is missing or wrong, or was made too long ago.
 */
export const unverifiedReasons = ["no_key", "too_large", "unreadable", "contradictory", "signature", "stale"] as const

const names = { epay: "EPay", stripe: "Stripe" } as const

/** The message is not from the provider, or not for us. Its sender learns no more than that. */
export class NotVerified extends Schema.TaggedError<NotVerified>()("NotVerified", {
  reason: Schema.Literals(unverifiedReasons),
  /** For the log. */
  why: Schema.String
}) {}

/** The provider did not answer, or not as it should. Trying again later is safe. */
export class ProviderUnavailable extends Schema.TaggedError<ProviderUnavailable>()("ProviderUnavailable", {
  provider: Schema.Literals(["epay", "stripe"]),
  /** For the log; never contains a key. */
  why: Schema.String
}) {
  override readonly message = `${names[this.provider]} did not answer as it should: ${this.why}`
}

/** The provider refuses the request for good. */
export class ProviderRefused extends Schema.TaggedError<ProviderRefused>()("ProviderRefused", {
  provider: Schema.Literals(["epay", "stripe"]),
  why: Schema.String
}) {
  override readonly message = `${names[this.provider]} refuses this: ${this.why}`
}

/** The provider is switched off or not set up. */
export class ProviderOff extends Schema.TaggedError<ProviderOff>()("ProviderOff", {
  provider: Schema.Literals(["epay", "stripe"])
}) {
  override readonly message = `payment by ${names[this.provider]} is switched off`
}
