/**
 * The account as an entity of the cluster: one message, which is one command. The runner that owns the account's shard answers it with
 * the same actor that decides its own calls.
 */
import { Clock, Effect, Layer, Metric, Option, Schema } from "effect"
import { Entity, EntityId, Sharding } from "effect/cluster"
import { Rpc } from "effect/rpc"
import { Owners } from "../cluster/Owners.ts"
import { AppConfig } from "../config/Config.ts"
import { UserId } from "../domain/Ids.ts"
import {
  AccountUnavailable,
  FundsHeld,
  InsufficientFunds,
  ReservationLost,
  TooManyHolds,
  UnknownAccount
} from "./AccountError.ts"
import { AccountPeers, type OwnerAnswer, type SentCommand as Sent } from "./AccountPeers.ts"
import { SentAnswer, SentCommand } from "./CommandSchema.ts"

const SHARD_GROUP = "default"

/** The owner answers in so long, in milliseconds, or the runner that has the call decides. */
export const OWNER_MS_MAX = 300

const Refusal = Schema.Union([
  AccountUnavailable,
  FundsHeld,
  InsufficientFunds,
  ReservationLost,
  TooManyHolds,
  UnknownAccount
])
const isRefusal = Schema.is(Refusal)

/** The owner is stopping: who asks decides. */
class OwnerLeaving extends Schema.TaggedError<OwnerLeaving>()("OwnerLeaving", {}) {}

/** Its id is the user's, as decimal text. */
export const AccountEntity = Entity.make("Account", [
  Rpc.make("Decide", {
    payload: { command: SentCommand },
    success: SentAnswer,
    error: Schema.Union([Refusal, OwnerLeaving])
  })
])

/** An account's place in the cluster is given up when it was not asked for so long. What is in memory has a rule of its own. */
const PLACE_IDLE = "1 minute"

const messagesTotal = Metric.counter("realms_account_messages_total", {
  description: "Commands sent to the runner that owns their account, by whether it answered in time",
  incremental: true
})
const answeredTotal = Metric.withAttributes(messagesTotal, { outcome: "answered" })
const silentTotal = Metric.withAttributes(messagesTotal, { outcome: "silent" })

export const AccountPeersLayer = Layer.effect(AccountPeers)(Effect.gen(function*() {
  const { cluster } = yield* AppConfig
  const sharding = yield* Sharding.Sharding
  const owners = yield* Owners
  const clientOf = yield* AccountEntity.client
  const clock = yield* Clock.Clock
  const run = Effect.runForkWith(yield* Effect.context<never>())
  const now = () => clock.currentTimeMillisUnsafe()
  const shardOf = (userId: UserId) => sharding.getShardId(EntityId.make(String(userId)), SHARD_GROUP)

  const ask = (userId: UserId, command: Sent): Effect.Effect<OwnerAnswer> => {
    const shard = String(shardOf(userId))
    return Effect.suspend(() => clientOf(String(userId)).Decide({ command })).pipe(
      Effect.catchIf(isRefusal, Effect.succeed),
      Effect.timeoutOption(OWNER_MS_MAX),
      // Whatever it is - no owner, no connection, a message that is not understood - this runner decides.
      Effect.catchCause(() => Effect.succeedNone),
      Effect.flatMap((heard) => {
        if (Option.isSome(heard)) owners.answered(shard)
        else owners.silent(shard, now())
        return Effect.as(
          Metric.update(Option.isSome(heard) ? answeredTotal : silentTotal, 1),
          Option.getOrUndefined(heard)
        )
      })
    )
  }

  return AccountPeers.of({
    always: cluster.decide === "owner",
    canAskOwner: (userId) => {
      const shard = shardOf(userId)
      return !sharding.hasShardId(shard) && owners.mayAsk(String(shard), now())
    },
    ask: (userId, command, reply) => void run(Effect.map(ask(userId, command), reply)),
    serve: (decide) =>
      sharding.registerEntity(
        AccountEntity,
        Effect.map(Entity.CurrentAddress, ({ entityId }) => {
          const userId = UserId.make(BigInt(entityId))
          return AccountEntity.of({
            Decide: ({ payload }) => decide(userId, payload.command) ?? Effect.fail(new OwnerLeaving())
          })
        }),
        { concurrency: "unbounded", maxIdleTime: PLACE_IDLE }
      )
  })
}))
