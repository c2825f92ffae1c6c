/**
 * What a browser loads before it has painted a page for the first time: the page and every file that it names, compressed.
 */
import { assert, layer } from "@effect/vitest"
import { Effect } from "effect"
import { randomBytes } from "node:crypto"
import { get } from "node:http"
import { SITE_IMAGE_BYTES_MAX } from "../../../src/domain/SiteImage.ts"
import { ConsoleWorld } from "../../support/ConsoleWorld.ts"

const BYTES_MAX = 150_000

interface Loaded {
  readonly bytes: number
  readonly status: number
  readonly text: string
}

/** Bytes as they are sent; the text is read from another answer, which is not compressed. */
const load = (url: string, cookie: string, coding: string): Promise<Loaded> =>
  new Promise((resolve, reject) => {
    get(url, { headers: { cookie, "accept-encoding": coding } }, (answer) => {
      const pieces: Array<Buffer> = []
      answer.on("data", (piece: Buffer) => pieces.push(piece))
      answer.on("end", () => {
        const body = Buffer.concat(pieces)
        resolve({ bytes: body.length, status: answer.statusCode ?? 0, text: body.toString() })
      })
    }).on("error", reject)
  })

const pages = {
  nobody: ["/", "/login", "/register", "/models", "/models/gpt-4o-mini"],
  user: ["/", "/keys", "/usage", "/models", "/topup", "/subscription", "/orders", "/account", "/announcements"],
  root: [
    "/admin",
    "/admin/users",
    "/admin/orders",
    "/admin/payments",
    "/admin/plans",
    "/admin/codes",
    "/admin/usage",
    "/admin/channels",
    "/admin/models",
    "/admin/models/new",
    "/admin/announcements",
    "/admin/settings",
    "/admin/settings/billing",
    "/admin/audit"
  ]
}

/** As large as a logo may be, and not to be compressed any further. */
const logo = Buffer.concat([Buffer.from("89504e470d0a1a0a", "hex"), randomBytes(SITE_IMAGE_BYTES_MAX - 8)])

const site = { logo: `data:image/png;base64,${logo.toString("base64")}` }

layer(ConsoleWorld.layerOf({ site }), { excludeTestServices: true, timeout: 60_000 })(
  "the first paint of a page",
  (it) => {
    it.effect("loads at most 150 kB", () =>
      Effect.gen(function*() {
        const { origin, root, session, user } = yield* ConsoleWorld
        const sessionOf = (id: Parameters<typeof session>[0]) =>
          Effect.map(session(id), (token) => `realms_session=${token}`)
        const cookies = {
          nobody: "",
          user: yield* sessionOf((yield* user(1_000_000n)).id),
          root: yield* sessionOf((yield* root).id)
        }
        yield* Effect.promise(async () => {
          for (const who of ["nobody", "user", "root"] as const) {
            for (const path of pages[who]) {
              const plain = await load(origin + path, cookies[who], "identity")
              assert.strictEqual(plain.status, 200, path)
              const named = plain.text.matchAll(/<(?:link|script|img)[^>]+(?:href|src)="(\/[^"]+)"/g)
              const files = [...new Set(Array.from(named, ([, file = ""]) => file.replaceAll("&amp;", "&")))]
              assert.isAbove(files.length, 4, path)
              const loaded = await Promise.all(
                [path, ...files].map((file) => load(origin + file, cookies[who], "gzip"))
              )
              const bytes = loaded.reduce((sum, file) => sum + file.bytes, 0)
              assert.isAtMost(bytes, BYTES_MAX, path)
            }
          }
        })
      }))
  }
)
