/**
 * The start of a payment at an EPay gateway: the form that the payer's browser posts there, signed. The browser carries
 * no secret, and what comes back with it proves nothing.
 */
import { Effect, Redacted } from "effect"
import { Buffer } from "node:buffer"
import type { EpayConfig } from "../config/Config.ts"
import { formatCny } from "../domain/Money.ts"
import { pageUrl } from "./EpayGateway.ts"
import { type EpayParams, sign } from "./EpaySignature.ts"
import { ProviderOff, ProviderRefused } from "./PaymentError.ts"

/** Gateways cut titles there, some before they verify the signature, so that a longer one never verifies. */
const NAME_BYTES_MAX = 127

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
  readonly fields: EpayParams
}

/**
 * The text up to so many bytes of UTF-8, never within a character, on one line: a browser posts a line break in its own way,
 * and what was signed is no longer what arrives.
 */
const cut = (text: string, bytesMax: number): string => {
  let kept = ""
  let bytes = 0
  for (const character of text.toWellFormed().replaceAll(/\p{Cc}+/gu, " ")) {
    bytes += Buffer.byteLength(character)
    if (bytes > bytesMax) break
    kept += character
  }
  return kept
}

const refused = (why: string) => Effect.fail(new ProviderRefused({ provider: "epay", why }))

export const epayForm = (
  config: EpayConfig,
  order: EpayOrder
): Effect.Effect<EpayForm, ProviderOff | ProviderRefused> => {
  const key = Redacted.value(config.key)
  const action = pageUrl(config, "submit.php")
  if (!config.enabled || key === "" || config.partnerId === "" || action === undefined) {
    return Effect.fail(new ProviderOff({ provider: "epay" }))
  }
  if (!config.types.includes(order.method)) return refused("this way of paying is not offered")
  if (order.amountFen <= 0n) return refused("the amount is not above zero")
  const params: EpayParams = [
    ["pid", config.partnerId],
    ["type", order.method],
    ["out_trade_no", order.reference],
    ["notify_url", order.notifyUrl],
    ["return_url", order.returnUrl],
    ["name", cut(order.name, NAME_BYTES_MAX)],
    ["money", formatCny(order.amountFen)],
    ...(order.device === undefined ? [] : [["device", order.device] as const])
  ]
  return Effect.succeed({
    action: action.href,
    fields: [...params, ["sign", sign(params, key)], ["sign_type", "MD5"]]
  })
}
