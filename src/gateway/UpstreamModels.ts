/**
 * Asks an upstream which models it has, keeps what it said, and serves those that are chosen. Models that the installation does not
 * have are added with the prices of the newest file that names them; without a price none is.
 */
import { Context, Data, Effect, Layer, Struct } from "effect"
import { SqlClient } from "effect/sql"
import type { ImportRefused } from "../catalog/ModelError.ts"
import { type OfferedModel, PriceImports } from "../catalog/PriceImports.ts"
import { type AdminChannel, ChannelAdmin } from "../channels/ChannelAdmin.ts"
import type {
  ChannelConfigManaged,
  ChannelKeyMissing,
  ChannelNotFound,
  ChannelRefused
} from "../channels/ChannelError.ts"
import type { ChannelInput } from "../channels/ChannelInput.ts"
import { channelSettings } from "../domain/ChannelTerms.ts"
import type { ChannelId } from "../domain/Ids.ts"
import type { Actor } from "../platform/AuditLog.ts"
import { ChangedMeanwhile } from "../platform/ChangedMeanwhile.ts"
import type { MasterKeyInvalid } from "../platform/SecretBox.ts"
import { type DatabaseUnavailable, orUnavailable } from "../postgres/DatabaseUnavailable.ts"
import { lastFetched, makeFetchModels } from "./FetchModels.ts"
import { type MappedModel, mappedModels, type ModelChoice, namesOf, servedAfter } from "./ModelMapping.ts"
import { UpstreamClient } from "./upstream/UpstreamClient.ts"
import type { UpstreamUnanswered } from "./upstream/UpstreamUnanswered.ts"

export interface FetchedModels {
  readonly fetchedAt: Date
  /** In alphabetical order. */
  readonly models: ReadonlyArray<MappedModel>
  /** What files of prices say of those that can be added, by name. */
  readonly offers: ReadonlyMap<string, OfferedModel>
}

/** The choice cannot be carried out, and nothing has changed: one name was given to two, or there are no prices for these names. */
export class ChoiceRefused extends Data.TaggedError("ChoiceRefused")<{
  readonly reason: "twice" | "unpriced"
  readonly models: ReadonlyArray<string>
}> {}

export class UpstreamModels extends Context.Service<UpstreamModels, {
  /** Asks the upstream, within 20 seconds, and keeps what it says; answers how many models it has. */
  fetch(
    id: ChannelId
  ): Effect.Effect<number, ChannelNotFound | ChannelKeyMissing | UpstreamUnanswered | DatabaseUnavailable>
  /** What it said the last time; undefined: it was not asked. */
  fetched(id: ChannelId): Effect.Effect<FetchedModels | undefined, ChannelNotFound | DatabaseUnavailable>
  /** Serves what was chosen, and stops to serve what was not. Models that were not looked at stay as they are. */
  choose(
    actor: Actor,
    change: { readonly id: ChannelId; readonly revision: bigint; readonly choices: ReadonlyArray<ModelChoice> }
  ): Effect.Effect<
    { readonly created: number },
    | ChoiceRefused
    | ImportRefused
    | ChannelNotFound
    | ChannelConfigManaged
    | ChannelRefused
    | ChangedMeanwhile
    | MasterKeyInvalid
    | DatabaseUnavailable
  >
}>()("realms/gateway/UpstreamModels") {
  static readonly layer = Layer.effect(UpstreamModels)(Effect.gen(function*() {
    const sql = yield* SqlClient.SqlClient
    const channels = yield* ChannelAdmin
    const imports = yield* PriceImports
    const fetch = yield* makeFetchModels

    const offersOf = (names: ReadonlyArray<string>) =>
      Effect.map(
        orUnavailable(imports.offersFor(names)),
        (offers) => new Map(offers.map((offer) => [offer.modelId, offer]))
      )

    const fetched = Effect.fn("UpstreamModels.fetched")(function*(id: ChannelId) {
      const channel = yield* channels.get(id)
      const row = yield* lastFetched(sql, id)
      if (row === undefined) return undefined
      const known = new Set(yield* channels.models)
      const offers = yield* offersOf(row.models.flatMap(namesOf).filter((name) => !known.has(name)))
      const models = mappedModels(row.models, { served: channel.models, known, offered: new Set(offers.keys()) })
      return { fetchedAt: row.fetchedAt, models, offers }
    })

    const choose = Effect.fn("UpstreamModels.choose")(function*(
      actor: Actor,
      { choices, id, revision }: Parameters<UpstreamModels["Service"]["choose"]>[1]
    ) {
      const channel = yield* channels.get(id)
      const after = servedAfter(channel.models, choices)
      if ("twice" in after) return yield* new ChoiceRefused({ reason: "twice", models: [after.twice] })
      const known = new Set(yield* channels.models)
      const missing = Object.keys(after.models).filter((model) => !known.has(model))
      const offers = yield* offersOf(missing)
      const unpriced = missing.filter((model) => !offers.has(model))
      if (unpriced.length > 0) return yield* new ChoiceRefused({ reason: "unpriced", models: unpriced })
      if (channel.revision !== revision) return yield* new ChangedMeanwhile({ target: `channel:${id}` })
      // Models are made first: a channel that somebody changes in this moment leaves them there, to be chosen again.
      const chosen = Map.groupBy(offers.values(), ({ importId }) => importId)
      for (const [importId, group] of chosen) {
        yield* orUnavailable(imports.apply(actor, importId, group))
      }
      yield* channels.edit(actor, { id, revision, input: inputOf(channel, after.models) }).pipe(
        // The address is the channel's own.
        Effect.catchTag("ChannelKeysStay", Effect.die)
      )
      return { created: missing.length }
    })

    return UpstreamModels.of({ fetch, fetched, choose })
  })).pipe(Layer.provide(UpstreamClient.layer))
}

/** The channel as it is, with other models. */
const inputOf = (channel: AdminChannel, models: ChannelInput["models"]): ChannelInput => ({
  ...Struct.pick(channel, channelSettings.names),
  name: channel.name,
  baseUrl: channel.baseUrl,
  apiKeys: [],
  models
})
