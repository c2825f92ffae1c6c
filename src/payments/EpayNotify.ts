/**
 * What an EPay gateway tells of a payment, from the parameters of its notify: verified over all of them first, then read.
 */
import { Effect } from "effect"
import type { EpayConfig } from "../platform/Config.ts"
import type { EpayParams } from "./EpaySignature.ts"
import { NotVerified } from "./PaymentError.ts"
import type { PaymentFact } from "./PaymentFact.ts"

/** Needs a key and does not ask whether the provider is on: what was started while it was on still settles. */
export const readNotify = (_params: EpayParams, _config: EpayConfig): Effect.Effect<PaymentFact, NotVerified> =>
  Effect.fail(new NotVerified({ why: "nothing is read" }))
