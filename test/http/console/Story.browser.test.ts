/**
 * The whole story in a real browser, as a first-time user goes through it: register, make a key, top up by EPay, call, see
 * the usage, buy a plan by Stripe, call, see the orders. In both languages, on a desktop and on a phone, and with no script
 * running; on every page nothing serious for those who hear pages, nothing too wide, and not a word against the policy.
 */
import { assert, describe, layer } from "@effect/vitest"
import { Effect } from "effect"
import OpenAI from "openai"
import type { Browser } from "playwright-core"
import {
  chromiumPath,
  desktop,
  launch,
  phone,
  visit,
  type Visitor,
  type VisitorOptions
} from "../../support/Browser.ts"
import { ConsoleWorld } from "../../support/ConsoleWorld.ts"

interface Telling extends VisitorOptions {
  readonly name: string
}

const tellings: ReadonlyArray<Telling> = [
  { name: "en-desktop", locale: "en-US", viewport: desktop, colorScheme: "light" },
  { name: "zh-phone", locale: "zh-CN", viewport: phone, colorScheme: "dark" },
  { name: "zh-desktop", locale: "zh-CN", viewport: desktop, colorScheme: "light" },
  { name: "en-phone", locale: "en-US", viewport: phone, colorScheme: "dark" },
  { name: "en-no-script", locale: "en-US", viewport: desktop, javaScriptEnabled: false }
]

const submit = "main form button[type=submit]"

/** Looks at the page as it is, with every eye there is. */
const inspect = async (visitor: Visitor, telling: Telling, name: string) => {
  await visitor.page.waitForLoadState("load")
  if (telling.javaScriptEnabled !== false) {
    await visitor.checkFits()
    await visitor.checkAccessible()
  }
  await visitor.screenshot(`${telling.name}-${name}`)
}

/** Follows an order to its success: by itself where scripts run, by asking again where they do not. */
const untilPaid = async ({ page }: Visitor, telling: Telling) => {
  if (telling.javaScriptEnabled === false) {
    while (await page.locator("main .alert-success").count() === 0) await page.reload()
  }
  await page.waitForSelector("main .alert-success")
}

const call = async (origin: string, apiKey: string) => {
  const openai = new OpenAI({ baseURL: `${origin}/v1`, apiKey, maxRetries: 0 })
  const answer = await openai.chat.completions.create({
    model: "gpt-4o-mini",
    max_tokens: 20,
    messages: [{ role: "user", content: "Hello" }]
  })
  assert.isAbove(answer.usage?.total_tokens ?? 0, 0)
}

const register = async (visitor: Visitor, telling: Telling, origin: string) => {
  const { page } = visitor
  await page.goto(`${origin}/`)
  assert.strictEqual(new URL(page.url()).pathname, "/login")
  await inspect(visitor, telling, "login")
  await page.click('main a[href="/register"]')
  await inspect(visitor, telling, "register")
  await page.fill("[name=email]", `${telling.name}@example.com`)
  await page.fill("[name=password]", "short")
  await page.click(submit)
  await page.waitForSelector(".is-invalid[name=password]")
  assert.strictEqual(await page.inputValue("[name=email]"), `${telling.name}@example.com`)
  await inspect(visitor, telling, "register-refused")
  await page.fill("[name=password]", "correct horse battery")
  await page.click(submit)
  await page.waitForURL(`${origin}/`)
  await inspect(visitor, telling, "dashboard-new")
}

const makeKey = async (visitor: Visitor, telling: Telling, origin: string): Promise<string> => {
  const { page } = visitor
  await page.goto(`${origin}/keys`)
  await inspect(visitor, telling, "keys-none")
  await page.click('main a[href="/keys/new"]')
  await page.fill("[name=name]", "<script>alert(1)</script>")
  await inspect(visitor, telling, "keys-new")
  await page.click(submit)
  const key = (await page.locator("#new-key").textContent() ?? "").trim()
  assert.match(key, /^sk-[\w-]{40,}$/)
  await inspect(visitor, telling, "keys-created")
  await page.goto(`${origin}/keys`)
  assert.include(await page.textContent("main"), "<script>alert(1)</script>")
  assert.notInclude(await page.content(), key)
  await inspect(visitor, telling, "keys")
  await page.click('main a[href$="/revoke"]')
  await inspect(visitor, telling, "keys-revoke")
  return key
}

const topUp = async (visitor: Visitor, telling: Telling, origin: string) => {
  const { page } = visitor
  await page.goto(`${origin}/topup`)
  await page.fill("input[name=amount_cny]", "9.99")
  await page.click("main form .btn-primary[type=submit]")
  await page.waitForSelector(".is-invalid[name=amount_cny]")
  assert.strictEqual(await page.inputValue("input[name=amount_cny]"), "9.99")
  if (telling.javaScriptEnabled !== false) {
    await page.fill("input[name=amount_cny]", "25")
    await page.locator("#credit-preview", { hasText: "3.50" }).waitFor()
  }
  await inspect(visitor, telling, "topup")
  await page.click('button[name=amount_cny][value="10.00"]')
  await page.waitForURL(/\/pay\/topup\/\d+$/)
  await inspect(visitor, telling, "pay")
  await page.click("main form:has([name=method][value=alipay]) button[type=submit]")
  // Without a script the form that goes to the gateway waits for a click.
  if (telling.javaScriptEnabled === false) await page.click(submit)
  await page.waitForURL(/\/cashier\//)
  await page.click('button[name=type][value="alipay"]')
  await page.waitForURL(/\/pay\/topup\/\d+/)
  await untilPaid(visitor, telling)
  await inspect(visitor, telling, "pay-paid")
}

const subscribe = async (visitor: Visitor, telling: Telling, origin: string) => {
  const { page } = visitor
  await page.goto(`${origin}/subscription`)
  await inspect(visitor, telling, "plans")
  await page.click("form:has([name=plan_code][value=basic]) button[type=submit]")
  await page.waitForURL(/\/pay\/subscription\/\d+$/)
  await page.click("main form:has([name=provider][value=stripe]) button[type=submit]")
  await page.click("button[name=action][value=pay] >> nth=0")
  const back = page.locator("a", { hasText: "Back to the shop" })
  if (await back.count() > 0) await back.click()
  await page.waitForURL(/\/pay\/subscription\/\d+/)
  await untilPaid(visitor, telling)
  await inspect(visitor, telling, "pay-active")
  await page.goto(`${origin}/subscription`)
  await inspect(visitor, telling, "plans-running")
}

const look = async (visitor: Visitor, telling: Telling, origin: string) => {
  const { page } = visitor
  await page.goto(`${origin}/usage`)
  assert.include(await page.textContent("main"), "gpt-4o-mini")
  await inspect(visitor, telling, "usage")
  await page.click('main td a[href^="/usage/"] >> nth=0')
  await inspect(visitor, telling, "usage-receipt")
  await page.goto(`${origin}/orders`)
  assert.strictEqual(await page.locator("main tbody tr").count(), 2)
  await inspect(visitor, telling, "orders")
  await page.click("main tbody a >> nth=0")
  await inspect(visitor, telling, "orders-receipt")
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
      const key = await makeKey(visitor, telling, world.origin)
      await topUp(visitor, telling, world.origin)
      await call(world.origin, key)
      await subscribe(visitor, telling, world.origin)
      await call(world.origin, key)
      await look(visitor, telling, world.origin)
      await visitor.page.click('form[action="/logout"] button')
      await visitor.page.waitForURL(/\/login/)
      visitor.assertSilent()
    })
    const calls = yield* world.sql<{ funding: string }>`
      SELECT u.funding FROM usage_events u JOIN users o ON o.id = u.user_id
        WHERE o.email = ${`${telling.name}@example.com`.toLowerCase()} ORDER BY u.id`
    assert.deepStrictEqual(calls.map(({ funding }) => funding), ["balance", "subscription"])
  })

describe.skipIf(chromiumPath === undefined)("the console", () => {
  layer(ConsoleWorld.layerOf(), { excludeTestServices: true })((it) => {
    for (const telling of tellings) {
      it.effect(`is used from the first page to the last: ${telling.name}`, () =>
        Effect.gen(function*() {
          const browser = yield* launch
          yield* tell(browser, telling)
          assert.deepStrictEqual(yield* (yield* ConsoleWorld).problems, [])
        }).pipe(Effect.scoped))
    }

    it.effect("an order's page outlives an answer that fails, and leads to signing in once that is over", () =>
      Effect.gen(function*() {
        const world = yield* ConsoleWorld
        const user = yield* world.user(0n)
        const order = yield* world.orders.topup(user.id, 1_000n)
        const { context, page } = yield* visit(yield* launch)
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
