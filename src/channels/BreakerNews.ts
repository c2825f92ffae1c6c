/**
 * Tells the other servers when a circuit breaker has opened or closed here, and hears of theirs: a channel that fails is kept away from by
 * all of them within a second. What opens, closes and is probed is still judged by each server from its own calls. News is
 * kept for a moment and told together, so that a channel that comes and goes is not a message for each call.
 */
import { Clock, Effect, Layer, Schedule, Schema } from "effect"
import { SqlClient } from "effect/sql"
import { randomUUID } from "node:crypto"
import { ChannelId, idFromText } from "../domain/Ids.ts"
import { Notifications, publish } from "../platform/Notifications.ts"
import { type BreakerChange, BREAKERS_MAX } from "./Breakers.ts"
import { ChannelHealth } from "./ChannelHealth.ts"
import { OPEN_MS_MAX } from "./CircuitBreaker.ts"

/** Between two messages of a server, in milliseconds, at least. */
const TELL_EVERY_MS = 500

/** A message of PostgreSQL has fewer bytes than 8,000; news that does not fit waits for the next one. */
const MESSAGE_BYTES_MAX = 7_500

const News = Schema.Struct({
  /** The server that tells it. */
  from: Schema.String,
  changes: Schema.Array(Schema.Struct({
    channel: idFromText(ChannelId),
    model: Schema.NullOr(Schema.String),
    openMs: Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: OPEN_MS_MAX }))
  }))
})
type Change = typeof News.Type["changes"][number]

const NewsText = Schema.fromJsonString(News)
const encode = Schema.encodeSync(NewsText)
const decode = Schema.decodeUnknownOption(NewsText)

/** A message with as many of the changes as it holds, and the keys of these. */
const firstOf = (from: string, waiting: ReadonlyMap<string, Change>) => {
  const [keys, changes]: [Array<string>, Array<Change>] = [[], []]
  let text = ""
  for (const [key, change] of waiting) {
    const longer = encode({ from, changes: [...changes, change] })
    if (Buffer.byteLength(longer) > MESSAGE_BYTES_MAX && keys.length > 0) break
    keys.push(key)
    changes.push(change)
    text = longer
  }
  return { keys, text }
}

export const BreakerNewsLayer = Layer.effectDiscard(Effect.gen(function*() {
  const health = yield* ChannelHealth
  const notifications = yield* Notifications
  const sql = yield* SqlClient.SqlClient
  const clock = yield* Clock.Clock
  const self = randomUUID()
  /** By channel and model: only the newest change of each is news. */
  const waiting = new Map<string, Change>()

  const note = ({ channelId, modelId, openMs, to }: BreakerChange): void => {
    const key = `${channelId} ${modelId ?? ""}`
    if (to === "half_open" || (waiting.size >= BREAKERS_MAX && !waiting.has(key))) return
    waiting.set(key, {
      channel: channelId,
      model: modelId,
      openMs: to === "open" ? openMs : 0
    })
  }
  yield* Effect.acquireRelease(
    Effect.sync(() => health.listeners.add(note)),
    () => Effect.sync(() => health.listeners.delete(note))
  )

  yield* notifications.subscribe({
    onMessage: (topic, text) => {
      if (topic !== "breakers") return
      const news = decode(text)
      if (news._tag === "None" || news.value.from === self) return
      const nowMs = clock.currentTimeMillisUnsafe()
      for (const { channel, model, openMs } of news.value.changes) {
        health.hear({ channelId: channel, modelId: model, openMs, to: openMs > 0 ? "open" : "closed" }, nowMs)
      }
    },
    // What was missed is found out by this server's own calls.
    onDown: () => undefined,
    onUp: () => undefined
  })

  const tell = Effect.suspend(() => {
    if (waiting.size === 0) return Effect.void
    const { keys, text } = firstOf(self, waiting)
    const told = keys.map((key) => [key, waiting.get(key)] as const)
    return Effect.tap(publish(sql, "breakers", text), () =>
      Effect.sync(() => {
        for (const [key, change] of told) if (waiting.get(key) === change) waiting.delete(key)
      }))
  })
  yield* Effect.forkScoped(Effect.repeat(Effect.ignore(tell), Schedule.spaced(TELL_EVERY_MS)))
}))
