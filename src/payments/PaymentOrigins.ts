/**
 * The origins where the payments of this installation are made.
 */
import { Redacted } from "effect"
import type { SettingsValues } from "../settings/Settings.ts"

const STRIPE_CHECKOUT = "https://checkout.stripe.com"

const originOf = (url: string): string | undefined => URL.canParse(url) ? new URL(url).origin : undefined

/** Those of the providers that are on: none where nothing can be paid. Browsers hold the redirects of a form to this list, too. */
export const paymentOrigins = ({ epay, stripe }: SettingsValues["payment"]): ReadonlyArray<string> => {
  const origins = [
    ...(epay.enabled ? [originOf(epay.gateway)] : []),
    ...(stripe.enabled && Redacted.value(stripe.secretKey) !== ""
      ? [STRIPE_CHECKOUT, ...(stripe.apiBase === "" ? [] : [originOf(stripe.apiBase)])]
      : [])
  ]
  return [...new Set(origins.filter((origin) => origin !== undefined))]
}
