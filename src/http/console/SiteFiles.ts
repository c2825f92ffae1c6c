/**
 * What the settings of the site are on pages: its logo, served under an address that names its content, and where its terms are read.
 */
import { Effect } from "effect"
import { HttpRouter, HttpServerResponse } from "effect/http"
import { hash } from "node:crypto"
import type { SiteConfig } from "../../config/Config.ts"
import { readSiteImage, type SiteImage } from "../../domain/SiteImage.ts"
import { Settings } from "../../settings/Settings.ts"
import { assetPath } from "./Assets.ts"

const HASH_LENGTH = 16

/** The logo that was asked for last: pages ask for the same one each time. */
let last: { readonly text: string; readonly digest: string; readonly image: SiteImage | undefined } = {
  text: "",
  digest: "",
  image: undefined
}

const logoOf = ({ logo }: Pick<SiteConfig, "logo">) => {
  if (logo !== last.text) {
    last = { text: logo, digest: hash("sha256", logo, "hex").slice(0, HASH_LENGTH), image: readSiteImage(logo) }
  }
  return last
}

/** The site's own logo, or ours. */
export const logoPath = (site: Pick<SiteConfig, "logo">): string => {
  const { digest, image } = logoOf(site)
  return image === undefined ? assetPath("icon.svg") : `/site/logo/${digest}`
}

/** Whether all of a text is an address. */
const isAddress = (text: string): boolean => /^https?:\/\/\S+$/i.test(text) && URL.canParse(text)

/** Where the terms are read: at their own address, or here. Undefined: there are none. */
export const termsPath = ({ terms }: SiteConfig): string | undefined =>
  terms === "" ? undefined : isAddress(terms) ? terms : "/terms"

/** A link to the contact of the site, where it is an e-mail address or a web address. */
export const contactPath = ({ contact }: SiteConfig): string | undefined =>
  isAddress(contact) ? contact : /^[^\s@:/?#]+@[^\s@:/?#]+$/.test(contact) ? `mailto:${contact}` : undefined

export const LogoRoute = HttpRouter.add(
  "GET",
  "/site/logo/:digest",
  Effect.gen(function*() {
    const { digest, image } = logoOf((yield* Settings).current().site)
    const asked = (yield* HttpRouter.params)["digest"]
    if (image === undefined || asked !== digest) return HttpServerResponse.empty({ status: 404 })
    return HttpServerResponse.uint8Array(image.bytes, {
      contentType: image.type,
      headers: {
        "cache-control": "public, max-age=31536000, immutable",
        "content-security-policy": "default-src 'none'; sandbox",
        "x-content-type-options": "nosniff"
      }
    })
  })
)
