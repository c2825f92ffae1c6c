/**
 * What browsers are told about every page: nothing but this site's own files may run, style or load, and forms go to this
 * site and to where payments are made. There is no inline script or style anywhere, so none has to be allowed.
 */
import { Redacted } from "effect"
import type { SettingsValues } from "../../settings/Settings.ts"

const STRIPE_CHECKOUT = "https://checkout.stripe.com"

const originOf = (url: string): string | undefined => URL.canParse(url) ? new URL(url).origin : undefined

/** Where the payments of this installation are made: browsers hold redirects after a form to this list too. */
export const paymentOrigins = ({ epay, stripe }: SettingsValues["payment"]): ReadonlyArray<string> => {
  const origins = [
    ...(epay.enabled ? [originOf(epay.gateway)] : []),
    ...(stripe.enabled && Redacted.value(stripe.secretKey) !== ""
      ? [STRIPE_CHECKOUT, ...(stripe.apiBase === "" ? [] : [originOf(stripe.apiBase)])]
      : [])
  ]
  return [...new Set(origins.filter((origin) => origin !== undefined))]
}

/** The policy of a page whose forms go to this site and to `formOrigins`. */
export const contentSecurityPolicy = (formOrigins: ReadonlyArray<string>): string =>
  [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self' data:",
    "font-src 'self'",
    "connect-src 'self'",
    `form-action ${["'self'", ...formOrigins].join(" ")}`,
    "base-uri 'none'",
    "frame-ancestors 'none'"
  ].join("; ")

/** Headers of every page. */
export const securityHeaders = (formOrigins: ReadonlyArray<string>): Readonly<Record<string, string>> => ({
  "content-security-policy": contentSecurityPolicy(formOrigins),
  "x-content-type-options": "nosniff",
  "referrer-policy": "same-origin",
  "cross-origin-opener-policy": "same-origin",
  "permissions-policy": "camera=(), geolocation=(), microphone=(), payment=()",
  "cache-control": "private, no-store"
})
