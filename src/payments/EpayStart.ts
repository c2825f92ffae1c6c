/**
 * The start of a payment at an EPay gateway: the form that the payer's browser posts there, signed.
 */
import { Effect } from "effect"
import type { EpayConfig } from "../platform/Config.ts"
import { ProviderOff, type ProviderRefused } from "./PaymentError.ts"

export interface EpayOrder {
  readonly reference: string
  /** One of the configured types: `alipay`, `wxpay`, … */
  readonly method: string
  readonly amountFen: bigint
  /** The title that the payer sees; cut to what gateways keep. */
  readonly name: string
  readonly notifyUrl: string
  readonly returnUrl: string
  readonly device?: "pc" | "mobile" | undefined
}

export interface EpayForm {
  /** Where the browser posts the fields. */
  readonly action: string
  readonly fields: ReadonlyArray<readonly [name: string, value: string]>
}

export const epayForm = (
  _config: EpayConfig,
  _order: EpayOrder
): Effect.Effect<EpayForm, ProviderOff | ProviderRefused> => Effect.fail(new ProviderOff({ provider: "epay" }))
