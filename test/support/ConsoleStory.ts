/**
 * What people do in the console, as a browser does it: each step with a look at every page on the way. In any language, on any
 * screen, and with no script running.
 */
import { assert } from "@effect/vitest"
import OpenAI, { NotFoundError } from "openai"
import { desktop, phone, type Visitor, type VisitorOptions } from "./Browser.ts"

/** How a page is looked at. */
interface Eye {
  readonly viewport: { readonly width: number; readonly height: number }
  readonly colorScheme: "light" | "dark"
}

const eyes = {
  desktop: { viewport: desktop, colorScheme: "light" },
  phone: { viewport: phone, colorScheme: "dark" }
} as const satisfies Readonly<Record<string, Eye>>

export interface Telling extends Partial<Eye>, VisitorOptions {
  readonly name: string
  /** Each page is looked at in this way, too. */
  readonly also?: keyof typeof eyes
  /** Another story has looked at these pages: they are used without a look. */
  readonly isKnown?: boolean
}

export const submit = "main form button[type=submit]"

/** Types into the inputs of these names. */
export const fillIn = async (page: Visitor["page"], texts: Readonly<Record<string, string>>) => {
  for (const [name, text] of Object.entries(texts)) await page.fill(`[name=${name}]`, text)
}

const look = async (visitor: Visitor, picture: string) => {
  await visitor.checkFits()
  await visitor.checkAccessible()
  await visitor.screenshot(picture)
}

const seeWith = async ({ page }: Visitor, { colorScheme, viewport }: Eye) => {
  await page.setViewportSize(viewport)
  await page.emulateMedia({ colorScheme })
  await page.waitForSelector(`html[data-bs-theme=${colorScheme}]`)
}

/** Looks at the page as it is, with every eye that the telling has. */
export const inspect = async (visitor: Visitor, telling: Telling, name: string) => {
  if (telling.isKnown === true) return
  const picture = `${telling.name}-${name}`
  await visitor.page.waitForLoadState("load")
  if (telling.javaScriptEnabled === false) return await visitor.screenshot(picture)
  await look(visitor, picture)
  if (telling.also === undefined) return
  await seeWith(visitor, eyes[telling.also])
  await look(visitor, `${picture}-${telling.also}`)
  await seeWith(visitor, { ...eyes.desktop, ...telling })
}

/** Follows an order to its success: by itself where scripts run, by asking again where they do not. */
export const untilPaid = async ({ page }: Visitor, telling: Telling) => {
  if (telling.javaScriptEnabled === false) {
    while (await page.locator("main .alert-success").count() === 0) await page.reload()
  }
  await page.waitForSelector("main .alert-success")
}

export const call = async (origin: string, apiKey: string) => {
  const openai = new OpenAI({ baseURL: `${origin}/v1`, apiKey, maxRetries: 0 })
  const answer = await openai.chat.completions.create({
    model: "gpt-4o-mini",
    max_tokens: 20,
    messages: [{ role: "user", content: "Hello" }]
  })
  assert.isAbove(answer.usage?.total_tokens ?? 0, 0)
}

/** A call that is refused: there is no such model. */
export const refusedCall = async (origin: string, apiKey: string) => {
  const openai = new OpenAI({ baseURL: `${origin}/v1`, apiKey, maxRetries: 0 })
  const error: unknown = await openai.chat.completions.create({
    model: "no-such-model",
    messages: [{ role: "user", content: "Hello" }]
  }).catch((failure: unknown) => failure)
  assert.instanceOf(error, NotFoundError)
}

export const register = async (visitor: Visitor, telling: Telling, origin: string) => {
  const { page } = visitor
  await page.goto(`${origin}/`)
  await inspect(visitor, telling, "landing")
  await page.click('main a[href="/models"] >> nth=0')
  await inspect(visitor, telling, "catalogue")
  if (await page.locator('main a[href^="/models/"]').count() > 0) {
    await page.click('main a[href^="/models/"] >> nth=0')
    await page.click(".snippet:has(#snippet-python) > summary")
    await inspect(visitor, telling, "catalogue-model")
  }
  await page.click('header a[href="/login"]')
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

/** Ticks what a filter leaves, and takes all ticks off again. */
const pickModels = async (page: Visitor["page"]) => {
  const ticked = page.locator("[name=models]:checked")
  const shown = page.locator("label:has(> [name=models]):visible")
  const all = await shown.count()
  await page.fill("[data-picking] input", "MINI")
  assert.strictEqual(
    await shown.count(),
    await page.locator("label:has(> [name=models])", { hasText: /mini/i }).count()
  )
  await page.click("[data-pick=all]")
  assert.strictEqual(await ticked.count(), await shown.count())
  await page.press("[data-picking] input", "Enter")
  await page.fill("[data-picking] input", "")
  assert.strictEqual(await shown.count(), all)
  await page.click("[data-pick=none]")
  assert.strictEqual(await ticked.count(), 0)
}

/** Gives the only key a limit, pauses it and lets it go on. */
const limitKey = async (visitor: Visitor, telling: Telling) => {
  const { page } = visitor
  await page.click("main tbody .key-name a")
  await page.fill("[name=spend_limit]", "5")
  await page.selectOption("[name=spend_limit_period]", "day")
  await inspect(visitor, telling, "keys-edit")
  await page.click("main form:has([name=spend_limit]) button[type=submit]")
  await page.waitForSelector("main .alert-success")
  await page.click('main form[action$="/pause"] button')
  await page.waitForSelector('main form[action$="/resume"]')
  await inspect(visitor, telling, "keys-paused")
  await page.click('main form[action$="/resume"] button')
  await page.waitForSelector('main form[action$="/pause"]')
  await inspect(visitor, telling, "keys")
}

export const makeKey = async (visitor: Visitor, telling: Telling, origin: string): Promise<string> => {
  const { page } = visitor
  await page.goto(`${origin}/keys`)
  await inspect(visitor, telling, "keys-none")
  await page.click('main a[href="/keys/new"]')
  await page.fill("[name=name]", "<script>alert(1)</script>")
  if (telling.javaScriptEnabled !== false) await pickModels(page)
  await inspect(visitor, telling, "keys-new")
  await page.click(submit)
  const key = (await page.locator("#new-key").textContent() ?? "").trim()
  assert.match(key, /^sk-[\w-]{40,}$/)
  await inspect(visitor, telling, "keys-created")
  // The form is sent again, as a browser does that reloads its answer.
  await page.reload()
  assert.strictEqual((await page.locator("#new-key").textContent() ?? "").trim(), key)
  await page.goto(`${origin}/keys`)
  assert.include(await page.textContent("main"), "<script>alert(1)</script>")
  assert.notInclude(await page.content(), key)
  assert.strictEqual(await page.locator("main tbody tr").count(), 1)
  await limitKey(visitor, telling)
  await page.click('main a[href="/keys?state=ended"]')
  await inspect(visitor, telling, "keys-ended")
  await page.click('main a[href="/keys"]')
  await page.click('main a[href$="/revoke"]')
  await inspect(visitor, telling, "keys-revoke")
  return key
}

export const topUp = async (visitor: Visitor, telling: Telling, origin: string) => {
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
  // Counted down where scripts run; the time itself is there for everybody.
  if (telling.javaScriptEnabled !== false) await page.locator(".countdown", { hasText: /^1:5\d:\d\d$/ }).waitFor()
  assert.strictEqual(await page.locator("main dd time").count() > 0, true)
  await inspect(visitor, telling, "pay")
  await page.click("main form:has([name=method][value=alipay]) button[type=submit]")
  // Without a script the form that goes to the gateway waits for a click.
  if (telling.javaScriptEnabled === false) await page.click(submit)
  await page.waitForURL(/\/cashier\//)
  await page.click('button[name=type][value="alipay"]')
  await page.waitForURL(/\/pay\/topup\/\d+/)
  await untilPaid(visitor, telling)
  await page.locator("#balance", { hasText: "$1.40" }).waitFor()
  await inspect(visitor, telling, "pay-paid")
}

export const subscribe = async (visitor: Visitor, telling: Telling, origin: string) => {
  const { page } = visitor
  await page.goto(`${origin}/subscription`)
  await inspect(visitor, telling, "plans")
  await page.click("form:has([name=plan_code][value=basic]) button[type=submit]")
  await page.waitForURL(/\/pay\/subscription\/\d+$/)
  await page.click("main form:has([name=provider][value=stripe]) button[type=submit]")
  await visitor.follow("button[name=action][value=pay] >> nth=0")
  const back = page.locator("a", { hasText: "Back to the shop" })
  if (await back.count() > 0) await back.click()
  await page.waitForURL(/\/pay\/subscription\/\d+/)
  await untilPaid(visitor, telling)
  await inspect(visitor, telling, "pay-active")
  await page.goto(`${origin}/subscription`)
  await inspect(visitor, telling, "plans-running")
}

/** Whom receipts name, which is said before anything is paid. */
const nameBuyer = async (visitor: Visitor, telling: Telling, origin: string) => {
  const { page } = visitor
  await page.goto(`${origin}/account`)
  await fillIn(page, { company_name: "示例科技有限公司 Example Ltd", tax_id: "91310000MA1FL0000X" })
  await page.click("#buyer button[type=submit]")
  await page.waitForURL(/\?done=buyer/)
  await inspect(visitor, telling, "account-buyer")
}

/** Makes a key, pays and calls: what is paid from the balance, and then by a plan. */
export const becomeCustomer = async (visitor: Visitor, telling: Telling, origin: string) => {
  const key = await makeKey(visitor, telling, origin)
  await nameBuyer(visitor, telling, origin)
  await topUp(visitor, telling, origin)
  await call(origin, key)
  await refusedCall(origin, key)
  await subscribe(visitor, telling, origin)
  await call(origin, key)
}
