/**
 * The queue of notices, with a real mail server: each is delivered once, in its reader's language, whatever is repeated, refused, stopped
 * or sent by two servers at once; and nothing is sent before somebody has asked for it.
 */
import { assert, describe, layer } from "@effect/vitest"
import { Effect, Fiber, Schema } from "effect"
import { Row } from "../../src/domain/Row.ts"
import {
  claimDeliveries,
  cleanNotices,
  mailToOldAddress,
  spreadAll,
  spreadNotices
} from "../../src/notices/DeliveryStore.ts"
import { rowsOf } from "../../src/postgres/Rows.ts"
import type { UserId } from "../../src/domain/Ids.ts"
import { freePort } from "../support/FreePort.ts"
import { NoticeWorld } from "../support/NoticeWorld.ts"
import { until } from "../support/Until.ts"

const low = { balance_micros: "1500000", threshold_micros: "5000000" }

const Delivery = Row({
  uid: Schema.String,
  channel: Schema.String,
  state: Schema.String,
  attempts: Schema.Number,
  problem: Schema.String,
  waitSeconds: Schema.Number
})

const deliveriesOf = (userId: UserId) =>
  Effect.gen(function*() {
    const { sql } = yield* NoticeWorld
    return yield* rowsOf(
      Delivery,
      sql`SELECT uid::text, channel, state, attempts, problem, extract(epoch FROM next_attempt_at - now())::float8 AS wait_seconds
        FROM notice_deliveries WHERE user_id = ${userId} ORDER BY id`
    )
  })

const bounds = { lane: "ours", busy: [], limit: 8, leaseSeconds: 60, attemptsMax: 14, ageHoursMax: 72 } as const

describe("notices", () => {
  layer(NoticeWorld.layer, { timeout: 60_000, excludeTestServices: true })((it) => {
    it.effect("are mailed once, in the user's language", () =>
      Effect.gen(function*() {
        const { round, smtp, tell, user } = yield* NoticeWorld
        const [ada, li] = [yield* user(), yield* user({ language: "zh" })]
        for (const { id } of [ada, li]) {
          yield* tell("low_balance", id, low, `low:${id}`)
          yield* tell("low_balance", id, low, `low:${id}`)
        }
        yield* round
        yield* round
        const [english] = smtp.to(ada.email)
        const [chinese] = smtp.to(li.email)
        assert.strictEqual(smtp.to(ada.email).length, 1)
        assert.strictEqual(smtp.to(li.email).length, 1)
        assert.strictEqual(english?.subject, "[Realms] Your balance is low: $1.50")
        assert.include(english?.text, "below the $5.00 at which you asked to be told")
        assert.include(english?.text, "Top up: https://realms.example/topup")
        assert.include(english?.text, "https://realms.example/notifications")
        assert.strictEqual(chinese?.subject, "[Realms] 余额不足：$1.50")
        assert.include(chinese?.text, "已低于您设置的提醒金额 $5.00")
      }))

    it.effect("are mailed once by two servers that send at the same time", () =>
      Effect.gen(function*() {
        const { round, server, smtp, tell, user } = yield* NoticeWorld
        const other = yield* server({ smtp: smtp.document })
        const users = yield* Effect.forEach(Array.from({ length: 40 }), () => user())
        yield* Effect.forEach(users, ({ id }) => tell("low_balance", id, low), { discard: true })
        yield* Effect.all([round, other.round, round, other.round], { concurrency: 4 })
        yield* round
        for (const { email } of users) assert.strictEqual(smtp.to(email).length, 1)
      }).pipe(Effect.scoped))

    it.effect("are tried again after a growing wait, under the same Message-ID, when the server cannot take them yet", () =>
      Effect.gen(function*() {
        const { passTime, round, smtp, tell, user } = yield* NoticeWorld
        const ada = yield* user()
        yield* tell("low_balance", ada.id, low)
        smtp.refuse({ at: "data", code: 451, message: "try later", to: ada.email })
        yield* round
        const [first] = yield* deliveriesOf(ada.id)
        assert.strictEqual(first?.state, "waiting")
        assert.strictEqual(first?.attempts, 1)
        assert.include(first?.problem, "try later")
        assert.isTrue((first?.waitSeconds ?? 0) > 20 && (first?.waitSeconds ?? 0) <= 30)
        // Its time has not come.
        assert.strictEqual(yield* round, 0)
        yield* passTime
        yield* round
        const [second] = yield* deliveriesOf(ada.id)
        assert.strictEqual(second?.attempts, 2)
        assert.isAbove(second?.waitSeconds ?? 0, 50)
        smtp.accept()
        yield* passTime
        yield* round
        yield* round
        assert.strictEqual(smtp.to(ada.email).length, 1)
        const [sent] = yield* deliveriesOf(ada.id)
        assert.strictEqual(sent?.state, "sent")
        assert.strictEqual(smtp.to(ada.email)[0]?.headers.get("message-id"), `<${first?.uid}@realms.example>`)
        assert.strictEqual(sent?.uid, first?.uid)
      }))

    it.effect("are given up when the server refuses the recipient for good, or after the last attempt", () =>
      Effect.gen(function*() {
        const { passTime, round, smtp, sql, tell, user } = yield* NoticeWorld
        const [gone, slow, old] = [yield* user(), yield* user(), yield* user()]
        for (const { id } of [gone, slow, old]) yield* tell("low_balance", id, low)
        smtp.refuse({ at: "recipient", code: 550, message: "nobody of that name", to: gone.email })
        smtp.refuse({ at: "recipient", code: 450, message: "mailbox busy", to: slow.email })
        smtp.refuse({ at: "recipient", code: 450, message: "mailbox busy", to: old.email })
        yield* sql`UPDATE notices SET created_at = now() - interval '4 days' WHERE user_id = ${old.id}`
        for (let attempt = 0; attempt < 20; attempt++) {
          yield* round
          yield* passTime
        }
        smtp.accept()
        yield* round
        const stateOf = (id: UserId) => Effect.map(deliveriesOf(id), ([one]) => [one?.state, one?.attempts])
        assert.deepStrictEqual(yield* stateOf(gone.id), ["failed", 1])
        assert.deepStrictEqual(yield* stateOf(slow.id), ["failed", 14])
        assert.deepStrictEqual(yield* stateOf(old.id), ["failed", 1])
        assert.strictEqual(smtp.to(slow.email).length, 0)
      }))

    it.effect("of a server that died while it sent are sent by another one after the lease", () =>
      Effect.gen(function*() {
        const { passTime, round, smtp, sql, tell, user } = yield* NoticeWorld
        const ada = yield* user()
        yield* tell("low_balance", ada.id, low)
        // A server that takes the delivery and is never heard of again.
        yield* spreadNotices(sql, { hasMail: true })
        assert.isAbove((yield* claimDeliveries(sql, bounds)).length, 0)
        assert.strictEqual(yield* round, 0)
        assert.strictEqual(smtp.to(ada.email).length, 0)
        yield* passTime
        yield* round
        assert.strictEqual(smtp.to(ada.email).length, 1)
      }))

    it.effect("survive a restart while the mail server is away", () =>
      Effect.gen(function*() {
        const { passTime, server, smtp, tell, user } = yield* NoticeWorld
        const ada = yield* user()
        const away = { ...smtp.document, port: yield* freePort }
        yield* Effect.scoped(Effect.gen(function*() {
          const first = yield* server({ smtp: away })
          yield* tell("low_balance", ada.id, low)
          yield* first.round
        }))
        assert.deepStrictEqual((yield* deliveriesOf(ada.id)).map(({ state }) => state), ["waiting"])
        yield* passTime
        const second = yield* server({ smtp: smtp.document })
        yield* second.round
        yield* second.round
        assert.strictEqual(smtp.to(ada.email).length, 1)
      }).pipe(Effect.scoped))

    it.effect("are brought to their end when the server stops meanwhile, so that they are not sent twice", () =>
      Effect.gen(function*() {
        const { round, smtp, tell, user } = yield* NoticeWorld
        const ada = yield* user()
        yield* tell("low_balance", ada.id, low)
        const before = smtp.connections()
        const sending = yield* Effect.forkChild(round)
        yield* until("the mail is under way", () => smtp.connections() > before)
        yield* Fiber.interrupt(sending)
        yield* round
        assert.strictEqual(smtp.to(ada.email).length, 1)
        assert.deepStrictEqual((yield* deliveriesOf(ada.id)).map(({ state }) => state), ["sent"])
      }))

    it.effect("are off until something is set up, and nothing of before is sent then", () =>
      Effect.gen(function*() {
        const { round, server, smtp, tell, user } = yield* NoticeWorld
        const ada = yield* user()
        const off = yield* server({})
        yield* tell("low_balance", ada.id, low)
        yield* off.round
        yield* round
        assert.strictEqual(smtp.to(ada.email).length, 0)
        assert.deepStrictEqual(yield* deliveriesOf(ada.id), [])
      }).pipe(Effect.scoped))

    it.effect("are not mailed to who does not want them, is disabled, or has not verified the address", () =>
      Effect.gen(function*() {
        const { preferences, round, smtp, sql, tell, user } = yield* NoticeWorld
        const [ada, bob, eve] = [yield* user(), yield* user(), yield* user({ isVerified: false })]
        yield* preferences.save(ada.id, { lowBalanceMicros: null, planEndingDays: 3 }, ["refund"])
        const refund = { refund_id: "1", payment_id: "1", amount_minor: "1000", currency: "cny" }
        yield* tell("refund", ada.id, refund)
        yield* tell("low_balance", ada.id, low)
        yield* tell("low_balance", bob.id, low)
        yield* tell("low_balance", eve.id, low)
        yield* sql`UPDATE users SET disabled_at = now() WHERE id = ${bob.id}`
        yield* round
        assert.deepStrictEqual(smtp.to(ada.email).map(({ subject }) => subject), [
          "[Realms] Your balance is low: $1.50"
        ])
        assert.strictEqual(smtp.to(bob.email).length, 0)
        assert.strictEqual(smtp.to(eve.email).length, 0)
      }))

    it.effect("go to the address that their user had when they were spread, whatever it is afterwards", () =>
      Effect.gen(function*() {
        const { passTime, round, smtp, sql, tell, user } = yield* NoticeWorld
        const [ada, bob] = [yield* user(), yield* user()]
        const taken = `thief-${ada.email}`
        smtp.refuse({ at: "recipient", code: 450, message: "mailbox busy", to: ada.email })
        yield* tell("low_balance", ada.id, low)
        yield* round
        yield* tell("low_balance", ada.id, low)
        yield* tell("low_balance", bob.id, low)
        // As where an address is changed: what is not spread yet is, of this user alone.
        yield* spreadAll(sql, { hasMail: true, userId: ada.id })
        assert.strictEqual((yield* deliveriesOf(ada.id)).length, 2)
        assert.deepStrictEqual(yield* deliveriesOf(bob.id), [])
        const change = { change: "email", detail: taken, address: "192.0.2.1", at: "2026-12-01T10:00:00Z" } as const
        yield* tell("account_changed", ada.id, change, `changed:${ada.id}`)
        yield* mailToOldAddress(sql, { key: `changed:${ada.id}`, email: ada.email })
        yield* sql`UPDATE users SET email = ${taken} WHERE id = ${ada.id}`
        yield* round
        smtp.accept()
        yield* passTime
        yield* round
        const subjects = (email: string) => smtp.to(email).map(({ subject }) => subject)
        const [lowSubject, changed] = [
          "[Realms] Your balance is low: $1.50",
          `[Realms] Your e-mail address was changed to ${taken}`
        ]
        assert.deepStrictEqual(subjects(ada.email).toSorted(), [lowSubject, lowSubject, changed].toSorted())
        assert.deepStrictEqual(subjects(taken), [changed])
        assert.deepStrictEqual(subjects(bob.email), [lowSubject])
      }))

    it.effect("are mailed to staff at any address", () =>
      Effect.gen(function*() {
        const { round, smtp, sql, tell, user } = yield* NoticeWorld
        const [clerk, ada] = [yield* user({ isVerified: false }), yield* user({ isVerified: false })]
        yield* sql`UPDATE users SET role = 'finance' WHERE id = ${clerk.id}`
        const changed = { change: "password", detail: null, address: "192.0.2.1", at: "2026-12-01T10:00:00Z" } as const
        for (const { id } of [clerk, ada]) yield* tell("account_changed", id, changed)
        yield* round
        assert.deepStrictEqual([clerk, ada].map(({ email }) => smtp.to(email).length), [1, 0])
      }))

    it.effect("for root go to every administrator, each in their language", () =>
      Effect.gen(function*() {
        const { round, smtp, sql, tell, user } = yield* NoticeWorld
        const [one, two] = [yield* user({ role: "root" }), yield* user({ role: "root", language: "zh" })]
        yield* tell("disk_low", null, { server: "a", free_bytes: "1073741824" })
        yield* round
        assert.include(smtp.to(one.email)[0]?.text, "Only 1,024 MiB are left where a keeps its data")
        assert.include(smtp.to(two.email)[0]?.text, "仅剩 1,024 MiB")
        yield* sql`UPDATE users SET disabled_at = now() WHERE role = 'root'`
      }))

    it.effect("are removed with their deliveries when they are old", () =>
      Effect.gen(function*() {
        const { round, sql, tell, user } = yield* NoticeWorld
        const [old, young] = [yield* user(), yield* user()]
        for (const { id } of [old, young]) yield* tell("low_balance", id, low)
        yield* round
        yield* sql`UPDATE notices SET created_at = now() - interval '91 days' WHERE user_id = ${old.id}`
        yield* cleanNotices(sql, { days: 90 })
        assert.deepStrictEqual(yield* deliveriesOf(old.id), [])
        assert.strictEqual((yield* deliveriesOf(young.id)).length, 1)
      }))
  })
})
