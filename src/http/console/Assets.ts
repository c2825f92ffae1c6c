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
import { brotliCompress, gzip } from "node:zlib"

const require = createRequire(import.meta.url)

const packaged = (path: string): string => require.resolve(path)
const own = (name: string): string => join(import.meta.dirname, "assets", name)

const files = {
  "tabler.css": packaged("@tabler/core/dist/css/tabler.min.css"),
  "site.css": own("site.css"),
  "look.js": own("look.js"),
  "site.js": own("site.js"),
  "htmx.js": packaged("htmx.org/dist/htmx.min.js"),
  "icon.svg": own("icon.svg"),
  "touch.png": own("touch.png")
} as const

export type AssetName = keyof typeof files

const types: Readonly<Record<string, string>> = {
  css: "text/css; charset=utf-8",
  js: "text/javascript; charset=utf-8",
  svg: "image/svg+xml",
  png: "image/png"
}

const HASH_LENGTH = 16

interface Asset {
  readonly name: string
  readonly path: string
  readonly type: string
  readonly content: Buffer
  /** By another thread, once, when the file is first asked for so. */
  readonly encoded: { readonly br: Effect.Effect<Buffer>; readonly gzip: Effect.Effect<Buffer> }
}

type Encoder = (content: Buffer, done: (error: Error | null, encoded: Buffer) => void) => void

/** The largest takes a second of computing, which calls under way must not wait for. */
const encodedBy = (encode: Encoder, content: Buffer): Effect.Effect<Buffer> => {
  let encoding: Promise<Buffer> | undefined
  const start = () =>
    new Promise<Buffer>((resolve, reject) =>
      encode(content, (error, encoded) => error === null ? resolve(encoded) : reject(error))
    )
  return Effect.promise(() => encoding ??= start())
}

const load = (name: AssetName): Asset => {
  const read = readFileSync(files[name])
  // A source map is nowhere served, and a browser's tools would ask for it.
  const content = /\.(css|js)$/.test(name)
    ? Buffer.from(read.toString("utf8").replace(/\n?\/[/*]# sourceMappingURL=.*$/m, ""))
    : read
  return {
    name,
    path: `/assets/${hash("sha256", content, "hex").slice(0, HASH_LENGTH)}/${name}`,
    type: types[name.slice(name.lastIndexOf(".") + 1)] ?? "application/octet-stream",
    content,
    encoded: {
      br: encodedBy(brotliCompress, content),
      gzip: encodedBy((plain, done) => gzip(plain, { level: 9 }, done), content)
    }
  }
}

const names = ["tabler.css", "site.css", "look.js", "site.js", "htmx.js", "icon.svg", "touch.png"] as const

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

const accepts = (request: HttpServerRequest.HttpServerRequest, coding: string): boolean =>
  (request.headers["accept-encoding"] ?? "").split(",").some((part) => part.split(";")[0]?.trim() === coding)

const answer = Effect.fnUntraced(function*(asset: Asset) {
  const request = yield* HttpServerRequest.HttpServerRequest
  const coding = accepts(request, "br") ? "br" : accepts(request, "gzip") ? "gzip" : undefined
  const content = coding === undefined ? asset.content : yield* asset.encoded[coding]
  return HttpServerResponse.uint8Array(content, {
    contentType: asset.type,
    headers: {
      ...(coding === undefined ? {} : { "content-encoding": coding }),
      vary: "accept-encoding",
      "cache-control": "public, max-age=31536000, immutable",
      "x-content-type-options": "nosniff"
    }
  })
})

/** A console is nothing for search engines. */
const robots = HttpRouter.add("GET", "/robots.txt", HttpServerResponse.text("User-agent: *\nDisallow: /\n"))

/** Browsers and bookmarks ask for it by this name, whatever a page says. */
const favicon = HttpRouter.add(
  "GET",
  "/favicon.ico",
  Effect.sync(() => HttpServerResponse.redirect(assetPath("icon.svg"), { status: 302 }))
)

/** One route a file; an address of an older content is not found. */
const fileRoutes = Layer.unwrap(Effect.sync(() =>
  HttpRouter.addAll(names.map((name) => {
    const asset = assetOf(name)
    return HttpRouter.route("GET", `/assets/${asset.path.slice("/assets/".length)}`, answer(asset))
  }))
))

export const AssetRoutes = Layer.mergeAll(fileRoutes, robots, favicon)
