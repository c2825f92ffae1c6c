/**
 * Prices by group and what is around users, in a browser: root makes a group, gives it to a user, a plan and codes; the user sees the
 * price, calls, and reads it on the receipt; root finds the user by the box on every page and sorts the list. On a desktop and on a
 * phone, in both languages and themes.
 */
import { assert, describe, layer } from "@effect/vitest"
import { Effect, Redacted } from "effect"
import { chromiumPath, connect, desktop, phone, visit, type Visitor } from "../../support/Browser.ts"
import { call, fillIn, inspect, type Telling } from "../../support/ConsoleStory.ts"
import { ConsoleWorld, keyless } from "../../support/ConsoleWorld.ts"

const tellings: ReadonlyArray<Telling> = [
  { name: "prices-en-desktop", locale: "en-US", viewport: desktop, colorScheme: "light" },
  { name: "prices-zh-phone", locale: "zh-CN", viewport: phone, colorScheme: "dark" }
]

const save = "main form .btn-primary[type=submit]"

const makeGroup = async (root: Visitor, telling: Telling, origin: string) => {
  const { page } = root
  await page.goto(`${origin}/admin/groups`)
  await inspect(root, telling, "groups-none")
  await page.goto(`${origin}/admin/groups/new`)
  await fillIn(page, { code: "Partners", name: "Partners", multiplier: "-1" })
  await page.click(save)
  await page.waitForSelector(".is-invalid[name=multiplier]")
  await inspect(root, telling, "group-refused")
  await fillIn(page, { code: "partners", multiplier: "0.8" })
  await page.click(save)
  await page.waitForURL(/\/admin\/groups\/\d+\?done=created/)
  await inspect(root, telling, "group")
  await page.goto(`${origin}/admin/groups`)
  await inspect(root, telling, "groups")
}

const giveGroup = async (root: Visitor, telling: Telling, origin: string, userId: bigint) => {
  const { page } = root
  await page.goto(`${origin}/admin/users/${userId}/group`)
  await page.selectOption("[name=group]", "partners")
  await inspect(root, telling, "user-group")
  await page.click('main form[action$="/group"] button[type=submit]')
  await page.waitForURL(/done=group/)
  await inspect(root, telling, "user-with-group")
  await page.goto(`${origin}/admin/plans/new`)
  await page.selectOption("[name=group]", "partners")
  await inspect(root, telling, "plan-group")
  await page.goto(`${origin}/admin/codes/new`)
  await page.selectOption("[name=group]", "partners")
  await inspect(root, telling, "codes-group")
}

const seePrices = async (user: Visitor, telling: Telling, origin: string) => {
  const { page } = user
  await page.goto(`${origin}/models`)
  assert.include(await page.textContent("main"), "Partners")
  await inspect(user, telling, "models")
  await page.goto(`${origin}/usage`)
  await page.goto(`${origin}/subscription`)
  assert.include(await page.textContent("main"), "0.8")
  await inspect(user, telling, "plans")
}

const find = async (
  root: Visitor,
  telling: Telling,
  origin: string,
  user: { readonly id: bigint; readonly email: string }
) => {
  const { page } = root
  await page.goto(`${origin}/admin/plans`)
  const box = page.locator('form[role=search] input[name="q"]')
  if (!(await box.isVisible())) await page.click(".console-side summary")
  await inspect(root, telling, "search-box")
  await box.fill(user.email)
  await box.press("Enter")
  await page.waitForURL(`${origin}/admin/users/${user.id}`)
  await page.goto(`${origin}/admin/search?q=example.com`)
  await inspect(root, telling, "search")
  await page.goto(`${origin}/admin/search?q=nothing-like-it`)
  await inspect(root, telling, "search-none")
  await page.goto(`${origin}/admin/users?sort=spend`)
  await inspect(root, telling, "users-by-spend")
}

const tell = (telling: Telling) =>
  Effect.gen(function*() {
    const world = yield* ConsoleWorld
    const { origin, sql } = world
    const browser = yield* connect
    const [root, user] = [yield* visit(browser, telling), yield* visit(browser, telling)]
    const [admin, buyer] = [yield* world.root, yield* world.user(5_000_000n)]
    const tokens = [yield* world.session(admin.id), yield* world.session(buyer.id)]
    const { key } = yield* world.keys.create({ userId: buyer.id, name: "k" })
    yield* Effect.promise(async () => {
      for (const [index, { context }] of [root, user].entries()) {
        await context.addCookies([{ name: "realms_session", value: tokens[index] ?? "", url: origin }])
      }
      await makeGroup(root, telling, origin)
      await giveGroup(root, telling, origin, buyer.id)
      await seePrices(user, telling, origin)
      await call(origin, Redacted.value(key))
    })
    const [made] = yield* sql<{ id: string; grp: bigint }>`
      SELECT id, group_multiplier_micros AS grp FROM calls WHERE user_id = ${buyer.id}`
    assert.strictEqual(made?.grp, 800_000n)
    yield* Effect.promise(async () => {
      await user.page.goto(`${origin}/usage/${made?.id}`)
      assert.include(await user.page.textContent("main"), "0.8")
      await inspect(user, telling, "receipt")
      await find(root, telling, origin, buyer)
      root.assertSilent()
      user.assertSilent()
    })
    assert.deepStrictEqual(yield* world.problems, [])
  })

const dismissSteps = (telling: Telling) =>
  Effect.gen(function*() {
    const world = yield* ConsoleWorld
    const root = yield* visit(yield* connect, telling)
    const link = Redacted.value(yield* world.setupLink)
    yield* Effect.promise(async () => {
      const { page } = root
      await page.goto(`${world.origin}/setup/${link}`)
      await fillIn(page, { email: `root-${telling.name}@example.com`, password: "correct horse battery staple" })
      await page.click("main form button[type=submit]")
      await page.waitForURL(`${world.origin}/admin`)
      assert.include(await page.textContent("main"), "openai")
      await inspect(root, telling, "first-steps")
      await page.click('form[action="/admin/first-steps/dismiss"] button')
      await page.locator('form[action="/admin/first-steps/dismiss"]').waitFor({ state: "detached" })
      await inspect(root, telling, "first-steps-dismissed")
      root.assertSilent()
    })
  })

describe.skipIf(chromiumPath === undefined)("prices by group, and finding users", () => {
  for (const telling of tellings) {
    layer(ConsoleWorld.layerOf(), { excludeTestServices: true, timeout: 60_000 })((it) => {
      it.effect(telling.name, () => tell(telling).pipe(Effect.scoped))
    })
    layer(ConsoleWorld.layerOf(keyless), { excludeTestServices: true, timeout: 60_000 })((it) => {
      it.effect(`${telling.name}: first steps`, () => dismissSteps(telling).pipe(Effect.scoped))
    })
  }
})
