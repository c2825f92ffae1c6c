/**
 * The second factor as people meet it: set up from the account page, asked for at the next login, in both languages, on a desk and on
 * a phone, with a script and without.
 */
import { assert, describe, layer } from "@effect/vitest"
import { Effect, Redacted } from "effect"
import { totpCode } from "../../../src/identity/Totp.ts"
import { chromiumPath, connect, visit, type VisitorOptions } from "../../support/Browser.ts"
import { ConsoleWorld } from "../../support/ConsoleWorld.ts"

const phone = { width: 375, height: 740 }

const visitors = [
  ["en-desk", { locale: "en-US" }],
  ["zh-phone", { locale: "zh-CN", viewport: phone, javaScriptEnabled: false }],
  ["zh-desk", { locale: "zh-CN", colorScheme: "dark" }],
  ["en-phone", { locale: "en-US", viewport: phone }]
] as const satisfies ReadonlyArray<readonly [string, VisitorOptions]>

/** What the app shows, so many steps from now. */
const codeOf = (secret: string, steps: number): string =>
  totpCode(Redacted.make(secret), performance.timeOrigin + performance.now() + steps * 30_000)

describe.skipIf(chromiumPath === undefined)("the second factor in a browser", () => {
  layer(ConsoleWorld.layerOf(), { excludeTestServices: true })((it) => {
    for (const [name, options] of visitors) {
      it.effect(`is set up and asked for: ${name}`, () =>
        Effect.gen(function*() {
          const world = yield* ConsoleWorld
          const { email } = yield* world.user(0n)
          const visitor = yield* visit(yield* connect, options)
          const { page } = visitor
          const runsScripts = !("javaScriptEnabled" in options)
          const look = async (shown: string) => {
            if (runsScripts) {
              await visitor.checkFits()
              await visitor.checkAccessible()
            }
            await visitor.screenshot(`second-factor-${shown}-${name}`)
          }
          const signIn = async () => {
            await page.goto(`${world.origin}/login`)
            await page.fill("#field-email", email)
            await page.fill("#field-password", world.password)
            await page.click("form[action='/login'] button[type=submit]")
          }
          yield* Effect.promise(async () => {
            await signIn()
            await page.goto(`${world.origin}/account`)
            await look("account")
            await page.click("main a[href='/account/second-factor']")
            const secret = await visitor.textOf("#totp-secret")
            await look("set-up")
            await page.fill("#field-password", world.password)
            await page.fill("#field-app_code", codeOf(secret, 0))
            await page.click("form[action$='/set-up'] button[type=submit]")
            const codes = (await visitor.textOf("#recovery-codes")).split("\n")
            assert.strictEqual(codes.length, 10)
            await look("codes")
            await page.goto(`${world.origin}/account/second-factor`)
            await look("manage")
            await page.click("main a[href$='/remove']")
            await look("remove")
            await visitor.context.clearCookies()
            await signIn()
            await page.waitForURL("**/login/second-factor")
            await look("login")
            await page.fill("#field-code", "000000")
            await page.click("form[action='/login/second-factor'] button[type=submit]")
            await page.waitForSelector("#field-code-problem")
            await look("refused")
            await page.fill("#field-code", codeOf(secret, 1))
            await page.click("form[action='/login/second-factor'] button[type=submit]")
            await page.waitForURL(`${world.origin}/`)
            visitor.assertSilent()
          })
        }).pipe(Effect.scoped))
    }
  })
})
