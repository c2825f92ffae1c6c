/**
 * Stripe's SDK: hundreds of modules. A command loads it when it first needs it, and most never do; a server loads it at its start, so that no
 * request waits for it.
 */
import { Effect, Layer } from "effect"

export const stripeSdk = Effect.map(Effect.promise(() => import("stripe")), ({ Stripe }) => Stripe)

/** Has it loaded before there are requests. */
export const StripeSdkLayer = Layer.effectDiscard(stripeSdk)
