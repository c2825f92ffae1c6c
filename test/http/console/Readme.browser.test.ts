/**
 * The pictures in the README: the pages of a user with a month of calls, a plan and an order to pay. `npm run screenshots`
 * takes them again; every other run takes them for a look at what they show.
 */
import { describe, layer } from "@effect/vitest"
import { Effect } from "effect"
import { join } from "node:path"
import { inTransaction } from "../../../src/postgres/Transaction.ts"
import { activate } from "../../../src/subscriptions/Subscriptions.ts"
import { chromiumPath, connect, screenshotFolder, visit } from "../../support/Browser.ts"
import { ConsoleWorld } from "../../support/ConsoleWorld.ts"
import { writeHistory } from "../../support/UsageHistory.ts"

const folder = process.env["REALMS_SCREENSHOTS"] === undefined
  ? screenshotFolder
  : join(import.meta.dirname, "../../..", process.env["REALMS_SCREENSHOTS"])

const plan = {
  planId: 1n,
  code: "basic",
  name: "Basic",
  durationDays: 30,
  limit5hMicros: 6_000_000n,
  limit1dMicros: 0n,
  limit7dMicros: 20_000_000n,
  limit30dMicros: 80_000_000n,
  multiplierMicros: 1_000_000n,
  groupCode: null,
  requestsPerMinute: 0,
  tokensPerMinute: 0,
  concurrentCalls: 0
}

const seed = Effect.gen(function*() {
  const world = yield* ConsoleWorld
  const { sql } = world
  const { id: keyId, user } = yield* world.keyed(23_480_000n, "chat-frontend")
  yield* writeHistory(sql, { userId: user.id, keyId, calls: 3_000, days: 30 })
  const id = yield* inTransaction(sql, activate(sql, user.id, null, plan))
  yield* sql`
    INSERT INTO subscription_usage (subscription_id, bucket_start, micros)
      SELECT ${id}, date_trunc('minute', now()) - make_interval(mins => 37 * i), 420000 FROM generate_series(1, 24) AS i`
  yield* world.orders.topup(user.id, 5_000n)
  const order = yield* world.orders.topup(user.id, 10_000n)
  const root = yield* world.root
  return { order, token: yield* world.session(user.id), rootToken: yield* world.session(root.id) }
})

describe.skipIf(chromiumPath === undefined)("the pictures in the README", () => {
  layer(ConsoleWorld.layerOf(), { excludeTestServices: true })((it) => {
    it.effect("are taken of pages that are whole", () =>
      Effect.gen(function*() {
        const { origin } = yield* ConsoleWorld
        const { order, rootToken, token } = yield* seed
        const visitor = yield* visit(yield* connect)
        yield* Effect.promise(async () => {
          const { context, page } = visitor
          await context.addCookies([{ name: "realms_session", value: token, url: origin }])
          for (
            const [name, path] of [
              ["dashboard", "/"],
              ["topup", "/topup"],
              ["pay", `/pay/topup/${order.id}`],
              ["usage", "/usage"]
            ] as const
          ) {
            await page.goto(`${origin}${path}`, { waitUntil: "networkidle" })
            for (const chart of await page.locator("img.chart:visible").all()) {
              // It is drawn when it is needed, and fails when it cannot be shown.
              await chart.evaluate((image: HTMLImageElement) => image.decode())
            }
            await page.screenshot({ path: join(folder, `${name}.png`) })
          }
          await context.addCookies([{ name: "realms_session", value: rootToken, url: origin }])
          for (
            const [name, path] of [
              ["admin", "/admin"],
              ["admin-settings", "/admin/settings/stripe"]
            ] as const
          ) {
            await page.goto(`${origin}${path}`, { waitUntil: "networkidle" })
            await page.screenshot({ path: join(folder, `${name}.png`) })
          }
          visitor.assertSilent()
        })
      }).pipe(Effect.scoped))
  })
})
