/**
 * The frame around every page: the navigation at the side and in its drawer, on the narrowest phone too; times in the reader's zone
 * from the first page on; language and theme on the answer to a form; and a form that opens at what is wrong with it.
 */
import { assert, describe, layer } from "@effect/vitest"
import { Effect } from "effect"
import type { UserId } from "../../../src/domain/Ids.ts"
import { chromiumPath, connect, visit, type Visitor } from "../../support/Browser.ts"
import { ConsoleWorld } from "../../support/ConsoleWorld.ts"

const narrow = { width: 320, height: 640 }

/** As long a figure as one adjustment makes. */
const BALANCE_MICROS = 999_999_123_456n

const userPages = [
  "/",
  "/keys",
  "/keys/new",
  "/usage",
  "/models",
  "/models/gpt-4o-mini",
  "/topup",
  "/subscription",
  "/orders",
  "/ledger",
  "/account",
  "/account/second-factor",
  "/notifications",
  "/announcements"
]
const adminPages = [
  "/admin",
  "/admin/users",
  "/admin/orders",
  "/admin/payments",
  "/admin/statements",
  "/admin/exports",
  "/admin/bills/check",
  "/admin/confirmations",
  "/admin/plans",
  "/admin/plans/new",
  "/admin/codes",
  "/admin/codes/new",
  "/admin/usage",
  "/admin/usage/calls",
  "/admin/channels",
  "/admin/channels/new",
  "/admin/models",
  "/admin/models/new",
  "/admin/models/import",
  "/admin/groups",
  "/admin/groups/new",
  "/admin/announcements",
  "/admin/announcements/new",
  "/admin/notices",
  "/admin/settings",
  "/admin/settings/billing",
  "/admin/settings/mail",
  "/admin/settings/epay",
  "/admin/invites",
  "/admin/invites/new",
  "/admin/keys",
  "/admin/audit"
]

const signIn = (visitor: Visitor, origin: string, token: string): Promise<void> =>
  visitor.context.addCookies([{ name: "realms_session", value: token, url: origin }])

/** What somebody does who is signed in, in a browser of this kind, and nothing goes wrong on the way. */
const visitAs = Effect.fnUntraced(function*(
  userId: UserId,
  options: Parameters<typeof visit>[1],
  steps: (page: Visitor["page"], origin: string) => Promise<void>
) {
  const { origin, session } = yield* ConsoleWorld
  const token = yield* session(userId)
  const visitor = yield* visit(yield* connect, options)
  yield* Effect.promise(async () => {
    await signIn(visitor, origin, token)
    await steps(visitor.page, origin)
    visitor.assertSilent()
  })
}, Effect.scoped)

describe.skipIf(chromiumPath === undefined)("the frame of a page", () => {
  layer(ConsoleWorld.layerOf(), { excludeTestServices: true })((it) => {
    it.effect("fits the narrowest phone on every page, with any balance", () =>
      Effect.gen(function*() {
        const world = yield* ConsoleWorld
        const user = yield* world.user(BALANCE_MICROS)
        const root = yield* world.root
        const tokens = [yield* world.session(user.id), yield* world.session(root.id)]
        const visitor = yield* visit(yield* connect, { viewport: narrow })
        yield* Effect.promise(async () => {
          for (const [token = "", pages] of [[tokens[0], userPages], [tokens[1], adminPages]] as const) {
            await signIn(visitor, world.origin, token)
            for (const path of pages) {
              const answer = await visitor.page.goto(`${world.origin}${path}`)
              assert.strictEqual(answer?.status(), 200, path)
              await visitor.checkFits()
            }
            await visitor.checkAccessible()
          }
          await visitor.context.clearCookies()
          for (const path of ["/", "/models", "/models/gpt-4o-mini", "/login", "/register"]) {
            await visitor.page.goto(`${world.origin}${path}`)
            await visitor.checkFits()
          }
          visitor.assertSilent()
        })
      }).pipe(Effect.scoped))

    it.effect("has its links in a drawer on a phone, and leads to pages from there without a script", () =>
      Effect.gen(function*() {
        const root = yield* (yield* ConsoleWorld).root
        yield* visitAs(root.id, { viewport: narrow, javaScriptEnabled: false }, async (page, origin) => {
          await page.goto(`${origin}/`)
          assert.isFalse(await page.locator("nav a[href='/keys']").isVisible())
          await page.click(".console-side > summary")
          await page.click("nav a[href='/admin']")
          await page.click(".console-side > summary")
          await page.click("nav a[href='/admin/users']")
          await page.waitForURL(`${origin}/admin/users`)
        })
      }))

    it.effect("shows all links of the administration on a laptop's screen, and where one is on a lower one", () =>
      Effect.gen(function*() {
        const root = yield* (yield* ConsoleWorld).root
        for (const height of [800, 600]) {
          yield* visitAs(root.id, { viewport: { width: 1280, height } }, async (page, origin) => {
            await page.goto(`${origin}/admin/audit`)
            const [seen, last] = await Promise.all([
              page.locator(".console-nav").boundingBox(),
              page.locator(".console-nav-link[aria-current=page]").boundingBox()
            ])
            assert.isAtMost((last?.y ?? height) + (last?.height ?? 0), (seen?.y ?? 0) + (seen?.height ?? 0))
            const first = await page.locator(".console-nav-link").first().boundingBox()
            if (height === 800) assert.isAtLeast(first?.y ?? 0, seen?.y ?? height)
          })
        }
      }))

    it.effect("shows times in the reader's zone from the first page on, and names it", () =>
      Effect.gen(function*() {
        const user = yield* (yield* ConsoleWorld).user(1_000_000n)
        yield* visitAs(user.id, {}, async (page, origin) => {
          // The browser says its zone by the first page, which has times, and so is asked for again.
          await page.goto(`${origin}/account`)
          await page.waitForSelector("html[data-zone='Asia/Shanghai']")
          assert.include(await page.textContent("footer"), "Asia/Shanghai")
        })
      }))

    it.effect("opens a refused form at what is wrong, where the language can be changed too", () =>
      Effect.gen(function*() {
        const root = yield* (yield* ConsoleWorld).root
        yield* visitAs(root.id, {}, async (page, origin) => {
          await page.goto(`${origin}/admin/plans/new`)
          await page.click("main form button.btn-primary")
          await page.waitForSelector(".alert-danger:focus")
          const links = await page.locator(".alert-danger a").evaluateAll((all) =>
            all.map((link) => link.getAttribute("href"))
          )
          assert.isAbove(links.length, 1)
          for (const link of links) assert.strictEqual(await page.locator(link ?? "#").count(), 1, link ?? "")
          await page.click(".console-look button[value='zh']")
          await page.waitForURL(`${origin}/admin/plans/new`)
          assert.strictEqual(await page.getAttribute("html", "lang"), "zh-CN")
        })
      }))
  })
})
