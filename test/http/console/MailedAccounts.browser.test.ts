/**
 * The pages of accounts by mail as people meet them, in both languages, on a desk and on a phone.
 */
import { afterAll, describe, layer } from "@effect/vitest"
import { Effect, Exit, Scope } from "effect"
import { chromiumPath, connect, visit, type VisitorOptions } from "../../support/Browser.ts"
import { ConsoleWorld } from "../../support/ConsoleWorld.ts"
import { makeSmtpReceiver } from "../../support/SmtpReceiver.ts"
import { until } from "../../support/Until.ts"

const scope = Effect.runSync(Scope.make())
const smtp = await Effect.runPromise(Effect.provideService(makeSmtpReceiver({ isPlain: true }), Scope.Scope, scope))
afterAll(() => Effect.runPromise(Scope.close(scope, Exit.void)))

const looks = [
  ["en-desk", { locale: "en-US" }],
  ["zh-phone", { locale: "zh-CN", viewport: { width: 375, height: 740 } }]
] as const satisfies ReadonlyArray<readonly [string, VisitorOptions]>

describe.skipIf(chromiumPath === undefined)("an account by mail in a browser", () => {
  layer(ConsoleWorld.layerOf({ smtp: smtp.document }), { excludeTestServices: true })((it) => {
    for (const [name, options] of looks) {
      it.effect(`is made, and its address changed: ${name}`, () =>
        Effect.gen(function*() {
          const world = yield* ConsoleWorld
          const visitor = yield* visit(yield* connect, options)
          const { page } = visitor
          const email = `${name}@company.example`
          const linkTo = async (to: string) => {
            await Effect.runPromise(until("the mail is there", () => smtp.to(to).length > 0))
            return /https?:\S+/.exec(smtp.to(to)[0]?.text ?? "")?.[0] ?? ""
          }
          yield* Effect.promise(async () => {
            const look = async (shown: string) => {
              await visitor.checkFits()
              await visitor.checkAccessible()
              await visitor.screenshot(`mailed-${shown}-${name}`)
            }
            await page.goto(`${world.origin}/register`)
            await look("register")
            await page.fill("#field-email", email)
            await page.click("form[action='/register'] button[type=submit]")
            await look("sent")
            await page.goto(await linkTo(email))
            await look("password")
            await page.fill("#field-password", world.password)
            await page.click("form[action^='/register/'] button[type=submit]")
            await page.waitForURL(`${world.origin}/`)
            await page.goto(`${world.origin}/account`)
            await look("account")
            await page.click("main a[href='/account/email']")
            await look("change")
            await page.fill("#field-email", `new-${email}`)
            await page.fill("#field-password", world.password)
            await page.click("form[action='/account/email'] button[type=submit]")
            await page.goto(await linkTo(`new-${email}`))
            await look("confirm")
            await page.click("main form button[type=submit]")
            await page.waitForURL("**/account?done=email")
            await visitor.context.clearCookies()
            await page.goto(`${world.origin}/login`)
            await page.click("a[href='/forgot']")
            await look("forgot")
            visitor.assertSilent()
          })
        }).pipe(Effect.scoped))
    }
  })
})
