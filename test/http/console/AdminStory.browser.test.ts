/**
 * A fresh installation, with nothing in its configuration but where it listens, is made fit for use in a real browser alone: setup
 * link, models, channel, plan, payment settings; then somebody registers, pays and calls. After that root looks at everything that
 * came of it. On a desktop and on a phone, in both languages.
 */
import { assert, describe, layer } from "@effect/vitest"
import { Effect, Redacted } from "effect"
import { text } from "node:stream/consumers"
import { type OrderId, UserId } from "../../../src/domain/Ids.ts"
import { chromiumPath, connect, desktop, phone, visit, type Visitor } from "../../support/Browser.ts"
import { becomeCustomer, fillIn, inspect, register, submit, type Telling } from "../../support/ConsoleStory.ts"
import { ConsoleWorld } from "../../support/ConsoleWorld.ts"
import { announce, present } from "../../support/SiteStory.ts"

const ROOT_PASSWORD = "correct horse battery staple"

const tellings: ReadonlyArray<Telling> = [
  { name: "admin-en-desktop", locale: "en-US", viewport: desktop, colorScheme: "light" },
  { name: "admin-zh-phone", locale: "zh-CN", viewport: phone, colorScheme: "dark" }
]

/** What config.yaml says nothing of. */
const bare = { channels: [], models: [], plans: [], payment: {} }

type World = ConsoleWorld["Service"]

const save = "main form .btn-primary[type=submit]"

const setUp = async (visitor: Visitor, telling: Telling, { origin }: World, token: string) => {
  const { page } = visitor
  await page.goto(`${origin}/setup/${token}`)
  await inspect(visitor, telling, "setup")
  await fillIn(page, { email: `root-${telling.name}@example.com`, password: ROOT_PASSWORD })
  await page.click(submit)
  await page.waitForURL(`${origin}/admin`)
  await inspect(visitor, telling, "overview-new")
}

const makeModel = async (visitor: Visitor, telling: Telling, { origin }: World) => {
  const { page } = visitor
  await page.goto(`${origin}/admin/models/new`)
  await fillIn(page, { id: "gpt-4o-mini", input: "-0.15", output: "0.60", max_output_tokens: "16384" })
  await page.click(save)
  await page.waitForSelector(".is-invalid[name=input]")
  await inspect(visitor, telling, "model-refused")
  await page.fill("[name=input]", "0.15")
  await page.click(save)
  await page.waitForURL(/\/admin\/models\/edit/)
  await inspect(visitor, telling, "model")
}

const makeChannel = async (visitor: Visitor, telling: Telling, { origin, upstream }: World) => {
  const { page } = visitor
  await page.goto(`${origin}/admin/channels/new`)
  await fillIn(page, { name: "main upstream", base_url: upstream, api_key: "sk-simulated", models: "gpt-4o-mini" })
  await inspect(visitor, telling, "channel-new")
  await page.click(save)
  await page.waitForURL(/\/admin\/channels\/\d+\?done=created/)
  assert.notInclude(await page.content(), "sk-simulated")
  await page.click("main form:has([name=model]) button[type=submit]")
  await page.waitForSelector("main .alert-success")
  await inspect(visitor, telling, "channel-tested")
  const channel = /\/admin\/channels\/\d+/.exec(page.url())?.[0] ?? ""
  await page.goto(`${origin}${channel}/keys`)
  await page.fill("[name=api_key]", "sk bad")
  await page.click(save)
  await page.waitForSelector(".is-invalid[name=api_key]")
  await page.fill("[name=api_key]", "sk-upstream-that-is-wrong-0002")
  await inspect(visitor, telling, "channel-keys-add")
  await page.click(save)
  await page.waitForURL(/done=keys-added/)
  // Another key is refused by the upstream: it is taken out of use, and the overview says so.
  await page.click("main tbody tr:last-child form[action$='/test'] button")
  await page.waitForSelector("main .alert-warning")
  await inspect(visitor, telling, "channel-key-out")
  await page.goto(`${origin}/admin`)
  await inspect(visitor, telling, "overview-key-out")
  await page.goto(`${origin}${channel}`)
  await page.click("main form[action$='/models/fetch'] button")
  await page.waitForURL(/\/models\?done=fetched/)
  await inspect(visitor, telling, "channel-models")
  await page.click(save)
  await page.waitForURL(/done=models/)
  await page.click("main form[action$='/balance'] button")
  await page.waitForURL(/done=(no-)?balance/)
  await inspect(visitor, telling, "channel-balance")
  await page.goto(`${origin}/admin/channels`)
  page.once("dialog", (dialog) => void dialog.accept())
  await page.click("main form[action='/admin/channels/tests'] button")
  await page.waitForSelector("#channel-tests:not([hx-get])")
  await inspect(visitor, telling, "channels-tested")
}

const makePlan = async (visitor: Visitor, telling: Telling, { origin }: World) => {
  const { page } = visitor
  await page.goto(`${origin}/admin/plans/new`)
  await fillIn(page, { code: "basic", name: "Basic", price: "12.00", duration_days: "30", limit_30d: "80" })
  await inspect(visitor, telling, "plan-new")
  await page.click(save)
  await page.waitForURL(/\/admin\/plans\/\d+\?done=created/)
}

const setting = (key: string) => `[name="${key}"]`
const toggle = (key: string) => `[type=checkbox]${setting(key)}`

const takeMoney = async (visitor: Visitor, telling: Telling, { epay, origin, stripe }: World) => {
  const { page } = visitor
  await page.goto(`${origin}/admin/settings/epay`)
  await page.check(toggle("payment.epay.enabled"))
  await page.fill(setting("payment.epay.gateway"), epay.url)
  await page.fill(setting("payment.epay.partner_id"), epay.pid)
  await page.click(save)
  // The key is still missing: nothing is saved, and the field says so.
  await page.waitForSelector(`.is-invalid${setting("payment.epay.key")}`)
  await inspect(visitor, telling, "settings-refused")
  assert.isTrue(await page.isChecked(toggle("payment.epay.enabled")))
  await page.fill(setting("payment.epay.key"), epay.key)
  await page.click(save)
  await page.waitForURL(/done=saved/)
  await page.goto(`${origin}/admin/settings/stripe`)
  await page.check(toggle("payment.stripe.enabled"))
  await page.click(".setting-advanced > summary")
  await page.fill(setting("payment.stripe.api_base"), stripe.url)
  await page.fill(setting("payment.stripe.secret_key"), stripe.secretKey)
  await page.fill(setting("payment.stripe.webhook_secret"), stripe.webhookSecret)
  await page.click(save)
  await page.waitForURL(/done=saved/)
  const shown = await page.content()
  for (const secret of [epay.key, stripe.secretKey, stripe.webhookSecret]) assert.notInclude(shown, secret)
  for (const provider of ["epay", "stripe"]) {
    await page.goto(`${origin}/admin/settings/${provider}`)
    await page.click(`form[action*="/settings/test"] button`)
    await page.waitForSelector("main .alert-success")
    await inspect(visitor, telling, `settings-${provider}`)
  }
  await page.goto(`${origin}/admin/settings/billing`)
  await inspect(visitor, telling, "settings-billing")
}

const giveCodes = async (visitor: Visitor, telling: Telling, { origin }: World) => {
  const { page } = visitor
  await page.goto(`${origin}/admin/codes/new`)
  await fillIn(page, { name: "Welcome", amount: "5" })
  await inspect(visitor, telling, "codes-new")
  await page.click(save)
  await page.waitForURL(/\/admin\/codes\/\d+\?done=created/)
  await inspect(visitor, telling, "codes-batch")
}

/** Codes come as a file, and one of them is redeemed by a user. */
const redeemCode = async (root: Visitor, user: Visitor, telling: Telling, { origin }: World) => {
  const coming = root.page.waitForEvent("download")
  await root.page.click('main form[action$="/csv"] button')
  const code = /RLM-[\w-]+/.exec(await text(await (await coming).createReadStream()))?.[0] ?? ""
  assert.match(code, /^RLM(-\w{5}){4}$/)
  await user.page.goto(`${origin}/topup`)
  await user.page.fill("[name=code]", code.toLowerCase())
  await user.page.click('form[action="/topup/redeem"] button')
  await user.page.waitForSelector("main .alert-success")
  await inspect(user, telling, "code-redeemed")
}

/** Root completes an order that was paid outside, gives part of another back, and adjusts a balance. */
const moveMoney = async (visitor: Visitor, telling: Telling, { origin }: World, userId: UserId, orderId: OrderId) => {
  const { page } = visitor
  await page.goto(`${origin}/admin/orders/${orderId}/complete`)
  await page.selectOption("[name=provider]", "manual")
  await page.fill("[name=reference]", "bank transfer 7")
  await page.click(complete("complete"))
  await page.waitForSelector(".is-invalid[name=note]")
  await page.fill("[name=note]", "paid by bank transfer")
  await inspect(visitor, telling, "order-complete")
  await page.click(complete("complete"))
  await page.waitForURL(/done=completed/)
  await inspect(visitor, telling, "order-completed")

  await page.goto(`${origin}/admin/orders?user=${userId}`)
  await inspect(visitor, telling, "orders-of-one")
  await page.goto(`${origin}/admin/orders/1/refund`)
  await fillIn(page, { amount: "2.00", note: "half of it was not used" })
  await page.click(complete("refund"))
  await page.waitForURL(/done=refund-succeeded/)
  await inspect(visitor, telling, "order-refunded")

  await page.goto(`${origin}/admin/users/${userId}/adjust`)
  await fillIn(page, { amount: "1.25", note: "thanks for the report" })
  await page.click(complete("adjust"))
  await page.waitForURL(/done=adjusted/)
}

/** What root sees of a plan whose price is disputed: the queue, the event with the provider's message, the order, the plan. */
const seeDispute = async (
  visitor: Visitor,
  telling: Telling,
  { origin, stripe }: World,
  userId: UserId,
  paid: Paid
) => {
  const { page } = visitor
  stripe.dispute({ paymentIntent: paid.payment })
  await stripe.idle()
  await page.goto(`${origin}/admin/payments?view=review`)
  await inspect(visitor, telling, "dispute-queue")
  await page.click("main a[href^='/admin/payments/']")
  await page.click("main summary")
  await inspect(visitor, telling, "dispute-event")
  await page.goto(`${origin}/admin/orders/${paid.order}`)
  await inspect(visitor, telling, "dispute-order")
  await page.goto(`${origin}/admin/users/${userId}`)
  await inspect(visitor, telling, "dispute-plan")
}

/** What its user sees of it. */
const seeSuspended = async (visitor: Visitor, telling: Telling, { origin }: World) => {
  for (const [path, name] of [["/", "dashboard"], ["/subscription", "subscription"]] as const) {
    await visitor.page.goto(`${origin}${path}`)
    await visitor.page.waitForSelector("main .alert-warning")
    await inspect(visitor, telling, `suspended-${name}`)
  }
}

/** A user becomes one who sees to payments, and finds what is theirs, and no way to more. */
const giveRole = async (
  root: Visitor,
  user: Visitor,
  telling: Telling,
  { origin }: World,
  of: { readonly userId: UserId; readonly order: bigint }
) => {
  await root.page.goto(`${origin}/admin/users/${of.userId}/role`)
  await inspect(root, telling, "user-role")
  await root.page.check("[name=role][value=finance]")
  await root.page.fill("[name=password]", ROOT_PASSWORD)
  await root.page.click(complete("role"))
  await root.page.waitForURL(/done=role/)
  await user.page.goto(`${origin}/admin`)
  await inspect(user, telling, "finance-overview")
  const links = await user.page.locator("nav a").evaluateAll((found) => found.map((link) => link.getAttribute("href")))
  assert.includeMembers(links, ["/admin/users", "/admin/orders", "/admin/payments", "/admin/usage"])
  for (const closed of ["/admin/settings", "/admin/channels", "/admin/keys"]) assert.notInclude(links, closed)
  for (const [path, name] of [[`/admin/users/${of.userId}`, "user"], [`/admin/orders/${of.order}`, "order"]] as const) {
    await user.page.goto(`${origin}${path}`)
    await inspect(user, telling, `finance-${name}`)
  }
  assert.strictEqual(await user.page.locator("main a[href$='/cancel']").count(), 0)
}

/** Above the limit of one person a payment waits until somebody else confirms it. */
const confirm = async (root: Visitor, user: Visitor, telling: Telling, { origin }: World, order: bigint) => {
  const { page } = root
  await page.goto(`${origin}/admin/settings/confirm`)
  await page.fill("[name='finance.confirm_above_usd']", "5")
  await page.fill("[name='finance.confirm_above_cny']", "20")
  await page.click(save)
  await page.waitForURL(/done=saved/)
  await page.goto(`${origin}/admin/orders/${order}/complete`)
  await page.selectOption("[name=provider]", "manual")
  await fillIn(page, { reference: "bank transfer 12", note: "seen on the bank statement" })
  await page.click(complete("complete"))
  await page.waitForURL(/\/admin\/confirmations\/\d+\?done=asked/)
  await inspect(root, telling, "confirmation-asked")
  assert.strictEqual(await page.locator("main form[action$='/confirm']").count(), 0)
  await page.goto(`${origin}/admin`)
  await inspect(root, telling, "overview-with-confirmations")
  await user.page.goto(`${origin}/admin/confirmations`)
  await inspect(user, telling, "confirmations")
  await user.page.click("main a[href^='/admin/confirmations/']")
  await inspect(user, telling, "confirmation")
  await user.page.click(complete("confirm"))
  await user.page.waitForURL(/done=confirmed/)
  await inspect(user, telling, "confirmation-done")
  // What finance may not do alone, finance does not confirm.
  await page.goto(`${origin}/admin/settings/confirm`)
  await page.fill("[name='finance.confirm_above_cny']", "")
  await page.click(save)
  await page.waitForURL(/done=asked/)
  await inspect(root, telling, "confirmation-of-limits")
  await user.page.goto(page.url())
  assert.strictEqual(await user.page.locator("main form").count(), 0)
}

interface Paid {
  readonly payment: string
  readonly order: bigint
}

const complete = (action: string): string => `main form[action$="/${action}"] button[type=submit]`

const lookAround = async (visitor: Visitor, telling: Telling, { origin }: World, userId: UserId) => {
  const { page } = visitor
  for (
    const path of [
      "/admin",
      "/admin/users",
      `/admin/users/${userId}`,
      "/admin/orders",
      "/admin/payments",
      "/admin/payments?view=events",
      "/admin/statements",
      "/admin/statements/days",
      "/admin/statements/liability",
      "/admin/exports",
      "/admin/usage",
      "/admin/usage/calls",
      "/admin/channels",
      "/admin/models",
      "/admin/models/import",
      "/admin/plans",
      "/admin/codes",
      "/admin/keys",
      "/admin/audit"
    ]
  ) {
    await page.goto(`${origin}${path}`)
    await inspect(visitor, telling, path.slice(1).replaceAll(/[/?=]/g, "-").replace(String(userId), "one"))
    assert.strictEqual(await page.locator("main h1").count(), 1, path)
  }
  assert.include(await page.textContent("main"), "settings.saved")
}

const tell = (telling: Telling) =>
  Effect.gen(function*() {
    const world = yield* ConsoleWorld
    const browser = yield* connect
    const root = yield* visit(browser, telling)
    const user = yield* visit(browser, telling)
    const token = yield* world.setupLink
    yield* Effect.promise(async () => {
      await setUp(root, telling, world, Redacted.value(token))
      await makeModel(root, telling, world)
      await makeChannel(root, telling, world)
      await makePlan(root, telling, world)
      await present(root, telling, world.origin)
      await takeMoney(root, telling, world)
      await register(user, telling, world.origin)
      await becomeCustomer(user, { ...telling, isKnown: true }, world.origin)
      await announce({ root, user }, telling, world.origin)
      await giveCodes(root, telling, world)
      await redeemCode(root, user, telling, world)
    })
    const [row] = yield* world.sql<{ id: UserId }>`SELECT id FROM users WHERE role = 'user'`
    const userId = row?.id ?? UserId.make(0n)
    const order = yield* Effect.orDie(world.orders.topup(userId, 3_000n))
    yield* Effect.promise(async () => {
      await moveMoney(root, telling, world, userId, order.id)
    })
    const [paid] = yield* world.sql<Paid>`SELECT p.payment_id AS payment, a.order_id AS order
      FROM payments p JOIN payment_attempts a ON a.id = p.attempt_id
      WHERE p.provider = 'stripe' AND a.order_kind = 'subscription'`
    if (paid === undefined) return assert.fail("no plan was paid through Stripe")
    const byHand = yield* Effect.orDie(world.orders.topup(userId, 2_500n))
    // The form of a role asks for the password then.
    yield* world.ageSessions
    yield* Effect.promise(async () => {
      await seeDispute(root, telling, world, userId, paid)
      await seeSuspended(user, telling, world)
      await lookAround(root, telling, world, userId)
      await giveRole(root, user, telling, world, { userId, order: order.id })
      await confirm(root, user, telling, world, byHand.id)
      root.assertSilent()
      user.assertSilent()
    })
    const calls = yield* world.sql<{ funding: string }>`SELECT funding FROM calls ORDER BY id`
    assert.deepStrictEqual(calls.map(({ funding }) => funding), ["balance", "subscription"])
    assert.deepStrictEqual(yield* world.problems, [])
  })

describe.skipIf(chromiumPath === undefined)("an installation made fit for use from the browser", () => {
  for (const telling of tellings) {
    layer(ConsoleWorld.layerOf(bare), { excludeTestServices: true, timeout: 60_000 })((it) => {
      it.effect(telling.name, () => tell(telling).pipe(Effect.scoped))
    })
  }
})
