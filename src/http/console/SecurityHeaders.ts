/**
 * The policy that browsers hold every page to: nothing but this site's own files may run, style or load, and forms go to this
 * site and to where payments are made. There is no inline script or style in our own pages, so none has to be allowed.
 */
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
