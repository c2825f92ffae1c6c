/**
 * Services of the lower floors in memory, for tests of higher floors: accounts by the real machine, models and channels as a
 * configuration says. No PostgreSQL, no journal; what a test does not need dies when it is used.
 */
import { Effect, Layer, Option } from "effect"
import type { AccountError } from "../../src/accounts/AccountError.ts"
import { Accounts } from "../../src/accounts/Accounts.ts"
import type { Answer, Command } from "../../src/accounts/AccountState.ts"
import { ResponseReferences } from "../../src/accounts/ResponseReferences.ts"
import { Catalog, type Model, ModelNotFound } from "../../src/catalog/Catalog.ts"
import { ChannelAdmin } from "../../src/channels/ChannelAdmin.ts"
import { type Channel, Channels } from "../../src/channels/Channels.ts"
import { KeyRing } from "../../src/channels/KeyRing.ts"
import type { RealmsConfig } from "../../src/config/RealmsConfig.ts"
import type { SettingsValues } from "../../src/config/SettingDocument.ts"
import { ChannelId, ChannelKeyId, type UserId } from "../../src/domain/Ids.ts"
import { isFree } from "../../src/domain/Price.ts"
import { KeyProbes } from "../../src/gateway/KeyProbes.ts"
import { Settings } from "../../src/settings/Settings.ts"
import { accountState, MachineAccount } from "./MachineAccount.ts"

/** Accounts that are only remembered, each decided by the machine as the actor has it decided. */
export class MemoryAccounts {
  private readonly worlds = new Map<UserId, MachineAccount>()

  /** An account with this balance, in micros. */
  open(userId: UserId, usdMicros: bigint): MachineAccount {
    const world = new MachineAccount(accountState(usdMicros))
    this.worlds.set(userId, world)
    return world
  }

  private ask(userId: UserId, command: Command): Effect.Effect<Answer, AccountError> {
    return Effect.suspend(() => {
      const world = this.worlds.get(userId)
      if (world === undefined) return Effect.die(new Error(`no account of user ${userId}`))
      const told = world.tell(command)
      if (told.how === "refused") return Effect.fail(told.error)
      if (told.how === "short" || told.answer._tag === "Posted") return Effect.die(new Error("not a call"))
      return Effect.succeed(told.answer)
    })
  }

  private readonly reservation = (userId: UserId, command: Command) =>
    Effect.flatMap(
      this.ask(userId, command),
      (answer) =>
        answer._tag === "Reservation" ? Effect.succeed(answer.reservation) : Effect.die(new Error(answer._tag))
    )

  private readonly settlement = (userId: UserId, command: Command) =>
    Effect.flatMap(
      Effect.orDie(this.ask(userId, command)),
      (answer) => answer._tag === "Settlement" ? Effect.succeed(answer.settlement) : Effect.die(new Error(answer._tag))
    )

  readonly layer = Layer.mock(Accounts, {
    reserve: this.reservation,
    extend: this.reservation,
    commit: this.settlement,
    void: this.settlement,
    standing: (userId) => Effect.succeed((this.worlds.get(userId)?.state.usdMicros ?? 0n) > 0n ? "funded" : "empty"),
    isKnownFunded: (userId) => (this.worlds.get(userId)?.state.usdMicros ?? 0n) > 0n,
    openCount: () => 0,
    isAvailable: () => true,
    invalidate: () => undefined,
    isResident: (userId) => this.worlds.has(userId),
    usedSince: () => [...this.worlds.keys()]
  })
}

const modelsOf = ({ models }: RealmsConfig): ReadonlyMap<string, Model> =>
  new Map(models.map((model) => [model.id, { ...model, createdAtMs: 0 }]))

/** The models of a configuration. */
export const memoryCatalog = (config: RealmsConfig) => {
  const models = modelsOf(config)
  const hasFree = [...models.values()].some(({ price }) => isFree(price))
  return Layer.succeed(
    Catalog,
    Catalog.of({
      find: (id) => Effect.fromOption(Option.fromUndefinedOr(models.get(id)), () => new ModelNotFound({ model: id })),
      cached: (id) => models.get(id),
      list: Effect.succeed([...models.values()]),
      hasFreeModel: Effect.succeed(hasFree),
      cachedHasFreeModel: () => hasFree
    })
  )
}

/** The channels of a configuration, in their order. */
export const memoryChannels = ({ channels }: RealmsConfig) => {
  const candidates = (modelId: string): ReadonlyArray<Channel> =>
    channels.flatMap(({ apiKey, apiKeys: _, models, ...channel }, at) => {
      const upstreamModel = models[modelId]
      return upstreamModel === undefined
        ? []
        : [{
          ...channel,
          id: ChannelId.make(BigInt(at + 1)),
          keys: [{ id: ChannelKeyId.make(BigInt(at + 1)), secret: apiKey, coolingUntilMs: 0 }],
          upstreamModel,
          hiddenOutput: false
        }]
    })
  const served = new Set(channels.flatMap(({ models }) => Object.keys(models)))
  return Layer.succeed(
    Channels,
    Channels.of({
      candidates: (modelId) => Effect.succeed(candidates(modelId)),
      cachedCandidates: candidates,
      servedModels: Effect.succeed(served),
      cachedServedModels: () => served
    })
  )
}

/** The settings of a configuration. They never change. */
export const memorySettings = (
  { billing, finance, limits, payment, registration, retention, security, seller, server, signIn, site, smtp }:
    RealmsConfig
) => {
  const values: SettingsValues = {
    billing,
    limits,
    retention,
    finance,
    payment,
    registration,
    security,
    signIn,
    site,
    seller,
    smtp,
    publicUrl: server.publicUrlFollows ? undefined : server.publicUrl
  }
  return Layer.succeed(
    Settings,
    Settings.of({
      current: () => values,
      cached: () => values,
      get: Effect.succeed(values),
      fresh: Effect.succeed(values),
      reload: Effect.void
    })
  )
}

/** The other services that a call needs, empty: keys without limits, and no references. */
export const NoLimits = Layer.mergeAll(
  Layer.mock(ResponseReferences, { find: () => Effect.succeed([]) }),
  Layer.mock(ChannelAdmin, {}),
  Layer.mock(KeyRing, {
    avoid: () => undefined,
    cool: () => undefined,
    coolingMs: () => 0,
    warm: () => undefined
  }),
  Layer.mock(KeyProbes, { suspect: () => undefined, suspectOnly: () => undefined, answeredOnly: () => undefined })
)
