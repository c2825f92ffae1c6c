/**
 * A small image as text, for a setting: a `data:` URL, as browsers write it. What an image is, is told by its first bytes.
 */
import { Option, Result } from "effect"
import { Base64 } from "effect/encoding"

/** The largest, in bytes: browsers load it before they paint the first page. */
export const SITE_IMAGE_BYTES_MAX = 32_768

/** Base64 has four characters for three bytes; before it stands the type. */
export const SITE_IMAGE_CHARACTERS_MAX = Math.ceil(SITE_IMAGE_BYTES_MAX / 3) * 4 + 32

export interface SiteImage {
  readonly type: "image/png" | "image/jpeg" | "image/webp"
  readonly bytes: Uint8Array
}

const latin = (bytes: Uint8Array, from: number, to: number): string => String.fromCharCode(...bytes.subarray(from, to))

/** No SVG: one can run scripts of its own where it is opened by itself. */
const typeOf = (bytes: Uint8Array): SiteImage["type"] | undefined => {
  if (latin(bytes, 0, 8) === "\x89PNG\r\n\x1a\n") return "image/png"
  if (latin(bytes, 0, 3) === "\xff\xd8\xff") return "image/jpeg"
  return latin(bytes, 0, 4) === "RIFF" && latin(bytes, 8, 12) === "WEBP" ? "image/webp" : undefined
}

const pattern = /^data:image\/[a-z.+-]{1,20};base64,([A-Za-z0-9+/]*={0,2})$/

/** Undefined for any other text, and for an image that is too large. */
export const readSiteImage = (text: string): SiteImage | undefined => {
  if (text.length > SITE_IMAGE_CHARACTERS_MAX) return undefined
  const base64 = pattern.exec(text)?.[1]
  const bytes = base64 === undefined
    ? undefined
    : Option.getOrUndefined(Result.getSuccess(Base64.decode(base64)))
  if (bytes === undefined || bytes.length > SITE_IMAGE_BYTES_MAX) return undefined
  const type = typeOf(bytes)
  return type === undefined ? undefined : { type, bytes }
}
