/**
 * Webhooks by real https: signed so that their receiver can check it, by the example of the documentation too; to public addresses only
 * where users choose them; and what becomes of answers that are no success.
 */
import { assert, describe, layer } from "@effect/vitest"
import { Clock, Effect, Fiber, Redacted, Schema } from "effect"
import { SqlClient } from "effect/sql"
import { readFileSync } from "node:fs"
import { join } from "node:path"
import type { UserId } from "../../src/domain/Ids.ts"
import { Row } from "../../src/domain/Row.ts"
import { spreadAll, spreadNotices, WAITING_PER_ENDPOINT_MAX } from "../../src/notices/DeliveryStore.ts"
import { NoticeTiming } from "../../src/notices/NoticeSender.ts"
import { verify } from "../../src/notices/WebhookSignature.ts"
import { TESTS_A_DAY_MAX } from "../../src/notices/WebhookEndpoints.ts"
import { cliActor } from "../../src/platform/AuditLog.ts"
import { rowsOf } from "../../src/postgres/Rows.ts"
import { someoneWaits } from "../support/LockWaits.ts"
import { NoticeWorld, type ReceivedHook } from "../support/NoticeWorld.ts"
import { until } from "../support/Until.ts"

const low = { balance_micros: "1500000", threshold_micros: "5000000" }

/** A sender that looks often, and stops at once. */
const quick = { everyMs: 50, retrySecondsMin: 30, retrySecondsMax: 60, attemptsMax: 14, ageHoursMax: 72, stopMs: 50 }

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
        // Where the path is what lets somebody in, the log does not have it.
        assert.include(JSON.stringify(log), receiver.origin)
        assert.notInclude(JSON.stringify(log), receiver.url)
        assert.strictEqual((yield* Effect.flip(endpoints.test(null)))._tag, "WebhookMissing")
      }))

    it.effect("of one receiver that hangs delay no other's, and none of root's", () =>
      Effect.gen(function*() {
        const { endpoints, receiver, server, tell, user: slow } = yield* hooked
        const { run } = yield* Effect.provideService(server({}), NoticeTiming, quick)
        yield* endpoints.save(cliActor, slow.id, { url: receiver.hangingUrl, language: "en", muted: [] })
        yield* endpoints.save(cliActor, null, { url: receiver.url, language: "en", muted: [] })
        const other = yield* (yield* NoticeWorld).user()
        yield* endpoints.save(cliActor, other.id, { url: receiver.url, language: "en", muted: [] })
        yield* Effect.forkScoped(run)
        yield* tell("low_balance", slow.id, low)
        yield* tell("low_balance", slow.id, low)
        yield* until("the receiver hangs", () => receiver.hooks.length === 1)
        yield* tell("low_balance", other.id, low)
        yield* tell("disk_low", null, { server: "a", free_bytes: "1" })
        yield* until("the others are there", () => receiver.hooks.length === 3)
        assert.deepStrictEqual((yield* statesOf(slow.id)).map(({ state }) => state), ["waiting", "waiting"])
        yield* endpoints.remove(cliActor, null)
        yield* endpoints.remove(cliActor, slow.id)
      }).pipe(Effect.scoped))

    it.effect("that hang are left by a server that stops, and sent by another one under the same id", () =>
      Effect.gen(function*() {
        const { endpoints, passTime, receiver, round, server, tell, user } = yield* hooked
        const { run } = yield* Effect.provideService(server({}), NoticeTiming, quick)
        yield* endpoints.save(cliActor, user.id, { url: receiver.hangingUrl, language: "en", muted: [] })
        const sending = yield* Effect.forkScoped(run)
        yield* tell("low_balance", user.id, low)
        yield* until("the receiver hangs", () => receiver.hooks.length === 1)
        const before = yield* Clock.currentTimeMillis
        yield* Fiber.interrupt(sending)
        assert.isBelow((yield* Clock.currentTimeMillis) - before, 5_000)
        assert.deepStrictEqual((yield* statesOf(user.id)).map(({ state }) => state), ["waiting"])
        yield* endpoints.save(cliActor, user.id, { url: receiver.url, language: "en", muted: [] })
        yield* passTime
        yield* round
        assert.deepStrictEqual((yield* statesOf(user.id)).map(({ state }) => state), ["sent"])
        const ids = receiver.hooks.map(({ headers }) => headers["webhook-id"])
        assert.deepStrictEqual(ids, [ids[0], ids[0]])
      }).pipe(Effect.scoped))

    it.effect("that are tests are tried once, one at a time, also when the webhook is made again", () =>
      Effect.gen(function*() {
        const { endpoints, receiver, round, sql, user } = yield* hooked
        const change = { url: receiver.url, language: "en", muted: [] } as const
        const refused = Effect.map(Effect.flip(endpoints.test(user.id)), ({ _tag }) => _tag)
        yield* endpoints.test(user.id)
        yield* sql`UPDATE notices SET created_at = now() - interval '2 minutes' WHERE user_id = ${user.id}`
        assert.strictEqual(yield* refused, "WebhookTestedJustNow", "one still waits")
        receiver.answer.status = 500
        yield* round
        assert.deepStrictEqual(yield* statesOf(user.id), [{ state: "failed", problem: "status 500" }])
        yield* endpoints.test(user.id)
        yield* endpoints.remove(cliActor, user.id)
        yield* endpoints.save(cliActor, user.id, change)
        assert.strictEqual(yield* refused, "WebhookTestedJustNow", "a minute is not over")
        yield* sql`UPDATE notices SET created_at = now() - interval '2 minutes' WHERE user_id = ${user.id}`
        yield* endpoints.test(user.id)
        yield* round
        yield* sql`UPDATE notices SET created_at = now() - interval '23 hours' WHERE user_id = ${user.id}`
        yield* sql`INSERT INTO notices (key, kind, user_id, created_at, spread_at)
          SELECT 'test:' || gen_random_uuid(), 'webhook_test', ${user.id}, now() - interval '2 hours', now()
            FROM generate_series(1, ${TESTS_A_DAY_MAX - 4})`
        yield* endpoints.test(user.id)
        yield* round
        yield* sql`UPDATE notices SET created_at = created_at - interval '2 minutes' WHERE user_id = ${user.id}`
        assert.strictEqual(yield* refused, "WebhookTestedOften")
        yield* sql`UPDATE notices SET created_at = created_at - interval '2 hours' WHERE user_id = ${user.id}`
        yield* endpoints.test(user.id)
        yield* round
      }))

    it.effect("of root's receiver that hangs delay no mail", () =>
      Effect.gen(function*() {
        const { endpoints, receiver, server, smtp, tell, user } = yield* hooked
        yield* endpoints.remove(cliActor, user.id)
        const { run } = yield* Effect.provideService(server({ smtp: smtp.document }), NoticeTiming, quick)
        yield* endpoints.save(cliActor, null, { url: receiver.hangingUrl, language: "en", muted: [] })
        for (let told = 0; told < 20; told++) yield* tell("disk_low", null, { server: `s${told}`, free_bytes: "1" })
        yield* Effect.forkScoped(run)
        yield* until("the receiver hangs", () => receiver.hooks.length === 1)
        const before = smtp.mails.length
        yield* tell("low_balance", user.id, low)
        yield* until("the mail is there", () => smtp.mails.length > before)
        assert.strictEqual(receiver.hooks.length, 1)
        yield* endpoints.remove(cliActor, null)
      }).pipe(Effect.scoped))

    it.effect("wait in bounded numbers for a receiver that is away: the oldest are dropped, and say why", () =>
      Effect.gen(function*() {
        const { sql, tell, user } = yield* hooked
        const other = yield* hooked
        yield* tell("low_balance", other.user.id, low)
        yield* sql`INSERT INTO notices (key, kind, user_id, data)
          SELECT 'many:' || gen_random_uuid(), 'low_balance', ${user.id}, ${JSON.stringify(low)}::jsonb
            FROM generate_series(1, ${WAITING_PER_ENDPOINT_MAX + 3})`
        yield* spreadAll(sql, { hasMail: false })
        assert.isTrue((yield* statesOf(user.id)).every(({ state }) => state === "waiting"), "it has taken all so far")
        // It has failed, and one is on its way.
        yield* sql`UPDATE notice_deliveries SET attempts = 2 WHERE id = (
          SELECT max(id) FROM notice_deliveries WHERE user_id = ${user.id})`
        yield* sql`UPDATE notice_deliveries SET attempts = 1, next_attempt_at = now() + interval '2 minutes' WHERE id = (
          SELECT min(id) FROM notice_deliveries WHERE user_id = ${user.id} AND channel = 'webhook')`
        yield* tell("low_balance", user.id, low)
        yield* spreadAll(sql, { hasMail: false })
        const [first, ...states] = yield* statesOf(user.id)
        assert.strictEqual(first?.state, "waiting")
        assert.deepStrictEqual(
          states.slice(0, 3),
          Array.from({ length: 3 }, () => ({
            state: "dropped",
            problem: "more than 200 waited for this webhook"
          }))
        )
        assert.isTrue(states.slice(3).every(({ state }) => state === "waiting"))
        assert.strictEqual(states.length, WAITING_PER_ENDPOINT_MAX + 3)
        assert.deepStrictEqual((yield* statesOf(other.user.id)).map(({ state }) => state), ["waiting"])
        yield* sql`UPDATE notice_deliveries SET state = 'dropped', ended_at = now() WHERE state = 'waiting'`
      }))

    it.effect("of a user who is disabled get nothing that was on its way", () =>
      Effect.gen(function*() {
        const { receiver, round, sql, tell, user } = yield* hooked
        yield* tell("low_balance", user.id, low)
        yield* spreadNotices(sql, { hasMail: false })
        yield* sql`UPDATE users SET disabled_at = now() WHERE id = ${user.id}`
        yield* round
        assert.strictEqual(receiver.hooks.length, 0)
        assert.deepStrictEqual((yield* statesOf(user.id)).map(({ state }) => state), ["dropped"])
      }))

    it.effect("are removed while their receiver says that it is gone", () =>
      Effect.gen(function*() {
        const { endpoints, receiver, server, sql, tell, user } = yield* hooked
        const change = { url: receiver.url, language: "en", muted: [] } as const
        yield* tell("low_balance", user.id, low)
        yield* spreadNotices(sql, { hasMail: false })
        const other = yield* server({})
        const removing = yield* other.sql.withTransaction(Effect.gen(function*() {
          // Both halves of what is written of a receiver that is gone, with a removal between them.
          yield* other.sql`UPDATE webhook_endpoints SET disabled_at = now() WHERE user_id = ${user.id}`
          const removal = yield* Effect.forkDetach(endpoints.remove(cliActor, user.id))
          yield* Effect.provideService(someoneWaits, SqlClient.SqlClient, sql)
          yield* other.sql`UPDATE notice_deliveries SET state = 'dropped', ended_at = now()
            WHERE user_id = ${user.id} AND state = 'waiting'`
          return removal
        }))
        yield* Fiber.join(removing)
        assert.isUndefined(yield* endpoints.of(user.id))
        assert.isDefined(yield* endpoints.save(cliActor, user.id, change))
      }).pipe(Effect.scoped))
  })
})
