/**
 * The upstreams that serve a model, in the order in which a call tries them. Which serve what is a snapshot of the tables
 * in memory, dropped when any process changes them; the order is drawn anew for each call. Declared channels and those made in
 * the console stand side by side; one whose key cannot be had is left out, and the others serve on.
 */
import { Clock, Context, Effect, Layer, Redacted } from "effect"
import { SqlClient } from "effect/sql"
import { randomInt } from "node:crypto"
import { makeSnapshot } from "../settings/Snapshot.ts"
import { ChannelsUnavailable } from "./ChannelError.ts"
import { type KeyedRow, makeChannelKeys } from "./ChannelKeys.ts"
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

export class Channels extends Context.Service<Channels, {
  /** In the order of tries; empty when nothing serves the model. Each call draws a new order: ask once for each call. */
  candidates(modelId: string): Effect.Effect<ReadonlyArray<Channel>, ChannelsUnavailable>
  /** The same from memory, at once; undefined says only that `candidates` must be asked. */
  cachedCandidates(modelId: string): ReadonlyArray<Channel> | undefined
}>()("realms/channels/Channels") {
  static readonly layer = Layer.effect(Channels, Effect.suspend(() => make)).pipe(Layer.provide(ChannelHealth.layer))
}

interface ServedRow extends KeyedRow {
  readonly base_url: string
  readonly priority: number
  readonly weight: number
  readonly stream_options: boolean
  readonly model_id: string
  readonly upstream_model: string
}

type Served = ReadonlyMap<string, Tiers<Channel>>

const servedOf = (rows: ReadonlyArray<ServedRow>, keys: ReadonlyMap<bigint, Channel["apiKey"]>): Served => {
  const served = new Map<string, Array<Channel>>()
  for (const row of rows) {
    const apiKey = keys.get(row.id)
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
  const keyOf = yield* makeChannelKeys
  const health = yield* ChannelHealth
  const clock = yield* Clock.Clock

  /** A declared channel whose key this process was not started with is not served by it, and neither is one whose key stays shut. */
  const keysOf = Effect.fnUntraced(function*(rows: ReadonlyArray<ServedRow>) {
    const keys = new Map<bigint, Channel["apiKey"]>()
    for (const row of new Map(rows.map((row) => [row.id, row])).values()) {
      const key = yield* keyOf(row).pipe(
        Effect.catch(({ message }) =>
          Effect.as(
            Effect.logError(`channel "${row.name}" is not served: its key does not open (${message})`),
            undefined
          )
        )
      )
      if (key !== undefined && Redacted.value(key) !== "") keys.set(row.id, key)
    }
    return keys
  })

  const snapshot = yield* makeSnapshot({
    topics: ["channels", "catalog"],
    load: Effect.flatMap(
      sql<ServedRow>`SELECT c.id, c.name, c.base_url, c.priority, c.weight, c.stream_options, c.declared,
          c.api_key_sealed, c.key_id, s.model_id, s.upstream_model
        FROM channels c JOIN channel_models s ON s.channel_id = c.id JOIN models m ON m.id = s.model_id
        WHERE c.disabled_at IS NULL AND m.disabled_at IS NULL ORDER BY c.id`,
      (rows) => Effect.map(keysOf(rows), (keys) => servedOf(rows, keys))
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
