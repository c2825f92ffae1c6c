/**
 * The pages of notices: what users choose, webhooks whose secret is shown once, what was sent to whom, and the language that notices are
 * written in.
 */
import { assert, describe, layer } from "@effect/vitest"
import { Effect } from "effect"
import { TESTS_A_DAY_MAX } from "../../../src/notices/WebhookEndpoints.ts"
import { ConsoleClient } from "../../support/ConsoleClient.ts"
import { asUser, ConsoleWorld, signedInRoot } from "../../support/ConsoleWorld.ts"
import { until } from "../../support/Until.ts"

const SECRET = /whsec_[\w+/=]{44}/

/** Nothing answers there. */
const HOOK = "https://localhost:1/realms"

/** Nothing answers there, either. */
const mailing = ConsoleWorld.layerOf({
  smtp: { host: "127.0.0.1", port: 1, security: "none", from: "a@realms.example" }
})

const world = ConsoleWorld.layerOf({ server: { port: 0, link_local_hosts_allowed: ["localhost"] } })

const formOf = (...fields: ReadonlyArray<readonly [name: string, value: string]>) =>
  fields.map(([name, value]) => `${name}=${encodeURIComponent(value)}`).join("&")

const languageOf = (world: ConsoleWorld["Service"], userId: bigint) =>
  Effect.map(world.sql`SELECT language FROM users WHERE id = ${userId}`, ([row]) => row)

describe("notifications", () => {
  layer(world, { excludeTestServices: true, timeout: 60_000 })((it) => {
    it.effect("are chosen, and what was chosen is shown", () =>
      Effect.gen(function*() {
        const { client } = yield* asUser
        const page = yield* client.get("/notifications")
        assert.strictEqual(page.status, 200)
        assert.include(page.text, "Mail is not set up here yet")
        assert.include(page.text, `name="plan_ending_days" `)
        assert.notInclude(page.text, "A channel is down")
        const saved = yield* client.postText(
          "/notifications",
          `csrf_token=${client.token}&${
            formOf(["low_balance", "2.50"], ["plan_ending_days", "7"], ["mail", "refund"], ["mail", "plan_ending"])
          }`
        )
        assert.strictEqual(saved.status, 303)
        const after = (yield* client.get("/notifications?done=choices")).text
        assert.include(after, "Saved.")
        assert.include(after, `value="2.50"`)
        assert.match(after, /name="mail" value="refund" checked/)
        assert.notMatch(after, /name="mail" value="low_balance" checked/)
      }))

    it.effect("refuse what means nothing, beside its field and in the reader's language", () =>
      Effect.gen(function*() {
        const { client } = yield* asUser
        yield* client.get("/notifications")
        const fields = { low_balance: "much", plan_ending_days: "15" }
        const english = yield* client.post("/notifications", fields)
        assert.strictEqual(english.status, 422)
        assert.include(english.text, "Enter an amount up to 1,000,000 USD, or nothing.")
        assert.include(english.text, "Enter a whole number from 1 to 14.")
        const chinese = yield* client.post("/notifications", fields, { "accept-language": "zh" })
        assert.include(chinese.text, "请输入 1 至 14 的整数。")
      }))

    it.effect("go to a webhook whose secret is shown once, and again only when it is replaced", () =>
      Effect.gen(function*() {
        const { client, user, world: { sql } } = yield* asUser
        yield* client.get("/notifications")
        for (const url of ["http://hooks.example.com", "https://10.0.0.1/", "https://example.com/?token=x"]) {
          assert.strictEqual((yield* client.post("/notifications/webhook", { url })).status, 422, url)
        }
        const made = yield* client.post("/notifications/webhook", { url: HOOK, kinds: "refund" })
        const secret = SECRET.exec(made.text)?.[0] ?? ""
        assert.notStrictEqual(secret, "")
        const page = (yield* client.get("/notifications")).text
        assert.include(page, HOOK)
        assert.notMatch(page, SECRET)
        const same = yield* client.post("/notifications/webhook", { url: HOOK, kinds: "refund" })
        assert.strictEqual(same.status, 303)
        const rotated = yield* client.post("/notifications/webhook/rotate", {})
        assert.notStrictEqual(SECRET.exec(rotated.text)?.[0], secret)
        assert.strictEqual((yield* client.post("/notifications/webhook/test", {})).status, 303)
        const again = yield* client.post("/notifications/webhook/test", {})
        assert.include(String(again.headers["location"]), "done=tested")
        yield* sql`INSERT INTO notices (key, kind, user_id, created_at, spread_at)
          SELECT 'test:' || gen_random_uuid(), 'webhook_test', ${user.id}, now() - interval '2 hours', now()
            FROM generate_series(1, ${TESTS_A_DAY_MAX})`
        const listed = Effect.map(client.get("/notifications/deliveries"), ({ text }) => text)
        yield* until(
          "the test was tried",
          Effect.map(listed, (text) => /The connection failed \(/.test(text))
        )
        assert.include(yield* listed, "Failed", "a test is tried once")
        yield* sql`UPDATE notices SET created_at = created_at - interval '2 minutes' WHERE user_id = ${user.id}`
        const often = yield* client.post("/notifications/webhook/test", {})
        assert.include(
          (yield* client.get(String(often.headers["location"]))).text,
          "At most 50 tests are sent within a day"
        )
        assert.strictEqual((yield* client.post("/notifications/webhook/remove", {})).status, 303)
        assert.notInclude((yield* client.get("/notifications")).text, HOOK)
        const { client: other } = yield* asUser
        assert.include((yield* other.get("/notifications/deliveries")).text, "Nothing was sent yet")
      }))

    it.effect("are written in the language that the user chose or came in with", () =>
      Effect.gen(function*() {
        const { client, user, world } = yield* asUser
        yield* client.get("/account")
        yield* client.post("/look", { language: "zh", theme: "dark" })
        assert.deepStrictEqual(yield* languageOf(world, user.id), { language: "zh" })
        const visitor = new ConsoleClient(world.origin)
        yield* visitor.get("/login")
        const came = yield* visitor.post(
          "/login",
          { email: user.email, password: world.password },
          { "accept-language": "en" }
        )
        assert.strictEqual(came.status, 303)
        assert.deepStrictEqual(yield* languageOf(world, user.id), { language: "en" })
      }))

    it.effect("of the service are root's, with a webhook in a private network if need be", () =>
      Effect.gen(function*() {
        const { client: user } = yield* asUser
        assert.strictEqual((yield* user.get("/admin/notices")).status, 404)
        const { client, root } = yield* signedInRoot
        assert.include((yield* client.get("/notifications")).text, "A channel is down")
        const chosen = { low_balance: "", plan_ending_days: "3", mail: "refund", mail_root: "channel_down" }
        assert.strictEqual((yield* client.post("/notifications", chosen)).status, 303)
        const choices = (yield* client.get("/notifications")).text
        const ticked = Array.from(choices.matchAll(/name="(mail\w*)" value="(\w+)" checked/g), ([, ...found]) => found)
        assert.deepStrictEqual(ticked, [["mail", "refund"], ["mail_root", "channel_down"]])
        const page = yield* client.get("/admin/notices")
        assert.include(page.text, "No mail server is set")
        const made = yield* client.post("/admin/notices/webhook", { url: "https://10.0.0.1:1/hook", kinds: "disk_low" })
        assert.match(made.text, SECRET)
        assert.strictEqual(
          (yield* client.post("/admin/notices/webhook", { url: "https://169.254.169.254/" })).status,
          422
        )
        yield* client.post("/admin/notices/webhook/test", {})
        const listed = yield* client.get("/admin/notices?channel=webhook&state=waiting")
        assert.include(listed.text, "Test")
        const log = (yield* client.get("/admin/audit")).text
        assert.include(log, "Webhook saved")
        assert.include(log, root.email)
        assert.notMatch(log, SECRET)
        yield* client.post("/admin/notices/webhook/remove", {})
      }))
  })

  layer(mailing, { excludeTestServices: true, timeout: 60_000 })("where mail works", (it) => {
    it.effect("say that the address has to be verified first, to users and not to root", () =>
      Effect.gen(function*() {
        const { client, user, world } = yield* asUser
        const page = Effect.map(client.get("/notifications"), ({ text }) => text)
        assert.include(yield* page, "Your e-mail address is not verified")
        assert.notInclude(yield* page, "Mail is not set up here yet")
        yield* world.sql`UPDATE users SET email_verified_at = now() WHERE id = ${user.id}`
        assert.notInclude(yield* page, "is not verified")
        const { client: root } = yield* signedInRoot
        assert.notInclude((yield* root.get("/notifications")).text, "is not verified")
        assert.notInclude((yield* root.get("/admin/notices")).text, "No mail server is set")
      }))
  })
})
