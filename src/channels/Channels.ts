/**
 * The upstreams that serve a model, in the order in which a call tries them. Which serve what is a snapshot of the tables
 * in memory, dropped when any process changes them; the order is drawn anew for each call.
 */
import { Clock, Context, Effect, Layer, type Redacted, Schema } from "effect"
import { SqlClient } from "effect/sql"
import { randomInt } from "node:crypto"
import { AppConfig, type RealmsConfig } from "../platform/Config.ts"
import { makeSnapshot } from "../settings/Snapshot.ts"
import { ChannelHealth } from "./CircuitBreaker.ts"
import { type Health, orderOfTries, type Tiers, tiersOf } from "./Selection.ts"

export { declareChannels } from "./DeclaredChannels.ts"

/** An upstream as a call to one model sees it. */
export interface Channel {
  readonly id: bigint
  readonly name: string
  /** Without a trailing slash. */
  readonly baseUrl: string
  readonly apiKey: Redacted.Redacted<string>
  /** The higher number is tried first. */
  readonly priority: number
  /** The share of calls among channels of the same priority; with 0 only after all others of it. */
  readonly weight: number
  /** False: it does not know `stream_options.include_usage`. */
  readonly streamOptions: boolean
  /** What it calls the model. */
  readonly upstreamModel: string
}

/** The channels could not be read. */
export class ChannelsUnavailable extends Schema.TaggedError<ChannelsUnavailable>()("ChannelsUnavailable", {
  reason: Schema.String
}) {
  override get message(): string {
    return this.reason
  }
}

export class Channels extends Context.Service<Channels, {
  /** In the order of tries; empty when nothing serves the model. Each call draws a new order: ask once for each call. */
  candidates(modelId: string): Effect.Effect<ReadonlyArray<Channel>, ChannelsUnavailable>
  /** The same from memory, at once; undefined says only that `candidates` must be asked. */
  cachedCandidates(modelId: string): ReadonlyArray<Channel> | undefined
}>()("realms/channels/Channels") {
  static readonly layer = Layer.effect(Channels, Effect.suspend(() => make)).pipe(Layer.provide(ChannelHealth.layer))
}

interface ServedRow {
  readonly id: bigint
  readonly name: string
  readonly base_url: string
  readonly priority: number
  readonly weight: number
  readonly stream_options: boolean
  readonly model_id: string
  readonly upstream_model: string
}

type Served = ReadonlyMap<string, Tiers<Channel>>

/** A declared channel whose key this process was not started with is not served by it. */
const servedOf = (rows: ReadonlyArray<ServedRow>, config: RealmsConfig): Served => {
  const keys = new Map(config.channels.map(({ apiKey, name }) => [name, apiKey]))
  const served = new Map<string, Array<Channel>>()
  for (const row of rows) {
    const apiKey = keys.get(row.name)
    if (apiKey === undefined) continue
    const channel: Channel = {
      id: row.id,
      name: row.name,
      baseUrl: row.base_url,
      apiKey,
      priority: row.priority,
      weight: row.weight,
      streamOptions: row.stream_options,
      upstreamModel: row.upstream_model
    }
    const channels = served.get(row.model_id)
    if (channels === undefined) served.set(row.model_id, [channel])
    else channels.push(channel)
  }
  return new Map(Array.from(served, ([model, channels]) => [model, tiersOf(channels)]))
}

const make = Effect.gen(function*() {
  const sql = yield* SqlClient.SqlClient
  const config = yield* AppConfig
  const health = yield* ChannelHealth
  const clock = yield* Clock.Clock
  const snapshot = yield* makeSnapshot({
    topics: ["channels", "catalog"],
    load: Effect.map(
      sql<ServedRow>`SELECT c.id, c.name, c.base_url, c.priority, c.weight, c.stream_options, s.model_id,
          s.upstream_model
        FROM channels c JOIN channel_models s ON s.channel_id = c.id JOIN models m ON m.id = s.model_id
        WHERE c.declared AND c.disabled_at IS NULL AND m.disabled_at IS NULL ORDER BY c.id`,
      (rows) => servedOf(rows, config)
    )
  })

  const randomBelow = (below: number): number => randomInt(below)
  const healthNow: Health = {
    isOpen: (id) => health.isOpen(id, clock.currentTimeMillisUnsafe()),
    isHalfOpen: (id) => health.isHalfOpen(id, clock.currentTimeMillisUnsafe()),
    probe: (id) => health.probe(id, clock.currentTimeMillisUnsafe())
  }
  const order = (served: Served, modelId: string): ReadonlyArray<Channel> =>
    orderOfTries(served.get(modelId) ?? [], healthNow, randomBelow)

  return Channels.of({
    candidates: (modelId) =>
      snapshot.get.pipe(
        Effect.map((served) => order(served, modelId)),
        Effect.mapError(({ reason }) => new ChannelsUnavailable({ reason }))
      ),
    cachedCandidates: (modelId) => {
      const served = snapshot.cached()
      return served === undefined ? undefined : order(served, modelId)
    }
  })
})
