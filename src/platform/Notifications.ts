/**
 * Messages between the processes of an installation over PostgreSQL's LISTEN/NOTIFY: "this account, key or setting has
 * changed". Delivery is best effort, so it also says when messages may have been missed: a subscriber hears of the
 * listener going down, and of it coming up again, after which whatever it cached is to be dropped.
 */
import { Clock, Context, Effect, Layer, Queue, Schedule, type Scope } from "effect"
import { SqlClient } from "effect/sql"
import { ConnectionError, SqlError } from "effect/sql/SqlError"
import { randomUUID } from "node:crypto"
import { type BackOff, backOff } from "./BackOff.ts"
import { Database } from "../postgres/Database.ts"
import { listenOn } from "../postgres/ListenOn.ts"

const CHANNEL = "realms"
const PING = "ping"
const HEARTBEAT_MS = 3_000
const SILENCE_MS_MAX = 10_000
const WATCH_MS = 1_000
const RECONNECT: BackOff = { msMin: 100, msMax: 5_000 }

const topics = ["account", "keys", "settings", "catalog", "channels", "breakers"] as const

/** What a message is about. */
export type Topic = typeof topics[number]

/** Callbacks of a subscriber: quick, synchronous, called in the order of arrival. */
export interface Subscriber {
  onMessage(topic: Topic, key: string): void
  /** Messages may be missed from now on. */
  onDown(): void
  /** Messages arrive again; those sent in between are lost. */
  onUp(): void
}

export class Notifications extends Context.Service<Notifications, {
  /** Calls the handler until the scope closes. A handler that comes while the listener is up gets no `onUp` for it. */
  subscribe(handler: Subscriber): Effect.Effect<void, never, Scope.Scope>
  /** Whether messages arrive at this moment. False until the first connection. */
  isUp(): boolean
}>()("realms/platform/Notifications") {
  /** Listens as long as the layer lives, reconnecting by itself; does not wait for the first connection. */
  static readonly layer = Layer.effect(Notifications)(Effect.gen(function*() {
    const database = yield* Database
    const sql = yield* SqlClient.SqlClient
    const clock = yield* Clock.Clock
    const hub = new Hub()
    const heartbeat = `${PING}:${randomUUID()}`

    let hasListened = false
    const listenOnce = Effect.gen(function*() {
      const queue = yield* listenOn(database.connect({ applicationName: "realms-notifications" }), { channel: CHANNEL })
      let heardMs = clock.currentTimeMillisUnsafe()
      hasListened = true
      yield* hub.setUp(true)
      const receive = Effect.flatMap(Queue.take(queue), ({ payload }) => {
        heardMs = clock.currentTimeMillisUnsafe()
        return dispatch(hub, payload)
      })
      // A connection can be dead without a sign of it: no message, not even a heartbeat, is the sign.
      const silence = Effect.sync(() => clock.currentTimeMillisUnsafe() - heardMs < SILENCE_MS_MAX).pipe(
        Effect.repeat({ while: (heard) => heard, schedule: Schedule.spaced(WATCH_MS) })
      )
      yield* Effect.raceFirst(Effect.forever(receive), silence)
      return yield* new SqlError({
        reason: new ConnectionError({ cause: new Error(`silent for ${SILENCE_MS_MAX} ms`), operation: "listen" })
      })
    }).pipe(
      Effect.scoped,
      Effect.ensuring(Effect.suspend(() => hub.setUp(false))),
      Effect.tapError((error) => Effect.logWarning("notifications are down, reconnecting", error.message))
    )
    // After a connection that listened, the wait begins with the shortest again.
    const listenAgain = Effect.suspend(() => {
      hasListened = false
      return Effect.retry(listenOnce, { while: () => !hasListened, schedule: backOff(RECONNECT) })
    }).pipe(Effect.ignore, Effect.repeat(Schedule.spaced(RECONNECT.msMin)))

    const beat = notify(sql, heartbeat).pipe(Effect.timeout(SILENCE_MS_MAX), Effect.ignore)
    yield* Effect.forkScoped(Effect.repeat(beat, Schedule.spaced(HEARTBEAT_MS)))
    yield* Effect.forkScoped(listenAgain)

    return Notifications.of({
      subscribe: (handler) =>
        Effect.acquireRelease(Effect.sync(() => hub.add(handler)), () => Effect.sync(() => hub.remove(handler))),
      isUp: () => hub.isUp()
    })
  }))
}

const notify = (sql: SqlClient.SqlClient, payload: string): Effect.Effect<void, SqlError> =>
  Effect.asVoid(sql`SELECT pg_notify(${CHANNEL}, ${payload})`)

/** Tells every process, this one too. Inside a transaction: when that commits. */
export const publish = (sql: SqlClient.SqlClient, topic: Topic, key: string): Effect.Effect<void, SqlError> =>
  notify(sql, `${topic}:${key}`)

const isTopic = (text: string): text is Topic => topics.some((topic) => topic === text)

/** Who is subscribed and whether the listener is up; a subscriber that throws does not stop the others. */
class Hub {
  private readonly subscribers = new Set<Subscriber>()
  private up = false

  isUp(): boolean {
    return this.up
  }

  add(subscriber: Subscriber): void {
    this.subscribers.add(subscriber)
  }

  remove(subscriber: Subscriber): void {
    this.subscribers.delete(subscriber)
  }

  setUp(up: boolean): Effect.Effect<void> {
    if (this.up === up) return Effect.void
    this.up = up
    return this.each((subscriber) => up ? subscriber.onUp() : subscriber.onDown())
  }

  deliver(topic: Topic, key: string): Effect.Effect<void> {
    return this.each((subscriber) => subscriber.onMessage(topic, key))
  }

  private each(call: (subscriber: Subscriber) => void): Effect.Effect<void> {
    return Effect.forEach([...this.subscribers], (subscriber) =>
      Effect.catchDefect(
        Effect.sync(() => call(subscriber)),
        (defect) => Effect.logError("a subscriber to notifications failed", defect)
      ), { discard: true })
  }
}

/** Turns one notification into calls; heartbeats and what an unknown version sends are nobody's. */
const dispatch = (hub: Hub, payload: string): Effect.Effect<void> => {
  const colon = payload.indexOf(":")
  const topic = payload.slice(0, Math.max(colon, 0))
  return isTopic(topic) ? hub.deliver(topic, payload.slice(colon + 1)) : Effect.void
}
