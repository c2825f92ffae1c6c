/**
 * What somebody who sees to payments does in a real browser: a payment that does not fit is reviewed, payments are listed, a provider's
 * bill is compared, and the books are read; then root's codes, which a double click makes once, and the record of it all. On a desktop
 * and on the narrowest phone, in both languages.
 */
import { assert, describe, layer } from "@effect/vitest"
import { Effect } from "effect"
import { chromiumPath, connect, desktop, visit, type Visitor } from "../../support/Browser.ts"
import { fillIn, inspect, type Telling } from "../../support/ConsoleStory.ts"
import { ConsoleWorld } from "../../support/ConsoleWorld.ts"

const tellings: ReadonlyArray<Telling> = [
  { name: "finance-en-desktop", locale: "en-US", viewport: desktop, colorScheme: "light" },
  { name: "finance-zh-phone", locale: "zh-CN", viewport: { width: 320, height: 640 }, colorScheme: "dark" }
]

type World = ConsoleWorld["Service"]

const save = "main form .btn-primary[type=submit]"
const button = (action: string): string => `main form[action$="/${action}"] button[type=submit]`

/** A payment of another amount than was asked for, as somebody decides on it. */
const review = async (visitor: Visitor, telling: Telling, { origin }: World, event: bigint) => {
  const { page } = visitor
  await page.goto(`${origin}/admin/payments/${event}`)
  await inspect(visitor, telling, "review")
  await page.click("main a[href$='/accept_part']")
  await inspect(visitor, telling, "review-accept-part")
  await page.fill("[name=note]", "the rest is forgiven")
  await page.click(button("accept_part"))
  await page.waitForURL(/done=resolved/)
  await inspect(visitor, telling, "review-done")
}

/** A provider's bill is compared with the books, after another file was refused. */
const reconcile = async (visitor: Visitor, telling: Telling, { origin }: World, payment: string) => {
  const { page } = visitor
  const head = "currency,gross,fee,net,reporting_category,source_id,payment_intent_id,customer_facing_amount," +
    "customer_facing_currency"
  const send = async (text: string) => {
    await page.goto(`${origin}/admin/bills/check`)
    await page.check("[name=provider][value=stripe]")
    await page.setInputFiles("[name=file]", { name: "bill.csv", mimeType: "text/csv", buffer: Buffer.from(text) })
    await page.click(button("check"))
  }
  await send("a,b\n1,2\n")
  await page.waitForSelector(".is-invalid[name=file]")
  await inspect(visitor, telling, "bill-refused")
  await send(
    `${head}\ncny,12.00,0.40,11.60,charge,ch_1,${payment},12.00,cny\ncny,3.00,0.10,2.90,charge,ch_2,pi_x,3.00,cny\n`
  )
  await page.waitForSelector("main .alert-warning")
  await inspect(visitor, telling, "bill-compared")
}

/** The same form twice makes one batch, which is then renamed. */
const editCodes = async (visitor: Visitor, telling: Telling, { origin }: World) => {
  const { page } = visitor
  await page.goto(`${origin}/admin/codes/new`)
  await fillIn(page, { name: "Twice", amount: "1" })
  await page.dblclick(save)
  await page.waitForURL(/\/admin\/codes\/\d+\?done=created/)
  await page.goto(`${origin}/admin/codes`)
  assert.strictEqual(await page.locator("main tbody a", { hasText: "Twice" }).count(), 1)
  await page.click("main tbody a:has-text('Twice')")
  await page.click("main a[href$='/edit']")
  await inspect(visitor, telling, "codes-edit")
  await page.fill("[name=name]", "Once")
  await page.click(save)
  await page.waitForURL(/done=changed/)
}

const lookAt = async (visitor: Visitor, telling: Telling, { origin }: World, paths: ReadonlyArray<string>) => {
  for (const path of paths) {
    await visitor.page.goto(`${origin}${path}`)
    await inspect(visitor, telling, path.slice(1).replaceAll(/[/?=]/g, "-"))
  }
}

const financePaths = [
  "/admin/payments",
  "/admin/payments?view=review",
  "/admin/payments?view=events",
  "/admin/statements",
  "/admin/statements/days",
  "/admin/statements/liability",
  "/admin/exports"
]

const tell = (telling: Telling) =>
  Effect.gen(function*() {
    const world = yield* ConsoleWorld
    const browser = yield* connect
    const buyer = yield* world.user(2_000_000n)
    const person = yield* world.user(0n)
    yield* world.sql`UPDATE users SET role = 'finance' WHERE id = ${person.id}`
    const root = yield* world.root
    const visitAs = Effect.fnUntraced(function*(userId: typeof person.id) {
      const visitor = yield* visit(browser, telling)
      const value = yield* world.session(userId)
      yield* Effect.promise(() => visitor.context.addCookies([{ name: "realms_session", value, url: world.origin }]))
      return visitor
    })
    const finance = yield* visitAs(person.id)
    const owner = yield* visitAs(root.id)
    const userId = buyer.id
    const wrong = yield* Effect.orDie(world.orders.topup(userId, 1_000n))
    const [event] = yield* world.sql<{ id: bigint }>`
      WITH attempt AS (INSERT INTO payment_attempts (order_kind, order_id, provider, method, amount_minor, currency,
          merchant_reference) VALUES ('topup', ${wrong.id}, 'epay', 'alipay', 1000, 'cny', ${`topup_${wrong.id}_x`})
          RETURNING id),
        payment AS (INSERT INTO payments (provider, payment_id, state, paid_minor, currency, attempt_id)
          SELECT 'epay', 'trade 77', 'in_review', 500, 'cny', id FROM attempt RETURNING id, attempt_id)
      INSERT INTO payment_events (provider, event_key, kind, fact, payment_id, attempt_id, payment_reference,
          merchant_reference, amount_minor, currency, outcome, details)
        SELECT 'epay', 'trade 77', 'TRADE_SUCCESS', 'Paid', id, attempt_id, 'trade 77', ${`topup_${wrong.id}_x`}, 500, 'cny',
          'needs_review', '{"money": "5.00", "type": "alipay"}'::jsonb FROM payment RETURNING id`
    yield* Effect.promise(async () => {
      await review(finance, telling, world, event?.id ?? 0n)
      await lookAt(finance, telling, world, financePaths)
      await reconcile(finance, telling, world, "pi_known")
      await editCodes(owner, telling, world)
      await lookAt(owner, telling, world, ["/admin/audit", "/admin/codes"])
      finance.assertSilent()
      owner.assertSilent()
    })
    const batches = yield* world.sql`SELECT name FROM redemption_batches`
    assert.deepStrictEqual(batches, [{ name: "Once" }])
    assert.deepStrictEqual(yield* world.problems, [])
  })

describe.skipIf(chromiumPath === undefined)("the books from the browser", () => {
  for (const telling of tellings) {
    layer(ConsoleWorld.layerOf(), { excludeTestServices: true, timeout: 60_000 })((it) => {
      it.effect(telling.name, () => tell(telling).pipe(Effect.scoped))
    })
  }
})
