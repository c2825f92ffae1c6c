/**
 * The files that pages need - styles, scripts, the icon -, served from this installation's own packages. The address of a
 * file names its content, so that browsers keep it for good and get a new one after every change.
 */
import { Effect, Layer } from "effect"
import { HttpRouter, HttpServerRequest, HttpServerResponse } from "effect/http"
import { hash } from "node:crypto"
import { readFileSync } from "node:fs"
import { createRequire } from "node:module"
import { join } from "node:path"
import { brotliCompressSync, gzipSync } from "node:zlib"

const require = createRequire(import.meta.url)

/** htmx lets nobody look into its folder by a path with an extension; its main file is there. */
const packaged = (path: string): string => require.resolve(path)
const own = (name: string): string => join(import.meta.dirname, "assets", name)

const files = {
  "tabler.css": packaged("@tabler/core/dist/css/tabler.min.css"),
  "site.css": own("site.css"),
  "look.js": own("look.js"),
  "site.js": own("site.js"),
  "htmx.js": packaged("htmx.org/dist/htmx.min.js"),
  "icon.svg": own("icon.svg")
} as const

export type AssetName = keyof typeof files

const types: Readonly<Record<string, string>> = {
  css: "text/css; charset=utf-8",
  js: "text/javascript; charset=utf-8",
  svg: "image/svg+xml"
}

const HASH_LENGTH = 16

interface Asset {
  readonly name: string
  readonly path: string
  readonly type: string
  readonly content: Buffer
  encoded: { readonly br: Uint8Array; readonly gzip: Uint8Array } | undefined
}

const load = (name: AssetName): Asset => {
  // A source map is nowhere served, and a browser's tools would ask for it.
  const content = Buffer.from(readFileSync(files[name], "utf8").replace(/\n?\/[/*]# sourceMappingURL=.*$/m, ""))
  return {
    name,
    path: `/assets/${hash("sha256", content, "hex").slice(0, HASH_LENGTH)}/${name}`,
    type: types[name.slice(name.lastIndexOf(".") + 1)] ?? "application/octet-stream",
    content,
    encoded: undefined
  }
}

const names = ["tabler.css", "site.css", "look.js", "site.js", "htmx.js", "icon.svg"] as const

const byName = new Map<AssetName, Asset>()

const assetOf = (name: AssetName): Asset => {
  const known = byName.get(name)
  if (known !== undefined) return known
  const loaded = load(name)
  byName.set(name, loaded)
  return loaded
}

/** The address of a file, which changes with its content. */
export const assetPath = (name: AssetName): string => assetOf(name).path

/** Compressed once, when it is first asked for. */
const encodedOf = (asset: Asset): NonNullable<Asset["encoded"]> =>
  asset.encoded ??= { br: brotliCompressSync(asset.content), gzip: gzipSync(asset.content, { level: 9 }) }

const accepts = (request: HttpServerRequest.HttpServerRequest, coding: string): boolean =>
  (request.headers["accept-encoding"] ?? "").split(",").some((part) => part.split(";")[0]?.trim() === coding)

const answer = (asset: Asset, request: HttpServerRequest.HttpServerRequest): HttpServerResponse.HttpServerResponse => {
  const coding = accepts(request, "br") ? "br" : accepts(request, "gzip") ? "gzip" : undefined
  return HttpServerResponse.uint8Array(coding === undefined ? asset.content : encodedOf(asset)[coding], {
    contentType: asset.type,
    headers: {
      ...(coding === undefined ? {} : { "content-encoding": coding }),
      vary: "accept-encoding",
      "cache-control": "public, max-age=31536000, immutable",
      "x-content-type-options": "nosniff"
    }
  })
}

/** One route a file; an address of an older content is not found. */
export const AssetRoutes = Layer.unwrap(Effect.sync(() =>
  HttpRouter.addAll(names.map((name) => {
    const asset = assetOf(name)
    return HttpRouter.route(
      "GET",
      `/assets/${asset.path.slice("/assets/".length)}`,
      Effect.map(HttpServerRequest.HttpServerRequest, (request) => answer(asset, request))
    )
  }))
))
