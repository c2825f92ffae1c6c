/**
 * Root's settings and keys in the console: what a save changes on two servers at once, what is refused, and who finds nothing.
 */
import { assert, describe, layer } from "@effect/vitest"
import { Effect } from "effect"
import { randomUUID } from "node:crypto"
import { ConsoleClient } from "../../support/ConsoleClient.ts"
import { asUser, ConsoleWorld, signedInRoot } from "../../support/ConsoleWorld.ts"
import { makeSmtpReceiver } from "../../support/SmtpReceiver.ts"

const billing = (revision: string, minTopupCny: string, multiplier: string) => ({
  section: "billing",
  revision,
  "billing.min_topup_cny": minTopupCny,
  "billing.multiplier": multiplier
})

const asRoot = Effect.fnUntraced(function*() {
  const { client, root, world } = yield* signedInRoot
  const page = yield* client.get("/admin/settings")
  assert.strictEqual(page.status, 200)
  const revision = () => /name="revision" value="([^"]+)"/.exec(page.text)?.[1] ?? ""
  return { world, root, client, page, revision: revision() }
})

describe("root's settings", () => {
  layer(ConsoleWorld.layerOf(), { timeout: 60_000 })((it) => {
    it.effect("are nobody else's", () =>
      Effect.gen(function*() {
        const { client, world } = yield* asUser
        const home = yield* client.get("/")
        assert.notInclude(home.text, `href="/admin"`)
        for (const path of ["/admin", "/admin/settings", "/admin/keys", "/admin/keys/1/revoke"]) {
          assert.strictEqual((yield* client.get(path)).status, 404, path)
        }
        for (const path of ["/admin/settings", "/admin/settings/test", "/admin/keys", "/admin/keys/1/revoke"]) {
          assert.strictEqual((yield* client.post(path, { section: "site", "site.name": "Mine" })).status, 404, path)
        }
        const nobody = yield* new ConsoleClient(world.origin).get("/admin/settings")
        assert.strictEqual(nobody.status, 303)
        assert.include((yield* client.get("/")).text, "<title>Dashboard · Realms</title>")
      }))

    it.effect("count from the next request on, and are reset field by field", () =>
      Effect.gen(function*() {
        const { client, page, revision } = yield* asRoot()
        assert.include((yield* client.get("/admin/settings/stripe")).text, "/api/pay/stripe/webhook")
        assert.notInclude(page.text, "/api/pay/stripe/webhook")
        assert.strictEqual((yield* client.get("/admin/settings/nothing")).status, 404)
        const saved = yield* client.post("/admin/settings", billing(revision, "3.00", "1"))
        assert.strictEqual(saved.status, 303)
        assert.include((yield* client.get("/topup")).text, "¥3.00")
        const after = yield* client.get("/admin/settings/billing?done=saved")
        assert.include(after.text, "Saved.")
        // What said what is in effect already was not set.
        assert.strictEqual(after.text.match(/name="reset"/g)?.length, 1)
        const reset = yield* client.post("/admin/settings", {
          section: "billing",
          reset: "billing.min_topup_cny",
          revision: /name="revision" value="([^"]+)"/.exec(after.text)?.[1] ?? "",
          "billing.max_topup_cny": "not looked at"
        })
        assert.strictEqual(reset.status, 303)
        assert.notInclude((yield* client.get("/admin/settings/billing")).text, `name="reset"`)
      }))

    it.effect("change nothing when one field is bad, and say which", () =>
      Effect.gen(function*() {
        const { client, revision } = yield* asRoot()
        const refused = yield* client.post("/admin/settings", billing(revision, "4.00", "-1"))
        assert.strictEqual(refused.status, 422)
        assert.include(refused.text, `value="-1"`)
        assert.include(refused.text, "field-billing.multiplier-problem")
        assert.notInclude((yield* client.get("/topup")).text, "¥4.00")
      }))

    it.effect("take an EPay gateway by http on loopback only, in both languages", () =>
      Effect.gen(function*() {
        const { client, revision } = yield* asRoot()
        for (
          const [language, text] of [["en", "http:// is only for a loopback"], ["zh", "仅可用于本机地址"]] as const
        ) {
          const refused = yield* client.post(
            "/admin/settings",
            { section: "epay", revision, "payment.epay.gateway": "http://pay.example" },
            { "accept-language": language }
          )
          assert.strictEqual(refused.status, 422)
          assert.include(refused.text, text)
        }
      }))

    it.effect("tell the second of two administrators", () =>
      Effect.gen(function*() {
        const { client, revision } = yield* asRoot()
        const first = yield* client.post("/admin/settings", { section: "site", revision, "site.name": "First" })
        assert.strictEqual(first.status, 303)
        const second = yield* client.post("/admin/settings", { section: "site", revision, "site.name": "Second" })
        assert.strictEqual(second.status, 409)
        assert.include(second.text, "Somebody has changed the settings")
        assert.include((yield* client.get("/")).text, "· First</title>")
      }))

    it.effect("show no secret, and test the connection with what is saved", () =>
      Effect.gen(function*() {
        const { client, revision } = yield* asRoot()
        const secret = `whsec_${randomUUID()}`
        const saved = yield* client.post("/admin/settings", {
          section: "stripe",
          revision,
          "payment.stripe.webhook_secret": secret
        })
        assert.strictEqual(saved.status, 303)
        assert.notInclude((yield* client.get("/admin/settings/stripe")).text, secret)
        for (const section of ["stripe", "epay"]) {
          const tested = yield* client.post("/admin/settings/test", { section })
          assert.include(tested.text, "The connection works", section)
        }
        const wrong = yield* client.get("/admin/settings")
        yield* client.post("/admin/settings", {
          section: "stripe",
          revision: /name="revision" value="([^"]+)"/.exec(wrong.text)?.[1] ?? "",
          "payment.stripe.secret_key": "sk_test_wrong"
        })
        const failed = yield* client.post("/admin/settings/test", { section: "stripe" })
        assert.include(failed.text, "no usable answer")
        assert.notInclude(failed.text, "sk_test_wrong")
      }))

    it.effect("send a stored key to another address only with a proof, once the session is old", () =>
      Effect.gen(function*() {
        const { client } = yield* asRoot()
        const { ageSessions, password, stripe } = yield* ConsoleWorld
        yield* ageSessions
        const page = yield* client.get("/admin/settings/stripe")
        const asked = `name="password"`
        assert.include(page.text, asked)
        assert.notInclude((yield* client.get("/admin/settings/billing")).text, asked)
        const moved = {
          section: "stripe",
          revision: /name="revision" value="([^"]+)"/.exec(page.text)?.[1] ?? "",
          "payment.stripe.api_base": "http://127.0.0.1:9/evil"
        }
        const refused = yield* client.post("/admin/settings", moved)
        assert.strictEqual(refused.status, 422)
        assert.include(refused.text, "This is not your current password")
        const kept = yield* client.get("/admin/settings/stripe")
        assert.notInclude(kept.text, moved["payment.stripe.api_base"])
        assert.include(kept.text, stripe.url)
        // What is not guarded is saved as before.
        const plain = { section: "epay", revision: moved.revision, "payment.epay.types": "alipay" }
        assert.strictEqual((yield* client.post("/admin/settings", plain)).status, 303)
        const revision = /name="revision" value="([^"]+)"/.exec((yield* client.get("/admin/settings")).text)?.[1] ?? ""
        assert.strictEqual((yield* client.post("/admin/settings", { ...moved, revision, password })).status, 303)
        const reset = { section: "stripe", reset: "payment.stripe.api_base" }
        const now = /name="revision" value="([^"]+)"/.exec((yield* client.get("/admin/settings")).text)?.[1] ?? ""
        assert.strictEqual((yield* client.post("/admin/settings", { ...reset, revision: now })).status, 422)
        assert.strictEqual((yield* client.post("/admin/settings", { ...reset, revision: now, password })).status, 303)
      }))

    it.effect("set a mail server, and send a test message by it to the administrator who asks", () =>
      Effect.gen(function*() {
        const { client, revision, root } = yield* asRoot()
        const server = yield* makeSmtpReceiver({ isPlain: true })
        const test = Effect.map(client.post("/admin/settings/test", { section: "mail" }), ({ text }) => text)
        assert.include(yield* test, "no mail server is set")
        const { password } = yield* ConsoleWorld
        const mail = {
          section: "mail",
          revision,
          password,
          "smtp.host": "127.0.0.1",
          "smtp.port": String(server.port),
          "smtp.security": "none",
          "smtp.password": `smtp-${randomUUID()}`
        }
        const unfit = yield* client.post("/admin/settings", mail)
        assert.strictEqual(unfit.status, 422)
        assert.include(unfit.text, "field-smtp.from-problem")
        const forbidden = yield* client.post("/admin/settings", {
          ...mail,
          "smtp.host": "169.254.169.254",
          "smtp.from": "no-reply@realms.example"
        })
        assert.strictEqual(forbidden.status, 422)
        assert.include(forbidden.text, "does not connect to such an address")
        const clear = yield* client.post("/admin/settings", {
          ...mail,
          "smtp.host": "mail.example",
          "smtp.from": "no-reply@realms.example",
          "smtp.user": "realms"
        })
        assert.include(clear.text, "sent in clear")
        const sound = { ...mail, "smtp.from": "No-Reply@realms.example" }
        yield* (yield* ConsoleWorld).ageSessions
        for (const wrong of ["", "not the password"]) {
          const unproven = yield* client.post("/admin/settings", { ...sound, password: wrong })
          assert.strictEqual(unproven.status, 422)
          assert.include(unproven.text, "This is not your current password")
        }
        assert.include(yield* test, "no mail server is set")
        const saved = yield* client.post("/admin/settings", sound)
        assert.strictEqual(saved.status, 303)
        assert.notInclude((yield* client.get("/admin/settings/mail")).text, mail["smtp.password"])
        assert.include(yield* test, `taken the message for ${root.email}`)
        const chinese = yield* client.post(
          "/admin/settings/test",
          { section: "mail" },
          { "accept-language": "zh" }
        )
        assert.include(chinese.text, "邮件服务器已接收")
        assert.deepStrictEqual(server.to(root.email).map(({ subject }) => subject), ["Test message", "测试邮件"])
        server.refuse({ at: "recipient", code: 550, message: "nobody <here>" })
        const refused = yield* test
        assert.include(refused, "refused the message for good")
        assert.include(refused, "nobody &lt;here>")
      }))

    it.effect("have keys for programs", () =>
      Effect.gen(function*() {
        const { client } = yield* asRoot()
        const { password } = yield* ConsoleWorld
        assert.strictEqual((yield* client.post("/admin/keys", { name: "", password })).status, 422)
        const made = yield* client.post("/admin/keys", { name: "deploy", password })
        const key = /sk-admin-[\w-]{43}/.exec(made.text)?.[0] ?? ""
        assert.notStrictEqual(key, "")
        const list = yield* client.get("/admin/keys")
        assert.notInclude(list.text, key)
        const id = /\/admin\/keys\/(\d+)\/revoke/.exec(list.text)?.[1] ?? ""
        yield* client.get(`/admin/keys/${id}/revoke`)
        assert.strictEqual((yield* client.post(`/admin/keys/${id}/revoke`, {})).status, 303)
        assert.include((yield* client.get("/admin/keys?done=revoked")).text, "Revoked")
      }))
  })
})
