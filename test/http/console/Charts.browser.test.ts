/**
 * Pages of usage with a month of calls in a browser: the charts of a user and of root, what they say of each bar, and the lists below
 * them, wide and narrow, light and dark.
 */
import { assert, describe, layer } from "@effect/vitest"
import { Effect } from "effect"
import { chromiumPath, connect, desktop, phone, visit } from "../../support/Browser.ts"
import { inspect, type Telling } from "../../support/ConsoleStory.ts"
import { ConsoleWorld } from "../../support/ConsoleWorld.ts"
import { writeHistory } from "../../support/UsageHistory.ts"

const tellings: ReadonlyArray<Telling> = [
  { name: "charts-en-desktop", locale: "en-US", viewport: desktop, colorScheme: "light" },
  { name: "charts-zh-phone", locale: "zh-CN", viewport: phone, colorScheme: "dark" }
]

const userPages = ["/", "/usage", "/usage?range=90d&measure=calls", "/ledger"]
const rootPages = ["/admin", "/admin/usage", "/admin/usage/calls"]

/** A user whose calls of a month are folded. */
const customer = Effect.gen(function*() {
  const world = yield* ConsoleWorld
  const { id: keyId, user } = yield* world.keyed(50_000_000n, "laptop")
  yield* writeHistory(world.sql, { userId: user.id, keyId, calls: 600, days: 30 })
  for (let passed = 1; passed > 0;) {
    const [row] = yield* world.sql<{ passed: number }>`SELECT realms_fold_usage_v1(${user.id}, 180000, 10000) AS passed`
    passed = row?.passed ?? 0
  }
  return user
})

describe.skipIf(chromiumPath === undefined)("charts", () => {
  layer(ConsoleWorld.layerOf(), { excludeTestServices: true })((it) => {
    it.effect("say what each of their bars stands for, to users and to root", () =>
      Effect.gen(function*() {
        const world = yield* ConsoleWorld
        const user = yield* customer
        const tokens = [yield* world.session(user.id), yield* world.session((yield* world.root).id)]
        const browser = yield* connect
        for (const telling of tellings) {
          const visitor = yield* visit(browser, telling)
          yield* Effect.promise(async () => {
            const { context, page } = visitor
            for (const [token = "", paths] of [[tokens[0], userPages], [tokens[1], rootPages]] as const) {
              await context.addCookies([{ name: "realms_session", value: token, url: world.origin }])
              for (const path of paths) {
                await page.goto(`${world.origin}${path}`)
                const charts = await page.locator("[data-chart]").all()
                for (const chart of charts) {
                  await chart.scrollIntoViewIfNeeded()
                  const shown = chart.locator("img:visible")
                  await shown.evaluate((image: HTMLImageElement) => image.decode())
                  await chart.focus()
                  await page.keyboard.press("Home")
                  assert.isNotEmpty(await chart.locator(".chart-tip:visible").innerText(), path)
                }
                assert.strictEqual(charts.length > 0, !/^\/ledger|\/calls$/.test(path), path)
                await inspect(visitor, telling, path.replaceAll(/\W+/g, "-"))
              }
            }
            visitor.assertSilent()
          })
        }
      }).pipe(Effect.scoped))
  })
})
