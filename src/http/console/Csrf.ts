/**
 * Proof that a form was made by a page of ours for this very visitor: a MAC under the secret of their cookie, which no
 * other site can read. Each page masks it afresh, so that compressed pages of the same visitor give nothing away
 * (BREACH); any of them is good as long as the cookie is.
 */
import { createHmac, randomBytes, timingSafeEqual } from "node:crypto"

const MAC_BYTES = 32

const macOf = (secret: string): Buffer => createHmac("sha256", secret).update("realms csrf").digest()

const xor = (a: Buffer, b: Buffer): Buffer => Buffer.from(a.map((byte, index) => byte ^ (b[index] ?? 0)))

/** A token for the holder of `secret`. */
export const csrfToken = (secret: string): string => {
  const mask = randomBytes(MAC_BYTES)
  return Buffer.concat([mask, xor(mask, macOf(secret))]).toString("base64url")
}

/** Whether a token was made for the holder of `secret`. */
export const isCsrfToken = (secret: string, token: string | null): boolean => {
  if (token === null || token.length > 4 * MAC_BYTES) return false
  const bytes = Buffer.from(token, "base64url")
  if (bytes.length !== 2 * MAC_BYTES) return false
  return timingSafeEqual(xor(bytes.subarray(0, MAC_BYTES), bytes.subarray(MAC_BYTES)), macOf(secret))
}

/** What a browser says of where a request comes from. */
export interface RequestOrigin {
  readonly secFetchSite: string | undefined
  readonly origin: string | undefined
  readonly host: string | undefined
}

const hostOf = (origin: string): string | undefined => URL.canParse(origin) ? new URL(origin).host : undefined

/**
 * Whether a browser says that a request comes from a page of another site. A host name that a foreign page chose is never
 * in `Host`, which the browser fills in from the address that it sends to. A client that says nothing is no browser.
 */
export const isForeign = (request: RequestOrigin, publicUrl: string): boolean => {
  if (request.secFetchSite !== undefined) {
    return request.secFetchSite !== "same-origin" && request.secFetchSite !== "none"
  }
  if (request.origin === undefined) return false
  const host = hostOf(request.origin)
  return host === undefined || (host !== request.host && host !== hostOf(publicUrl))
}
