/**
 * The upstreams and which of them serve a model, in the order in which a call should try them: higher `priority` first,
 * inside one priority at random by weight, and channels that fail at the moment last.
 */
import { Clock, Context, Effect, Layer, Redacted } from "effect"
import { SqlClient } from "effect/sql"
import { randomInt } from "node:crypto"
import { CatalogUnavailable } from "../catalog/Catalog.ts"
import { AppConfig } from "../platform/Config.ts"
import { Notifications } from "../platform/Notifications.ts"
import { ChannelHealth } from "./CircuitBreaker.ts"

export interface Channel {
  readonly id: bigint
  readonly name: string
  readonly baseUrl: string
  readonly apiKey: Redacted.Redacted<string>
  readonly priority: number
  /** 0: only when nothing else of its priority is left. */
  readonly weight: number
  /** False: the upstream does not know `stream_options.include_usage`. */
  readonly streamOptions: boolean
  readonly upstreamModel: string
}

export class Channels extends Context.Service<Channels, {
  /** The channels to try for a model, first to last. */
  candidates(modelId: string): Effect.Effect<ReadonlyArray<Channel>, CatalogUnavailable>
  /** The same, when it may be had without asking the database. */
  cachedCandidates(modelId: string): ReadonlyArray<Channel> | undefined
}>()("realms/channels/Channels") {
  static readonly layer = Layer.effect(Channels, Effect.suspend(() => make))
}

interface ChannelRow {
  readonly id: bigint
  readonly name: string
  readonly base_url: string
  readonly priority: number
  readonly weight: number
  readonly stream_options: boolean
  readonly declared: boolean
  readonly model_id: string
  readonly upstream_model: string
}

const WEIGHT_STEPS = 1_000_000

/** Draws channels one by one, each with a chance by its weight. `random` gives a number in [0, 1). */
export const weightedOrder = <A extends { readonly weight: number }>(
  channels: ReadonlyArray<A>,
  random: () => number
): ReadonlyArray<A> => {
  const left = channels.filter((channel) => channel.weight > 0)
  const order: Array<A> = []
  while (left.length > 0) {
    let point = random() * left.reduce((sum, channel) => sum + channel.weight, 0)
    let index = left.findIndex((channel) => (point -= channel.weight) < 0)
    if (index === -1) index = left.length - 1
    order.push(...left.splice(index, 1))
  }
  return order.concat(channels.filter((channel) => channel.weight === 0))
}

/** The order of tries: by priority, weighted inside one, and whatever `isOpen` last. */
export const tryOrder = (
  channels: ReadonlyArray<Channel>,
  random: () => number,
  isOpen: (channel: Channel) => boolean
): ReadonlyArray<Channel> => {
  if (channels.length < 2) return channels
  const priorities = Array.from(new Set(channels.map((channel) => channel.priority))).sort((a, b) => b - a)
  const order = priorities.flatMap((priority) =>
    weightedOrder(channels.filter((channel) => channel.priority === priority), random)
  )
  const open = new Set(order.filter(isOpen))
  return open.size === 0 ? order : [...order.filter((channel) => !open.has(channel)), ...open]
}

const make = Effect.gen(function*() {
  const sql = yield* SqlClient.SqlClient
  const config = yield* AppConfig
  const notifications = yield* Notifications
  const health = yield* ChannelHealth
  const clock = yield* Clock.Clock
  const keys = new Map(config.channels.map((channel) => [channel.name, channel.apiKey]))
  let snapshot: ReadonlyMap<string, ReadonlyArray<Channel>> | undefined
  let generation = 0
  const drop = () => {
    generation++
    snapshot = undefined
  }
  yield* notifications.subscribe({
    onMessage: (topic) => {
      if (topic === "channels") drop()
    },
    onDown: drop,
    onUp: drop
  })

  const random = () => randomInt(WEIGHT_STEPS) / WEIGHT_STEPS
  const ordered = (channels: ReadonlyArray<Channel>) =>
    tryOrder(channels, random, (channel) => health.isOpen(channel.id, clock.currentTimeMillisUnsafe()))

  const load = Effect.gen(function*() {
    const asOf = generation
    const rows = yield* sql<ChannelRow>`SELECT c.id, c.name, c.base_url, c.priority, c.weight, c.stream_options, c.declared,
        m.model_id, m.upstream_model
      FROM channels c JOIN channel_models m ON m.channel_id = c.id WHERE c.disabled_at IS NULL ORDER BY c.id`.pipe(
      Effect.mapError(() => new CatalogUnavailable())
    )
    const loaded = new Map<string, Array<Channel>>()
    for (const row of rows) {
      // Keys of channels made in the console are sealed in their table; opening them comes with the console.
      const apiKey = keys.get(row.name)
      if (apiKey === undefined) continue
      const serving = loaded.get(row.model_id) ?? []
      serving.push({
        id: row.id,
        name: row.name,
        baseUrl: row.base_url,
        apiKey,
        priority: row.priority,
        weight: row.weight,
        streamOptions: row.stream_options,
        upstreamModel: row.upstream_model
      })
      loaded.set(row.model_id, serving)
    }
    if (asOf === generation && notifications.isUp()) snapshot = loaded
    return loaded
  })

  return Channels.of({
    candidates: (modelId) => Effect.map(load, (loaded) => ordered(loaded.get(modelId) ?? [])),
    cachedCandidates: (modelId) =>
      snapshot === undefined || !notifications.isUp() ? undefined : ordered(snapshot.get(modelId) ?? [])
  })
})

/** Writes the declared channels to their tables, without their keys. One without a key is kept disabled. */
export const declareChannels = Effect.gen(function*() {
  const sql = yield* SqlClient.SqlClient
  const config = yield* AppConfig
  const notifications = yield* Notifications
  const names = JSON.stringify(config.channels.map((channel) => channel.name)).replace(/^\[/, "{").replace(/\]$/, "}")
  yield* Effect.gen(function*() {
    for (const channel of config.channels) {
      const disabled = Redacted.value(channel.apiKey) === ""
      if (disabled) yield* Effect.logWarning("a channel has no api_key and is kept disabled", { channel: channel.name })
      const [row] = yield* sql<{ id: bigint }>`INSERT INTO channels (name, base_url, priority, weight, stream_options, declared,
          disabled_at)
        VALUES (${channel.name}, ${channel.baseUrl}, ${channel.priority}, ${channel.weight}, ${channel.streamOptions}, true,
          CASE WHEN ${disabled}::boolean THEN now() END)
        ON CONFLICT (name) DO UPDATE SET base_url = excluded.base_url, priority = excluded.priority,
          weight = excluded.weight, stream_options = excluded.stream_options, declared = true,
          disabled_at = excluded.disabled_at, updated_at = now()
        RETURNING id`
      if (row === undefined) continue
      yield* sql`DELETE FROM channel_models WHERE channel_id = ${row.id}`
      for (const [model, upstream] of Object.entries(channel.models)) {
        yield* sql`INSERT INTO channel_models (channel_id, model_id, upstream_model) VALUES (${row.id}, ${model}, ${upstream})`
      }
    }
    yield* sql`UPDATE channels SET disabled_at = now(), updated_at = now()
      WHERE declared AND disabled_at IS NULL AND NOT name = ANY (${names}::text[])`
  }).pipe(sql.withTransaction)
  yield* notifications.publish("channels", "declared")
})
