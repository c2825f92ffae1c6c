/**
 * An invitation from its making to the account that comes of it, in both languages, on a desk and on a phone.
 */
import { describe, layer } from "@effect/vitest"
import { Effect } from "effect"
import { chromiumPath, connect, visit, type VisitorOptions } from "../../support/Browser.ts"
import { ConsoleWorld } from "../../support/ConsoleWorld.ts"

const looks = [
  ["en-desk", { locale: "en-US" }],
  ["zh-phone", { locale: "zh-CN", viewport: { width: 375, height: 740 } }]
] as const satisfies ReadonlyArray<readonly [string, VisitorOptions]>

describe.skipIf(chromiumPath === undefined)("an invitation in a browser", () => {
  layer(
    ConsoleWorld.layerOf({ registration: { mode: "invite", email_domains: ["company.example"] } }),
    { excludeTestServices: true }
  )((it) => {
    for (const [name, options] of looks) {
      it.effect(`leads to an account: ${name}`, () =>
        Effect.gen(function*() {
          const world = yield* ConsoleWorld
          const root = yield* world.root
          const session = yield* world.session(root.id)
          const browser = yield* connect
          const admin = yield* visit(browser, options)
          const guest = yield* visit(browser, options)
          yield* Effect.promise(async () => {
            const look = async (visitor: typeof admin, shown: string) => {
              await visitor.checkFits()
              await visitor.checkAccessible()
              await visitor.screenshot(`invites-${shown}-${name}`)
            }
            await admin.context.addCookies([{ name: "realms_session", value: session, url: world.origin }])
            await admin.page.goto(`${world.origin}/admin/invites`)
            await admin.page.click("main a[href='/admin/invites/new'] >> nth=0")
            await look(admin, "new")
            await admin.page.fill("#field-note", "Ada")
            await admin.page.fill("#field-uses", "2")
            await admin.page.click("form[action='/admin/invites/new'] button[type=submit]")
            const link = await admin.textOf("#invite-link")
            await look(admin, "link")
            await guest.page.goto(`${world.origin}/register`)
            await look(guest, "needed")
            await guest.page.goto(link)
            await look(guest, "register")
            await guest.page.fill("#field-email", `${name}@company.example`)
            await guest.page.fill("#field-password", "correct horse battery")
            await guest.page.click("form[action^='/invite/'] button[type=submit]")
            await guest.page.waitForURL(`${world.origin}/`)
            await admin.page.goto(`${world.origin}/admin/invites`)
            await look(admin, "list")
            admin.assertSilent()
            guest.assertSilent()
          })
        }).pipe(Effect.scoped))
    }
  })
})
