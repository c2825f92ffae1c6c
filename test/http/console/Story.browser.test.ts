/**
 * The whole story in a real browser, as a first-time user goes through it: register, make a key, top up by EPay, call, see
 * the usage, buy a plan by Stripe, call, see the orders. In both languages, on a desktop and on a phone, and with no script
 * running; on every page, on either screen, nothing serious for those who hear pages, nothing too wide, and not a word against the
 * policy.
 */
import { assert, describe, layer } from "@effect/vitest"
import { Effect } from "effect"
import type { Browser } from "playwright-core"
import { chromiumPath, connect, desktop, phone, visit, type Visitor } from "../../support/Browser.ts"
import { becomeCustomer, inspect, register, type Telling } from "../../support/ConsoleStory.ts"
import { ConsoleWorld } from "../../support/ConsoleWorld.ts"

const tellings: ReadonlyArray<Telling> = [
  { name: "en-desktop", locale: "en-US", viewport: desktop, colorScheme: "light", also: "phone" },
  { name: "zh-phone", locale: "zh-CN", viewport: phone, colorScheme: "dark", also: "desktop" },
  { name: "en-no-script", locale: "en-US", viewport: desktop, javaScriptEnabled: false }
]

/** Points at a bar and moves on by keys, where scripts run: each says what it stands for. */
const readCharts = async (visitor: Visitor, telling: Telling, origin: string) => {
  const { page } = visitor
  await page.goto(`${origin}/usage?range=today&measure=tokens`)
  await inspect(visitor, telling, "usage-today")
  if (telling.javaScriptEnabled === false) return
  const chart = page.locator("[data-chart=days]")
  await chart.scrollIntoViewIfNeeded()
  await page.waitForFunction(() =>
    [...document.querySelectorAll<HTMLImageElement>("[data-chart=days] img")].some((image) => image.naturalWidth > 0)
  )
  const box = await chart.boundingBox()
  assert.isNotNull(box)
  if (box === null) return
  await page.mouse.move(box.x + box.width * 0.3, box.y + box.height / 2)
  await chart.locator(".chart-tip:visible").waitFor()
  assert.match(await chart.locator(".chart-tip").innerText(), /\d\d:00/)
  await page.mouse.move(0, 0)
  await chart.focus()
  await page.keyboard.press("Home")
  assert.match(await chart.locator(".chart-tip").innerText(), /00:00/)
  assert.strictEqual(await chart.getAttribute("aria-valuenow"), "1")
  // The hour of the calls, whichever it is.
  const hours = Number(await chart.getAttribute("aria-valuemax"))
  for (let hour = 1; hour <= hours; hour++) {
    if (/gpt-4o-mini/.test(await chart.locator(".chart-tip").innerText())) break
    await page.keyboard.press("ArrowRight")
  }
  assert.match(await chart.locator(".chart-tip").innerText(), /gpt-4o-mini/)
  await inspect(visitor, telling, "usage-tip")
  await page.keyboard.press("Escape")
  assert.strictEqual(await chart.locator(".chart-tip:visible").count(), 0)
}

/** From the balance to its ledger, and from the calls there to their list. */
const readLedger = async (visitor: Visitor, telling: Telling, origin: string) => {
  const { page } = visitor
  await page.goto(`${origin}/`)
  await page.click(".console-balance")
  await page.waitForURL(`${origin}/ledger`)
  assert.strictEqual(await page.locator("main tbody tr").count(), 2)
  await inspect(visitor, telling, "ledger")
  await page.click("main tbody a >> nth=0")
  await page.waitForURL(/\/usage\?range=custom.*#calls$/)
  assert.strictEqual(await page.locator("#calls ~ .table-responsive tbody tr").count(), 1)
}

const look = async (visitor: Visitor, telling: Telling, origin: string) => {
  const { page } = visitor
  await page.goto(`${origin}/usage`)
  assert.include(await page.textContent("main"), "gpt-4o-mini")
  await inspect(visitor, telling, "usage")
  await readCharts(visitor, telling, origin)
  await page.click('main td a[href^="/usage/"] >> nth=0')
  await inspect(visitor, telling, "usage-receipt")
  // Refused calls are written once a second.
  const refused = page.locator("main tbody tr", { has: page.locator(".badge.bg-red-lt") })
  for (await page.goto(`${origin}/usage`); await refused.count() === 0;) await page.reload()
  await inspect(visitor, telling, "usage-with-refused")
  await refused.locator("a").click()
  await page.waitForLoadState()
  assert.include(await page.textContent("main"), "model_not_found")
  await inspect(visitor, telling, "usage-refused")
  await readLedger(visitor, telling, origin)
  await page.goto(`${origin}/orders`)
  assert.strictEqual(await page.locator("main tbody tr").count(), 2)
  await inspect(visitor, telling, "orders")
  await visitor.follow("main tbody a >> nth=0")
  assert.include(await page.textContent("main"), "91310000MA1FL0000X")
  await inspect(visitor, telling, "orders-receipt")
  const download = page.waitForEvent("download")
  await page.click('main a[href$="/receipt.pdf"]')
  assert.match((await download).suggestedFilename(), /^receipt-\d+\.pdf$/)
  for (const path of ["/", "/models", "/account", "/nowhere"]) {
    await page.goto(`${origin}${path}`)
    await inspect(visitor, telling, path === "/" ? "dashboard" : path.slice(1))
  }
}

const tell = (browser: Browser, telling: Telling) =>
  Effect.gen(function*() {
    const world = yield* ConsoleWorld
    const visitor = yield* visit(browser, telling)
    yield* Effect.promise(async () => {
      await register(visitor, telling, world.origin)
      await becomeCustomer(visitor, telling, world.origin)
      await look(visitor, telling, world.origin)
      await visitor.page.click('form[action="/logout"] button')
      await visitor.page.waitForURL(/\/login/)
      visitor.assertSilent()
    })
    const calls = yield* world.sql<{ funding: string }>`
      SELECT u.funding FROM calls u JOIN users o ON o.id = u.user_id
        WHERE o.email = ${`${telling.name}@example.com`.toLowerCase()} ORDER BY u.id`
    assert.deepStrictEqual(calls.map(({ funding }) => funding), ["balance", "subscription"])
  })

const World = ConsoleWorld.layerOf({
  seller: { name: "Realms 示例有限公司", address: "1 Example Street\nShanghai", tax_id: "91310000EXAMPLE00X" },
  billing: { topup_bonuses: ["100.00: 5 percent", "500.00: 10 percent"] }
})

describe.skipIf(chromiumPath === undefined)("the console", () => {
  layer(World, { excludeTestServices: true })((it) => {
    for (const telling of tellings) {
      it.effect(`is used from the first page to the last: ${telling.name}`, () =>
        Effect.gen(function*() {
          const browser = yield* connect
          yield* tell(browser, telling)
          assert.deepStrictEqual(yield* (yield* ConsoleWorld).problems, [])
        }).pipe(Effect.scoped))
    }

    it.effect("an order's page outlives an answer that fails, and leads to signing in once that is over", () =>
      Effect.gen(function*() {
        const world = yield* ConsoleWorld
        const user = yield* world.user(0n)
        const order = yield* world.orders.topup(user.id, 1_000n)
        const { context, page } = yield* visit(yield* connect)
        const token = yield* world.session(user.id)
        yield* Effect.promise(async () => {
          await context.addCookies([{ name: "realms_session", value: token, url: world.origin }])
          let failed = 0
          await page.route(/\/status\?/, async (route) => {
            if (failed++ > 0) return await route.continue()
            await route.fulfill({ status: 503, contentType: "text/html", body: "<h1>Not available</h1>" })
          })
          await page.goto(`${world.origin}/pay/topup/${order.id}`)
          const later = page.waitForResponse((response) => response.status() === 204)
          await page.waitForResponse((response) => response.status() === 503)
          await later
          assert.strictEqual(await page.locator("h1").count(), 1)
          await context.clearCookies()
          await page.waitForURL(/\/login\?next=%2Fpay%2Ftopup%2F\d+$/)
        })
      }).pipe(Effect.scoped))
  })
})
