import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer, Queue, Redacted, References } from "effect"
import { SqlClient } from "effect/sql"
import { TestClock } from "effect/testing"
import { Notifications } from "../../src/platform/Notifications.ts"
import { Database } from "../../src/postgres/Database.ts"
import { hear, say } from "../support/Heard.ts"
import type { Steps } from "../support/Steps.ts"
import { makeDatabase, TestDatabase } from "../support/TestDatabase.ts"

/** What is provoked here is also logged; that is not for the report. */
const Quiet = Layer.succeed(References.MinimumLogLevel, "None")

const TestLayer = Notifications.layer.pipe(Layer.provideMerge(TestDatabase.layer), Layer.provideMerge(Quiet))

/** A test of what one process publishes and hears. */
const test = (title: string, steps: Steps<void, Layer.Success<typeof TestLayer>>) =>
  it.live(title, () => Effect.gen(steps).pipe(Effect.scoped, Effect.provide(TestLayer)))

describe("Notifications", () => {
  test("deliver what is published, to every subscriber, in order", function*() {
    const [a, b] = [yield* hear, yield* hear]
    yield* say("account", "u1")
    yield* say("settings", "a:b:c")
    for (const heard of [a, b]) {
      assert.strictEqual(yield* Queue.take(heard), "account u1")
      assert.strictEqual(yield* Queue.take(heard), "settings a:b:c")
    }
  })

  test("are sent when the transaction commits, or not at all", function*() {
    const sql = yield* SqlClient.SqlClient
    const heard = yield* hear
    const undone = Effect.andThen(say("keys", "undone"), Effect.fail("no"))
    yield* Effect.ignore(sql.withTransaction(undone))
    yield* sql.withTransaction(say("keys", "done"))
    assert.strictEqual(yield* Queue.take(heard), "keys done")
  })

  test("a subscriber that throws, and a payload of another version, disturb nobody", function*() {
    const sql = yield* SqlClient.SqlClient
    const notifications = yield* Notifications
    const fails = () => {
      throw new Error("a fault of the test")
    }
    yield* notifications.subscribe({ onMessage: fails, onDown: fails, onUp: fails })
    const heard = yield* hear
    for (const payload of ["novelty:x", "account", "", ":"]) yield* sql`SELECT pg_notify('realms', ${payload})`
    yield* say("catalog", "m")
    assert.strictEqual(yield* Queue.take(heard), "catalog m")
  })

  test("a lost connection is told as down, then as up, and messages arrive again", function*() {
    const sql = yield* SqlClient.SqlClient
    const notifications = yield* Notifications
    const heard = yield* hear
    const killed = yield* sql`SELECT pg_terminate_backend(pid) AS ok FROM pg_stat_activity
        WHERE application_name = 'realms-notifications' AND datname = current_database()`
    assert.deepStrictEqual(killed, [{ ok: true }])
    assert.strictEqual(yield* Queue.take(heard), "down")
    assert.isFalse(notifications.isUp())
    assert.strictEqual(yield* Queue.take(heard), "up")
    assert.isTrue(notifications.isUp())
    yield* say("channels", "c")
    assert.strictEqual(yield* Queue.take(heard), "channels c")
  })

  it.effect("silence is told as down: a dead connection gives no other sign", () =>
    Effect.gen(function*() {
      // Heartbeats go to another database than the one that is listened to: they are never heard.
      const deaf = Notifications.layer.pipe(
        Layer.provide(Database.layerOf(Redacted.make(yield* makeDatabase()))),
        Layer.provide(TestDatabase.layer),
        Layer.provide(Quiet)
      )
      yield* Effect.gen(function*() {
        const heard = yield* hear
        // Time goes fast, in steps that leave room for the real connection.
        yield* TestClock.adjust("100 millis").pipe(
          Effect.andThen(TestClock.withLive(Effect.sleep("5 millis"))),
          Effect.forever,
          Effect.forkScoped
        )
        assert.strictEqual(yield* Queue.take(heard), "down")
        assert.strictEqual(yield* Queue.take(heard), "up")
      }).pipe(Effect.scoped, Effect.provide(deaf))
    }))
})
