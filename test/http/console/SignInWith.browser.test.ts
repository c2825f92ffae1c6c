/**
 * Signing in at a provider in a real browser: under the policy of our pages, from the button and back, and the connected sign-in on the
 * account page.
 */
import { describe, layer } from "@effect/vitest"
import { Effect } from "effect"
import { chromiumPath, connect, visit, type VisitorOptions } from "../../support/Browser.ts"
import { ConsoleWorld } from "../../support/ConsoleWorld.ts"
import { makeProviders } from "../../support/OidcWorld.ts"

const { config, github, oidc, origin } = await makeProviders()

const looks = [
  ["en-desk", { locale: "en-US" }],
  ["zh-phone", { locale: "zh-CN", viewport: { width: 375, height: 740 } }]
] as const satisfies ReadonlyArray<readonly [string, VisitorOptions]>

describe.skipIf(chromiumPath === undefined)("a provider in a browser", () => {
  layer(
    ConsoleWorld.layerOf(config),
    { excludeTestServices: true }
  )((it) => {
    for (const [name, options] of looks) {
      it.effect(`signs in, and is connected: ${name}`, () =>
        Effect.gen(function*() {
          const world = yield* ConsoleWorld
          const visitor = yield* visit(yield* connect, options)
          const { page } = visitor
          const { email } = yield* world.user(0n)
          oidc.accounts.set(name, { email: `${name}@company.example`, email_verified: true })
          github.as({ id: name.length, emails: [] })
          yield* Effect.promise(async () => {
            const look = async (shown: string) => {
              await visitor.checkFits()
              await visitor.checkAccessible()
              await visitor.screenshot(`sign-in-${shown}-${name}`)
            }
            // The provider's own pages want a font of the internet.
            const nothing = { status: 200, contentType: "text/css", body: "" }
            await visitor.context.route("https://fonts.googleapis.com/**", (route) => route.fulfill(nothing))
            await page.goto(`${origin}/login`)
            await look("login")
            await page.click("a[href='/login/with/oidc']")
            await page.fill("input[name=login]", name)
            await page.fill("input[name=password]", "x")
            await page.click("button[type=submit]")
            await page.click("button[type=submit]")
            await page.waitForURL(`${origin}/`)
            await visitor.context.clearCookies()
            await page.goto(`${origin}/login`)
            await page.fill("#field-email", email)
            await page.fill("#field-password", world.password)
            await page.click("form[action='/login'] button[type=submit]")
            await page.goto(`${origin}/account`)
            await page.click("a[href='/account/identities/github/connect']")
            await look("connect")
            await page.fill("#field-password", world.password)
            await page.click("main form button[type=submit]")
            await look("go")
            await page.click("main a.btn-primary")
            await page.waitForURL("**/account?done=connected")
            await look("connected")
            visitor.assertSilent()
          })
        }).pipe(Effect.scoped))
    }
  })
})
