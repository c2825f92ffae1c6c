/**
 * Accounts as runners of one cluster have them, over the test's database: each with a pool, a journal, a folder and a connection to
 * the others of its own, which a proxy can cut or silence.
 */
import * as NodeServices from "@effect/platform-node/NodeServices"
import { Clock, Context, Effect, Layer, Metric, Redacted } from "effect"
import { EntityId, ShardId, Sharding, ShardingConfig } from "effect/cluster"
import { AccountPeersLayer } from "../../src/accounts/AccountEntity.ts"
import { Accounts } from "../../src/accounts/Accounts.ts"
import { emptyOutcome } from "../../src/accounts/AccountState.ts"
import { ClusterLayer } from "../../src/cluster/ClusterLayer.ts"
import { AppConfig, testConfig } from "../../src/config/Config.ts"
import type { UserId } from "../../src/domain/Ids.ts"
import { Notifications } from "../../src/platform/Notifications.ts"
import { SecretBox } from "../../src/platform/SecretBox.ts"
import { Database, SqlLayer } from "../../src/postgres/Database.ts"
import { databaseUrl } from "./AccountsProcess.ts"
import { freePort } from "./FreePort.ts"
import { makeProxy } from "./JournalProxy.ts"
import { scratchFolder } from "./ScratchFolder.ts"
import { ignoreLoss, makeUser, PolicyLayer, reserveOf } from "./TestAccounts.ts"
import { until } from "./Until.ts"

const MASTER_KEY = "the master key of every runner of this test"

export interface PeerOptions {
  readonly decide: "arrival" | "owner"
  readonly masterKey?: string
}

/** A runner, once it hears of changes. Others reach it through `proxy`. */
export const makePeer = Effect.fnUntraced(function*({ decide, masterKey = MASTER_KEY }: PeerOptions) {
  const port = yield* freePort
  const proxy = yield* makeProxy(`tcp://127.0.0.1:${port}`)
  const advertise = `127.0.0.1:${new URL(proxy.url).port}`
  const config = testConfig(
    { cluster: { host: "127.0.0.1", port, advertise, decide } },
    { REALMS_MASTER_KEY: masterKey }
  )
  const context = yield* Layer.build(Layer.fresh(Accounts.layer.pipe(
    Layer.provideMerge(AccountPeersLayer),
    Layer.provideMerge(ClusterLayer),
    Layer.provideMerge(Notifications.layer),
    Layer.provide(PolicyLayer),
    Layer.provide(SecretBox.layer),
    Layer.provide(AppConfig.layerOf({ ...config, dataDir: yield* scratchFolder })),
    Layer.provide(NodeServices.layer),
    Layer.provide(SqlLayer),
    Layer.provide(Database.layerOf(Redacted.make(yield* databaseUrl)))
  )))
  const notifications = Context.get(context, Notifications)
  yield* until("the runner hears of changes", () => notifications.isUp())
  const sharding = Context.get(context, Sharding.Sharding)
  const shards = Array.from(
    { length: ShardingConfig.defaults.shardsPerGroup },
    (_, index) => ShardId.make("default", index + 1)
  )
  const owns = (userId: UserId) => sharding.hasShardId(sharding.getShardId(EntityId.make(String(userId)), "default"))
  const shardsOwned = () => shards.filter((shard) => sharding.hasShardId(shard)).length
  return { accounts: Context.get(context, Accounts), owns, shardsOwned, proxy }
})

type Peer = Effect.Success<ReturnType<typeof makePeer>>

/** Two runners whose owners decide, and a user with a balance whose account belongs to the first, which answers the second. */
export const makePeers = Effect.fnUntraced(function*(usdMicros: bigint) {
  const one = yield* makePeer({ decide: "owner" })
  const two = yield* makePeer({ decide: "owner" })
  const userId = yield* makeUserOf(one, two, usdMicros)
  yield* untilAnswered(two, userId)
  return { one, two, userId }
})

/** Makes and ends reservations at a runner until the owner of the account has answered one. */
export const untilAnswered = Effect.fnUntraced(function*({ accounts }: Peer, userId: UserId) {
  const before = yield* messages
  yield* until(
    "the owner answers",
    Effect.gen(function*() {
      const atMs = yield* Clock.currentTimeMillis
      const { id } = yield* accounts.reserve(userId, reserveOf(1n, { atMs }), ignoreLoss)
      yield* accounts.void(userId, { _tag: "Void", id, outcome: emptyOutcome })
      return (yield* messages).answered > before.answered
    })
  )
})

/** A user with a balance whose account belongs to a runner; asked of as many users as it takes. */
export const makeUserOf = Effect.fnUntraced(function*({ owns, shardsOwned }: Peer, other: Peer, usdMicros: bigint) {
  yield* until("both own accounts, and together all", () =>
    shardsOwned() > 0 && other.shardsOwned() > 0 &&
    shardsOwned() + other.shardsOwned() === ShardingConfig.defaults.shardsPerGroup)
  for (;;) {
    const userId = yield* makeUser(usdMicros)
    if (owns(userId)) return userId
  }
})

/** Messages of all runners of this process so far, by whether the owner answered. */
export const messages = Effect.map(Metric.snapshot, (metrics) => {
  const countOf = (outcome: string) =>
    metrics.reduce(
      (sum, { attributes, id, state }) =>
        id === "realms_account_messages_total" && attributes?.["outcome"] === outcome && "count" in state
          ? sum + Number(state.count)
          : sum,
      0
    )
  return { answered: countOf("answered"), silent: countOf("silent") }
})
