/**
 * Stripe's SDK, loaded when it is first needed: no command and no start waits for its hundreds of modules.
 *
 * @internal
 */
import { Effect } from "effect"

export const stripeSdk = Effect.map(Effect.promise(() => import("stripe")), ({ Stripe }) => Stripe)
