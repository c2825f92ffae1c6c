/**
 * The strict stand-ins of the outside world, over real HTTP and offline: an upstream that looks like OpenAI, a Stripe, an EPay
 * gateway. The demo loads them from here; nothing else in the product does.
 */
export { acquireEpay } from "./epay/EpaySimulator.ts"
export { acquireStripe } from "./stripe/StripeSimulator.ts"
export { acquireUpstream } from "./upstream/UpstreamSimulator.ts"
