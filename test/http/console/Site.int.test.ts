/**
 * How the site presents itself: its logo, its terms and its contact, as root sets them and as visitors see them.
 */
import { assert, describe, layer } from "@effect/vitest"
import { Effect } from "effect"
import { ConsoleClient } from "../../support/ConsoleClient.ts"
import { ConsoleWorld, signedInRoot } from "../../support/ConsoleWorld.ts"
import { send } from "../../support/TestHttp.ts"

const PNG = Buffer.from("89504e470d0a1a0a0000000d49484452", "hex")

const asRoot = Effect.gen(function*() {
  const { client, world } = yield* signedInRoot
  const visitor = new ConsoleClient(world.origin)
  /** Saves the section as a browser sends it, with a file or with an empty one. */
  const save = Effect.fnUntraced(
    function*(fields: Readonly<Record<string, string>>, logo: Uint8Array = Buffer.alloc(0)) {
      const { text } = yield* client.get("/admin/settings/site")
      const form = new FormData()
      const revision = /name="revision" value="([^"]+)"/.exec(text)?.[1] ?? ""
      for (const [name, value] of Object.entries({ csrf_token: client.token, section: "site", revision, ...fields })) {
        form.append(name, value)
      }
      const type = logo.length === 0 ? "application/octet-stream" : "image/png"
      form.append("site.logo", new Blob([Buffer.from(logo)], { type }), logo.length === 0 ? "" : "logo.png")
      return yield* Effect.promise(async () => {
        const answer = await fetch(`${world.origin}/admin/settings`, {
          method: "POST",
          body: form,
          redirect: "manual",
          headers: { cookie: `realms_session=${client.cookies.get("realms_session")}` }
        })
        return { status: answer.status, text: await answer.text() }
      })
    }
  )
  return { client, save, visitor, world }
})

describe("the site", () => {
  layer(ConsoleWorld.layerOf(), { excludeTestServices: true, timeout: 60_000 })((it) => {
    it.effect("shows a logo that root uploads on every page, keeps it at the next save, and takes it away", () =>
      Effect.gen(function*() {
        const { client, save, visitor, world } = yield* asRoot
        assert.include((yield* visitor.get("/login")).text, "/icon.svg")
        assert.strictEqual((yield* save({ "site.name": "Mine" }, PNG)).status, 303)
        const path = /\/site\/logo\/\w+/.exec((yield* visitor.get("/login")).text)?.[0] ?? ""
        const logo = yield* send(`${world.origin}${path}`, { method: "GET" })
        assert.strictEqual(logo.status, 200)
        assert.strictEqual(logo.headers["content-type"], "image/png")
        assert.strictEqual(logo.headers["x-content-type-options"], "nosniff")
        assert.include(String(logo.headers["content-security-policy"]), "sandbox")
        assert.strictEqual((yield* send(`${world.origin}/site/logo/0000`, { method: "GET" })).status, 404)
        assert.strictEqual((yield* save({ "site.name": "Mine too" })).status, 303)
        assert.include((yield* visitor.get("/login")).text, path)
        const [entry] = yield* world.sql<{ after: Record<string, string> }>`
          SELECT after FROM audit_log WHERE action = 'settings.saved' AND after ? 'site.logo'`
        assert.match(entry?.after["site.logo"] ?? "", /^image\/png, 16 bytes, SHA-256 [\da-f]{64}$/)
        const shown = yield* client.get("/admin/settings/site")
        assert.include(shown.text, 'name="remove" value="site.logo"')
        assert.strictEqual((yield* save({ remove: "site.logo" })).status, 303)
        assert.include((yield* visitor.get("/login")).text, "/icon.svg")
        assert.strictEqual((yield* send(`${world.origin}${path}`, { method: "GET" })).status, 404)
      }))

    it.effect("takes no logo that is too large or not an image, and says so beside the field", () =>
      Effect.gen(function*() {
        const { save, visitor } = yield* asRoot
        for (const wrong of [Buffer.from("<svg onload='alert(1)'/>"), Buffer.concat([PNG, Buffer.alloc(70_000)])]) {
          const refused = yield* save({ "site.name": "Other" }, wrong)
          assert.strictEqual(refused.status, 422)
          assert.include(refused.text, 'id="field-site.logo-problem"')
        }
        assert.strictEqual((yield* save({}, Buffer.alloc(3_000_000, 1))).status, 413)
        assert.notInclude((yield* visitor.get("/login")).text, "Other")
      }))

    it.effect("leads to its terms where people register, and to its contact, escaped", () =>
      Effect.gen(function*() {
        const { save, visitor } = yield* asRoot
        assert.strictEqual((yield* visitor.get("/terms")).status, 404)
        assert.notInclude((yield* visitor.get("/register")).text, "terms of use")
        const terms = "<script>alert(1)</script>\n\nSee https://example.com/more."
        const saved = yield* save({ "site.terms": terms, "site.contact": "help@example.com" })
        assert.strictEqual(saved.status, 303)
        const page = yield* visitor.get("/terms")
        assert.include(page.text, "&lt;script>")
        assert.include(page.text, '<a href="https://example.com/more"')
        const register = yield* visitor.get("/register")
        assert.include(register.text, 'href="/terms"')
        assert.include(register.text, 'href="mailto:help@example.com"')
        assert.strictEqual((yield* save({ "site.terms": "https://example.com/terms" })).status, 303)
        assert.include((yield* visitor.get("/register")).text, 'href="https://example.com/terms"')
        for (const contact of ["javascript:alert(1)", "mailto:x@y?bcc=z", "a b@c"]) {
          assert.strictEqual(
            (yield* save({ "site.contact": contact, "site.terms": "javascript:alert(1)" })).status,
            303
          )
          const text = (yield* visitor.get("/register")).text
          assert.notMatch(text, /href="(?:javascript|mailto)/)
          assert.include(text, 'href="/terms"')
        }
        assert.strictEqual((yield* save({ "site.terms": "x".repeat(20_001) })).status, 422)
        assert.strictEqual((yield* save({ "site.terms": "", "site.contact": "" })).status, 303)
      }))
  })
})
