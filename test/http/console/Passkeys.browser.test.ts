/**
 * Passkeys in a real browser, with its virtual authenticator: one is made, signs in alone and after the password, proves who somebody is,
 * and is removed. Where the site is reached by an IP address there are none, and the page says so.
 */
import { assert, describe, layer } from "@effect/vitest"
import { Effect } from "effect"
import { chromiumPath, connect, visit, type Visitor, type VisitorOptions } from "../../support/Browser.ts"
import { ConsoleWorld } from "../../support/ConsoleWorld.ts"
import { freePort } from "../../support/FreePort.ts"

const port = await Effect.runPromise(freePort)
const origin = `http://localhost:${port}`

const looks = [
  ["en-desk", { locale: "en-US" }],
  ["zh-phone", { locale: "zh-CN", viewport: { width: 375, height: 740 } }]
] as const satisfies ReadonlyArray<readonly [string, VisitorOptions]>

/** An authenticator of this visitor's machine, which knows its owner or does not. */
const plugIn = async ({ context, page }: Visitor) => {
  const cdp = await context.newCDPSession(page)
  await cdp.send("WebAuthn.enable")
  const { authenticatorId } = await cdp.send("WebAuthn.addVirtualAuthenticator", {
    options: {
      protocol: "ctap2",
      transport: "internal",
      hasResidentKey: true,
      hasUserVerification: true,
      isUserVerified: true,
      automaticPresenceSimulation: true
    }
  })
  return {
    credentials: async () => (await cdp.send("WebAuthn.getCredentials", { authenticatorId })).credentials,
    knowsOwner: (isUserVerified: boolean) => cdp.send("WebAuthn.setUserVerified", { authenticatorId, isUserVerified })
  }
}

const signIn = async ({ page }: Visitor, at: string, email: string, password: string) => {
  await page.goto(`${at}/login`)
  await page.fill("#field-email", email)
  await page.fill("#field-password", password)
  await page.click("form[action='/login'] button[type=submit]")
}

describe.skipIf(chromiumPath === undefined)("a passkey in a browser", () => {
  layer(ConsoleWorld.layerOf({ server: { host: "127.0.0.1", port, public_url: origin } }), {
    excludeTestServices: true
  })(
    (it) => {
      for (const [name, options] of looks) {
        it.effect(`signs in, alone and after the password: ${name}`, () =>
          Effect.gen(function*() {
            const world = yield* ConsoleWorld
            const { email } = yield* world.user(0n)
            const visitor = yield* visit(yield* connect, options)
            yield* Effect.promise(async () => {
              const { context, page } = visitor
              const device = await plugIn(visitor)
              const look = async (shown: string) => {
                await visitor.checkFits()
                await visitor.checkAccessible()
                await visitor.screenshot(`passkeys-${shown}-${name}`)
              }
              await signIn(visitor, origin, email, world.password)
              await page.goto(`${origin}/account/second-factor`)
              await look("none")
              await page.click("main a[href='/account/passkeys/new']")
              await look("new")
              await page.fill("#field-name", "Laptop")
              await page.fill("#field-password", world.password)
              await page.click("[data-passkey=create]")
              const codes = (await visitor.textOf("#recovery-codes")).split("\n")
              assert.strictEqual(codes.length, 10)
              const [credential] = await device.credentials()
              assert.deepInclude(credential, { rpId: "localhost", isResidentCredential: true })
              await page.goto(`${origin}/account/second-factor`)
              await look("list")

              await context.clearCookies()
              await page.goto(`${origin}/login`)
              await look("login")
              await page.click("[data-passkey=get]")
              await page.waitForURL(`${origin}/`)

              // Alone it has to have known its owner; after the password it does not.
              await context.clearCookies()
              await device.knowsOwner(false)
              await page.goto(`${origin}/login`)
              await page.click("[data-passkey=get]")
              await page.waitForSelector("[data-passkey-failed]:not([hidden])")
              await signIn(visitor, origin, email, world.password)
              await page.waitForURL("**/login/second-factor")
              await look("second")
              await page.click("[data-passkey=get]")
              await page.waitForURL(`${origin}/`)

              await page.goto(`${origin}/account/second-factor`)
              await page.click("main a[href$='/remove'] >> nth=1")
              await look("remove")
              await page.fill("#field-password", world.password)
              await page.click("[data-passkey=get]")
              await page.waitForURL("**/account/second-factor?done=*")
              assert.strictEqual(await page.locator("main table").count(), 0)
              await context.clearCookies()
              await page.goto(`${origin}/login`)
              await device.knowsOwner(true)
              await page.click("[data-passkey=get]")
              await page.waitForSelector("form[action='/login'] [role=alert]")
              await look("refused")
              visitor.assertSilent()
            })
          }).pipe(Effect.scoped))
      }

      it.effect("is offered by no page of the same server under an IP address", () =>
        Effect.gen(function*() {
          const world = yield* ConsoleWorld
          const root = yield* world.root
          const client = yield* world.signedIn(root.id)
          yield* client.get("/account/second-factor")
          const login = yield* client.get("/login")
          assert.notInclude(login.text, "off because")
          const settings = yield* client.get("/admin/settings")
          const revision = /name="revision" value="([^"]+)"/.exec(settings.text)?.[1] ?? ""
          const saved = yield* client.post("/admin/settings", {
            section: "site",
            revision,
            password: world.password,
            "server.public_url": `http://127.0.0.1:${port}`
          })
          assert.strictEqual(saved.status, 303)
          const page = yield* client.get("/account/second-factor")
          assert.include(page.text, "Passkeys need a domain name.")
          assert.notInclude(page.text, "/account/passkeys/new")
          assert.strictEqual((yield* client.get("/account/passkeys/new")).status, 303)
          const visitor = yield* visit(yield* connect)
          yield* Effect.promise(async () => {
            await visitor.page.goto(`${world.origin}/login`)
            assert.strictEqual(await visitor.page.locator("[data-passkey]").count(), 0)
          })
        }).pipe(Effect.scoped))
    }
  )
})
