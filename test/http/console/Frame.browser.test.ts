/**
 * The frame around every page: the navigation at the side and in its drawer, on the narrowest phone too; times in the reader's zone
 * from the first page on; language and theme on the answer to a form; and a form that opens at what is wrong with it.
 */
import { assert, describe, layer } from "@effect/vitest"
import { Effect } from "effect"
import type { UserId } from "../../../src/domain/Ids.ts"
import type { Access } from "../../../src/http/console/ConsoleRoute.ts"
import { consoleRoutes } from "../../../src/http/console/ConsoleRoutes.ts"
import { chromiumPath, connect, visit, type Visitor } from "../../support/Browser.ts"
import { ConsoleWorld } from "../../support/ConsoleWorld.ts"

const narrow = { width: 320, height: 640 }

/** A long figure, on one line in every card. */
const BALANCE_MICROS = 999_999_123_456n

/** Files and pictures, parts of pages, and what is there for a model that the query names. */
const noPages = /\.(?:csv|pdf|svg)$|^\/admin\/channels\/tests$|^\/topup\/preview$|^\/admin\/models\/(?:edit|disable)$/

/** The pages of a new installation, that of a user of its among them. */
const pagesFor = (access: Access, userId: UserId): ReadonlyArray<string> =>
  consoleRoutes.flatMap(({ access: theirs, method, path }) => {
    const asked = path
      .replace("/admin/users/:id", `/admin/users/${userId}`)
      .replace(":section", "billing")
      .replace("/models/*", "/models/gpt-4o-mini")
    return theirs === access && method === "GET" && !/[:*]/.test(asked) && !noPages.test(asked) ? [asked] : []
  })

const signIn = (visitor: Visitor, origin: string, token: string): Promise<void> =>
  visitor.context.addCookies([{ name: "realms_session", value: token, url: origin }])

/** Amounts in cards that are broken inside: their text is on more than one line. */
const brokenFigures = ({ page }: Visitor): Promise<unknown> =>
  page.evaluate(`[...document.querySelectorAll(".figure-value")].flatMap((figure) => {
    const range = document.createRange()
    range.selectNodeContents(figure)
    const lines = new Set(Array.from(range.getClientRects(), ({ bottom }) => Math.round(bottom)))
    return lines.size > 1 && /^[$¥][\\d,.]+$/.test(figure.textContent) ? [figure.textContent] : []
  })`)

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
          for (
            const [token = "", pages] of [[tokens[0], pagesFor("user", user.id)], [
              tokens[1],
              pagesFor("admin", user.id)
            ]] as const
          ) {
            await signIn(visitor, world.origin, token)
            for (const path of pages) {
              const answer = await visitor.page.goto(`${world.origin}${path}`)
              assert.strictEqual(answer?.status(), 200, path)
              await visitor.checkFits()
              assert.deepStrictEqual(await brokenFigures(visitor), [], path)
            }
            await visitor.checkAccessible()
          }
          await visitor.context.clearCookies()
          for (const path of pagesFor("anyone", user.id)) {
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
