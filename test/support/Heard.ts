/**
 * What a subscriber of the notifications hears, in order: `topic key`, and `down` and `up` of the listener.
 */
import { assert } from "@effect/vitest"
import { Effect, Queue } from "effect"
import { SqlClient } from "effect/sql"
import { Notifications, publish, type Topic } from "../../src/platform/Notifications.ts"

/** As long as the scope. Messages arrive here after all who subscribed before have had them; the listener is up. */
export const hear = Effect.gen(function*() {
  const heard = yield* Queue.unbounded<string>()
  const notifications = yield* Notifications
  yield* notifications.subscribe({
    onMessage: (topic, key) => void Queue.offerUnsafe(heard, `${topic} ${key}`),
    onDown: () => void Queue.offerUnsafe(heard, "down"),
    onUp: () => void Queue.offerUnsafe(heard, "up")
  })
  // Up before the subscription, it would not be heard of.
  if (!notifications.isUp()) assert.strictEqual(yield* Queue.take(heard), "up")
  return heard
})

/** Tells every process, as a change does. */
export const say = (topic: Topic, key: string) => Effect.flatMap(SqlClient.SqlClient, (sql) => publish(sql, topic, key))
