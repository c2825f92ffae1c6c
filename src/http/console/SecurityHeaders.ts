/**
 * The policy that browsers hold every page to: nothing but this site's own files may run, style or load, and forms go to this
 * site and to where payments are made. There is no inline script or style in our own pages, so none has to be allowed.
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

/** What a page made by a package has inline, each as its hash: `'sha256-…'`. */
export interface InlineHashes {
  readonly scripts: ReadonlyArray<string>
  readonly styles: ReadonlyArray<string>
}

const nothingInline: InlineHashes = { scripts: [], styles: [] }

/** The policy of a page whose forms go to this site and to `formOrigins`. */
export const contentSecurityPolicy = (
  formOrigins: ReadonlyArray<string>,
  { scripts, styles }: InlineHashes = nothingInline
): string =>
  [
    "default-src 'none'",
    ["script-src 'self'", ...scripts].join(" "),
    ["style-src 'self'", ...styles].join(" "),
    "img-src 'self' data:",
    "font-src 'self'",
    "connect-src 'self'",
    `form-action ${["'self'", ...formOrigins].join(" ")}`,
    "base-uri 'none'",
    "frame-ancestors 'none'"
  ].join("; ")

/** Headers of every page. */
export const securityHeaders = (
  formOrigins: ReadonlyArray<string>,
  inline: InlineHashes = nothingInline
): Readonly<Record<string, string>> => ({
  "content-security-policy": contentSecurityPolicy(formOrigins, inline),
  "x-content-type-options": "nosniff",
  "referrer-policy": "same-origin",
  "cross-origin-opener-policy": "same-origin",
  "permissions-policy": "camera=(), geolocation=(), microphone=(), payment=()",
  "cache-control": "private, no-store"
})
