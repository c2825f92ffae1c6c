/**
 * The folder's layer: the clients of payment providers.
 */
import { Layer } from "effect"
import { EpayClient } from "./EpayClient.ts"
import { StripeClient } from "./StripeClient.ts"

export const PaymentsLayer = Layer.mergeAll(
  EpayClient.layer,
  StripeClient.layer
)
