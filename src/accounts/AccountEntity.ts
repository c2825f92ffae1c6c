/**
 * The account as an entity of the cluster: one message, which is one command. The runner that owns the account's shard answers it with
 * the same actor that decides its own calls.
 */
import { Clock, Effect, Exit, Layer, Metric, Schema } from "effect"
import { Entity, EntityId, Sharding } from "effect/cluster"
import { Rpc } from "effect/rpc"
import { Owners } from "../cluster/Owners.ts"
import { AppConfig } from "../config/Config.ts"
import { UserId } from "../domain/Ids.ts"
import { deadlineIn } from "../platform/Deadline.ts"
import { AccountError } from "./AccountError.ts"
import { AccountPeers, type OwnerAnswer } from "./AccountPeers.ts"
import { SentAnswer, SentCommand } from "./CommandSchema.ts"

const SHARD_GROUP = "default"

/** The owner answers in so long, in milliseconds, or the runner that has the call decides. */
export const OWNER_MS_MAX = 300

const isRefusal = Schema.is(AccountError)

/**
 * Of the commands. It grows with every field that a decision or a price needs: an owner that is older than the message does not decide
 * on what it would drop.
 */
const MESSAGE_VERSION = 1

/** The owner is stopping, cannot write or is older than the question: who asks decides. */
class OwnerLeaving extends Schema.TaggedError<OwnerLeaving>()("OwnerLeaving", {}) {}

/** Its id is the user's, as decimal text. */
export const AccountEntity = Entity.make("Account", [
  Rpc.make("Decide", {
    payload: { command: SentCommand, version: Schema.Int },
    success: SentAnswer,
    error: Schema.Union([AccountError, OwnerLeaving])
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
  const context = yield* Effect.context<never>()
  const run = Effect.runForkWith(context)
  const now = () => clock.currentTimeMillisUnsafe()
  const shardOf = (userId: UserId) => sharding.getShardId(EntityId.make(String(userId)), SHARD_GROUP)

  const ask: AccountPeers["ask"] = (userId, command, reply) => {
    const shard = String(shardOf(userId))
    let isOver = false
    const end = (answer: OwnerAnswer): void => {
      if (isOver) return
      isOver = true
      deadline.cancel()
      if (answer === undefined) owners.silent(shard, now())
      else owners.answered(shard)
      const counter = answer === undefined ? silentTotal : answeredTotal
      counter.updateUnsafe(1, context)
      reply(answer)
    }
    const question = Effect.suspend(() => clientOf(String(userId)).Decide({ command, version: MESSAGE_VERSION }))
    const fiber = run(Effect.catchIf(question, isRefusal, Effect.succeed))
    // To give up a question waits for the runner that is silent; the call does not.
    const deadline = deadlineIn(OWNER_MS_MAX, () => {
      end(undefined)
      fiber.interruptUnsafe()
    })
    // Whatever it is - no owner, no connection, a message that is not understood - this runner decides.
    fiber.addObserver((exit) => end(Exit.isSuccess(exit) ? exit.value : undefined))
  }

  return AccountPeers.of({
    always: cluster.decide === "owner",
    canAskOwner: (userId) => {
      const shard = shardOf(userId)
      return !sharding.hasShardId(shard) && owners.mayAsk(String(shard), now())
    },
    ask,
    serve: (decide) =>
      sharding.registerEntity(
        AccountEntity,
        Effect.map(Entity.CurrentAddress, ({ entityId }) => {
          const userId = UserId.make(BigInt(entityId))
          return AccountEntity.of({
            Decide: ({ payload }) =>
              (payload.version > MESSAGE_VERSION ? undefined : decide(userId, payload.command)) ??
                Effect.fail(new OwnerLeaving())
          })
        }),
        { concurrency: "unbounded", maxIdleTime: PLACE_IDLE }
      )
  })
}))
