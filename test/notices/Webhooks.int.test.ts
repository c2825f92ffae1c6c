/**
 * Webhooks by real https: signed so that their receiver can check it, by the example of the documentation too; to public addresses only
 * where users choose them; and what becomes of answers that are no success.
 */
import { assert, describe, layer } from "@effect/vitest"
import { Clock, Effect, Redacted, Schema } from "effect"
import { readFileSync } from "node:fs"
import { join } from "node:path"
import type { UserId } from "../../src/domain/Ids.ts"
import { Row } from "../../src/domain/Row.ts"
import { verify } from "../../src/notices/WebhookSignature.ts"
import { cliActor } from "../../src/platform/AuditLog.ts"
import { rowsOf } from "../../src/postgres/Rows.ts"
import { NoticeWorld, type ReceivedHook } from "../support/NoticeWorld.ts"

const low = { balance_micros: "1500000", threshold_micros: "5000000" }

const headersOf = ({ headers }: ReceivedHook): Readonly<Record<string, string | undefined>> =>
  Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, Array.isArray(value) ? value[0] : value]))

const State = Row({ state: Schema.String, problem: Schema.String })

const statesOf = (userId: UserId) =>
  Effect.flatMap(NoticeWorld, ({ sql }) =>
    rowsOf(
      State,
      sql`SELECT state, problem FROM notice_deliveries WHERE user_id = ${userId} AND channel = 'webhook' ORDER BY id`
    ))

/** A user with a webhook at the receiver, and its secret. */
const hooked = Effect.gen(function*() {
  const world = yield* NoticeWorld
  const user = yield* world.user({ language: "zh" })
  const secret = yield* world.endpoints.save(cliActor, user.id, {
    url: world.receiver.url,
    language: "zh",
    muted: []
  })
  if (secret === undefined) return yield* Effect.die(new Error("no secret was told"))
  world.receiver.hooks.length = 0
  world.receiver.answer.status = 204
  return { ...world, user, secret }
})

const nowSeconds = Effect.map(Clock.currentTimeMillis, (ms) => Math.floor(ms / 1_000))

const decodeExample = Schema.decodeUnknownEffect(Schema.Struct({ isFromRealms: Schema.Any }))

/** The example of the documentation, as its reader would use it. */
const documented = Effect.gen(function*() {
  const text = readFileSync(join(import.meta.dirname, "../../docs/webhooks.md"), "utf8")
  const code = /```js\n([^]*?)```/.exec(text)?.[1] ?? ""
  const module: unknown = yield* Effect.promise(() => import(`data:text/javascript,${encodeURIComponent(code)}`))
  return (yield* decodeExample(module)).isFromRealms
})

describe("webhooks", () => {
  layer(NoticeWorld.layer, { timeout: 60_000, excludeTestServices: true })((it) => {
    it.effect("are signed, and say what has happened in the owner's language", () =>
      Effect.gen(function*() {
        const { receiver, round, secret, tell, user } = yield* hooked
        yield* tell("low_balance", user.id, low)
        yield* round
        yield* round
        assert.strictEqual(receiver.hooks.length, 1)
        const [hook] = receiver.hooks
        if (hook === undefined) return
        const body = JSON.parse(hook.body)
        assert.deepStrictEqual(Object.keys(body), ["type", "timestamp", "title", "text", "url", "data"])
        assert.strictEqual(body.type, "low_balance")
        assert.strictEqual(body.title, "余额不足：$1.50")
        assert.strictEqual(body.url, "https://realms.example/topup")
        assert.deepStrictEqual(body.data, low)
        const request = { headers: headersOf(hook), body: hook.body, nowSeconds: yield* nowSeconds }
        assert.isTrue(verify(secret, request))
        assert.isFalse(verify(secret, { ...request, body: hook.body.replace("1500000", "9500000") }))
        assert.isFalse(verify(secret, { ...request, nowSeconds: request.nowSeconds + 400 }))
        assert.isFalse(verify(Redacted.make("whsec_AAAA"), request))
        const isFromRealms = yield* documented
        const plain = Redacted.value(secret)
        assert.isTrue(isFromRealms(plain, request.headers, hook.body))
        assert.isFalse(isFromRealms(plain, request.headers, `${hook.body} `))
        assert.isFalse(isFromRealms(plain, request.headers, hook.body, request.nowSeconds - 400))
        assert.isFalse(isFromRealms(plain, {}, hook.body))
      }))

    it.effect("are signed by the old secret beside the new one for a day", () =>
      Effect.gen(function*() {
        const { endpoints, receiver, round, secret, sql, tell, user } = yield* hooked
        const next = yield* endpoints.rotate(cliActor, user.id)
        yield* tell("low_balance", user.id, low)
        yield* round
        const seconds = yield* nowSeconds
        const isBy = (by: typeof secret, hook: ReceivedHook | undefined) =>
          hook !== undefined && verify(by, { headers: headersOf(hook), body: hook.body, nowSeconds: seconds })
        assert.isTrue(isBy(secret, receiver.hooks[0]))
        assert.isTrue(isBy(next, receiver.hooks[0]))
        yield* sql`UPDATE webhook_secrets SET expires_at = now() WHERE expires_at IS NOT NULL`
        yield* tell("low_balance", user.id, low)
        yield* round
        assert.isFalse(isBy(secret, receiver.hooks[1]))
        assert.isTrue(isBy(next, receiver.hooks[1]))
      }))

    it.effect("are tried again under the same id, and no redirect is followed", () =>
      Effect.gen(function*() {
        const { passTime, receiver, round, tell, user } = yield* hooked
        yield* tell("low_balance", user.id, low)
        receiver.answer.status = 302
        receiver.answer.location = "/elsewhere"
        yield* round
        assert.strictEqual(receiver.hooks.length, 1)
        assert.deepStrictEqual(yield* statesOf(user.id), [
          { state: "waiting", problem: "status 302" }
        ])
        receiver.answer.status = 200
        receiver.answer.body = "x".repeat(1_000_000)
        yield* passTime
        yield* round
        delete receiver.answer.body
        assert.deepStrictEqual((yield* statesOf(user.id)).map(({ state }) => state), ["sent"])
        const ids = receiver.hooks.map(({ headers }) => headers["webhook-id"])
        assert.strictEqual(ids.length, 2)
        assert.strictEqual(ids[0], ids[1])
      }))

    it.effect("end at an endpoint that is gone, until it is saved again", () =>
      Effect.gen(function*() {
        const { endpoints, receiver, round, tell, user } = yield* hooked
        yield* tell("low_balance", user.id, low)
        receiver.answer.status = 410
        yield* round
        assert.deepStrictEqual((yield* statesOf(user.id)).map(({ state }) => state), ["failed"])
        assert.isNotNull((yield* endpoints.of(user.id))?.disabledAt ?? null)
        yield* tell("low_balance", user.id, low)
        yield* round
        assert.strictEqual(receiver.hooks.length, 1)
        receiver.answer.status = 204
        const secret = yield* endpoints.save(cliActor, user.id, { url: receiver.url, language: "en", muted: [] })
        assert.isUndefined(secret)
        yield* tell("low_balance", user.id, low)
        yield* round
        assert.strictEqual(receiver.hooks.length, 2)
      }))

    it.effect("are not sent to who does not want the kind, nor after the webhook is removed", () =>
      Effect.gen(function*() {
        const { endpoints, passTime, receiver, round, tell, user } = yield* hooked
        yield* endpoints.save(cliActor, user.id, { url: receiver.url, language: "en", muted: ["low_balance"] })
        yield* tell("low_balance", user.id, low)
        yield* round
        assert.strictEqual(receiver.hooks.length, 0)
        receiver.answer.status = 500
        yield* tell("new_network", user.id, { address: "192.0.2.1", device: null, at: "2026-11-30T10:00:00Z" })
        yield* round
        assert.strictEqual(receiver.hooks.length, 1)
        yield* endpoints.remove(cliActor, user.id)
        yield* passTime
        yield* round
        assert.strictEqual(receiver.hooks.length, 1)
        assert.deepStrictEqual((yield* statesOf(user.id)).map(({ state }) => state), ["dropped"])
      }))

    it.effect("of users are never sent into a private network, whatever the name resolves to", () =>
      Effect.gen(function*() {
        const { client, endpoints, round, tell, user } = yield* hooked
        const refused = [
          "http://example.com/hook",
          "https://127.0.0.1/hook",
          "https://10.1.2.3/",
          "https://[::1]/",
          "https://[::ffff:192.168.1.1]/",
          "https://[fd00::1]/",
          "https://100.64.1.1/",
          "https://169.254.169.254/",
          "https://user:password@example.com/",
          "https://example.com/?token=secret",
          "ftp://example.com",
          "nothing"
        ]
        for (const url of refused) {
          const change = { url, language: "en", muted: [] } as const
          const error = yield* Effect.flip(endpoints.save(cliActor, user.id, change))
          assert.strictEqual(error._tag, "WebhookRefused", url)
        }
        // As if its name had been public when it was saved.
        const change = { url: "https://internal.example/hook", language: "en", muted: [] } as const
        yield* endpoints.save(cliActor, user.id, change)
        yield* tell("low_balance", user.id, low)
        yield* round
        assert.deepStrictEqual(yield* statesOf(user.id), [
          { state: "waiting", problem: "forbidden" }
        ])
        assert.isUndefined(client.problemOf("root", "https://10.1.2.3/hook"))
        assert.isUndefined(client.problemOf("root", "http://127.0.0.1:9000/hook"))
        assert.strictEqual(client.problemOf("root", "http://10.1.2.3/hook"), "url")
        assert.strictEqual(client.problemOf("root", "https://169.254.169.254/"), "forbidden")
      }))

    it.effect("of the installation get what is for root, and are in the audit log without their secret", () =>
      Effect.gen(function*() {
        const { endpoints, receiver, round, sql, tell } = yield* hooked
        const secret = yield* endpoints.save(cliActor, null, {
          url: receiver.url,
          language: "en",
          muted: ["channel_down"]
        })
        yield* tell("channel_down", null, { channel_id: "1", channel: "openai" })
        yield* tell("disk_low", null, { server: "a", free_bytes: "1" })
        yield* endpoints.test(null)
        assert.strictEqual((yield* Effect.flip(endpoints.test(null)))._tag, "WebhookTestedJustNow")
        yield* round
        assert.deepStrictEqual(receiver.hooks.map(({ body }) => JSON.parse(body).type).toSorted(), [
          "disk_low",
          "webhook_test"
        ])
        yield* endpoints.rotate(cliActor, null)
        yield* endpoints.remove(cliActor, null)
        const log = yield* sql`SELECT action, before, after FROM audit_log WHERE target = 'webhook' ORDER BY id`
        assert.deepStrictEqual(log.map(({ action }) => action), [
          "webhook.saved",
          "webhook.rotated",
          "webhook.removed"
        ])
        assert.notInclude(JSON.stringify(log), Redacted.value(secret ?? Redacted.make("whsec_none")).slice(6))
        assert.strictEqual((yield* Effect.flip(endpoints.test(null)))._tag, "WebhookMissing")
      }))
  })
})
