/**
 * The upstreams that serve a model, in the order in which a call tries them. Which serve what is a snapshot of the tables
 * in memory, dropped when any process changes them; the order is the user's own. Declared channels and those made in the
 * console stand side by side; one whose key cannot be had is left out, and the others serve on.
 */
import { Clock, Context, Effect, Layer, Result, Schema } from "effect"
import { SqlClient } from "effect/sql"
import { type ChannelTerms, channelTerms } from "../domain/ChannelTerms.ts"
import { ChannelId, type UserId } from "../domain/Ids.ts"
import { Row } from "../domain/Row.ts"
import type { DatabaseUnavailable } from "../postgres/DatabaseUnavailable.ts"
import { rowsOf } from "../postgres/Rows.ts"
import { makeSnapshot } from "../settings/Snapshot.ts"
import { termColumns, termFields } from "./ChannelColumns.ts"
import { ChannelHealth } from "./ChannelHealth.ts"
import { type ChannelKey, type KeySafe, makeKeySafe, openedKey, type StoredKey } from "./ChannelKeys.ts"
import { allKeys } from "./ChannelKeyStore.ts"
import { orderByHealth, orderOf, type Tiers, tiersOf } from "./Selection.ts"

export type { ChannelKey } from "./ChannelKeys.ts"
export { writeConfigChannels } from "./ConfigChannels.ts"

/** An upstream as a call to one model sees it. */
export interface Channel extends ChannelTerms {
  readonly id: ChannelId
  readonly name: string
  /** Without a trailing slash. */
  readonly baseUrl: string
  /** Those that it can be called with, mostly one; empty: all of them are out of use. */
  readonly keys: ReadonlyArray<ChannelKey>
  /** The higher number is tried first. */
  readonly priority: number
  /** The share of users among channels of the same priority; with 0 only after all others of it. */
  readonly weight: number
  /** What it calls the model. */
  readonly upstreamModel: string
  /** It has been seen to spend output tokens on this model that are not shown. */
  readonly hiddenOutput: boolean
}

export class Channels extends Context.Service<Channels, {
  /**
   * In the order in which a call of this user tries them; empty when nothing serves the model. A call asks once: it may be
   * made the probe of a half-open channel, which ends when the call reports to `ChannelHealth`.
   */
  candidates(modelId: string, userId: UserId): Effect.Effect<ReadonlyArray<Channel>, DatabaseUnavailable>
  /** The same from memory, at once; undefined says only that `candidates` must be asked. */
  cachedCandidates(modelId: string, userId: UserId): ReadonlyArray<Channel> | undefined
  /** Ids of the models that some enabled channel serves with a key that opens here. */
  readonly servedModels: Effect.Effect<ReadonlySet<string>, DatabaseUnavailable>
  /** The same from memory, at once; undefined says only that `servedModels` must be asked. */
  cachedServedModels(): ReadonlySet<string> | undefined
}>()("realms/channels/Channels") {
  static readonly layer = Layer.effect(Channels)(Effect.gen(function*() {
    const sql = yield* SqlClient.SqlClient
    const { open } = yield* makeKeySafe
    const health = yield* ChannelHealth
    const clock = yield* Clock.Clock

    const openLogged: KeySafe["open"] = (channel, key) =>
      Effect.tapError(
        open(channel, key),
        ({ message }) =>
          Effect.logError(`a key of channel "${channel.name}" is not used: it does not open (${message})`)
      )

    /** The key as calls use it; undefined where this process cannot open it. */
    const opened = (row: ServedModel, key: StoredKey) =>
      Effect.map(
        openedKey(openLogged, row, key),
        (secret) =>
          secret === undefined ? undefined : { id: key.id, secret, coolingUntilMs: key.coolingUntil?.getTime() ?? 0 }
      )

    /** A channel is served while it has a key here, be it one that is out of use for now. */
    const callableOf = Effect.fnUntraced(function*(
      rows: ReadonlyArray<ServedModel>,
      stored: ReadonlyMap<ChannelId, ReadonlyArray<StoredKey>>
    ) {
      const callable = new Map<ChannelId, Callable>()
      for (const row of new Map(rows.map((row) => [row.id, row])).values()) {
        const terms = channelTerms.readRow(row)
        if (Result.isFailure(terms)) {
          const unread = terms.failure.join(", ")
          yield* Effect.logError(`channel "${row.name}" is not served: this version cannot read its ${unread}`)
          continue
        }
        const known = stored.get(row.id) ?? []
        const keys = yield* Effect.forEach(known.filter(({ outAt }) => outAt === null), (key) => opened(row, key))
        const usable = keys.filter((key) => key !== undefined)
        const isOut = known.some(({ outAt }) => outAt !== null)
        if (usable.length > 0 || isOut) callable.set(row.id, { ...terms.success, keys: usable })
      }
      return callable
    })

    const snapshot = yield* makeSnapshot({
      topics: ["channels", "catalog"],
      load: Effect.gen(function*() {
        const rows = yield* rowsOf(
          ServedModel,
          sql`SELECT c.id, c.name, c.base_url, c.priority, c.weight, ${termColumns(sql, "c")}, c.declared, s.model_id,
          s.upstream_model, s.hidden_output_at IS NOT NULL AS hidden_output
        FROM channels c JOIN channel_models s ON s.channel_id = c.id JOIN models m ON m.id = s.model_id
        WHERE c.disabled_at IS NULL AND m.disabled_at IS NULL ORDER BY c.id`
        )
        return servedOf(rows, yield* callableOf(rows, yield* allKeys(sql)))
      })
    })

    const order = (served: Served, modelId: string, userId: UserId): ReadonlyArray<Channel> => {
      const tried = orderOf(served.get(modelId) ?? [], userId)
      if (health.isQuiet()) return tried
      const nowMs = clock.currentTimeMillisUnsafe()
      const call = { userId, modelId }
      return orderByHealth(tried, {
        standingOf: (id) => health.standingOf(id, call, nowMs),
        claimProbe: (id) => health.claimProbe(id, call, nowMs)
      })
    }

    return Channels.of({
      candidates: (modelId, userId) => Effect.map(snapshot.get, (served) => order(served, modelId, userId)),
      cachedCandidates: (modelId, userId) => {
        const served = snapshot.cached()
        return served === undefined ? undefined : order(served, modelId, userId)
      },
      servedModels: Effect.map(snapshot.get, idsOf),
      cachedServedModels: () => {
        const served = snapshot.cached()
        return served === undefined ? undefined : idsOf(served)
      }
    })
  })).pipe(Layer.provide(ChannelHealth.layer))
}

/** A channel and one of the models that it serves. */
const ServedModel = Row({
  ...termFields,
  id: ChannelId,
  name: Schema.String,
  declared: Schema.Boolean,
  baseUrl: Schema.String,
  priority: Schema.Number,
  weight: Schema.Number,
  modelId: Schema.String,
  upstreamModel: Schema.String,
  hiddenOutput: Schema.Boolean
})
type ServedModel = typeof ServedModel.Type

type Served = ReadonlyMap<string, Tiers<Channel>>

/** What a channel is called with, whatever the model. */
type Callable = ChannelTerms & Pick<Channel, "keys">

const servedOf = (rows: ReadonlyArray<ServedModel>, callable: ReadonlyMap<ChannelId, Callable>): Served => {
  const served = new Map<string, Array<Channel>>()
  for (const row of rows) {
    const how = callable.get(row.id)
    if (how === undefined) continue
    const channel: Channel = {
      ...how,
      id: row.id,
      name: row.name,
      baseUrl: row.baseUrl,
      priority: row.priority,
      weight: row.weight,
      upstreamModel: row.upstreamModel,
      hiddenOutput: row.hiddenOutput
    }
    const channels = served.get(row.modelId)
    if (channels === undefined) served.set(row.modelId, [channel])
    else channels.push(channel)
  }
  return new Map(Array.from(served, ([model, channels]) => [model, tiersWithKeys(model, channels)]))
}

/** Channels whose keys are all out of use come after all others, so that a call is told at once where there is no other. */
const tiersWithKeys = (model: string, channels: ReadonlyArray<Channel>): Tiers<Channel> => {
  const usable = channels.filter(({ keys }) => keys.length > 0)
  return usable.length === channels.length ? tiersOf(model, channels) : [
    ...tiersOf(model, usable),
    ...tiersOf(model, channels.filter(({ keys }) => keys.length === 0))
  ]
}

const idsOf = (served: Served): ReadonlySet<string> => new Set(served.keys())
