/**
 * What a request of our own has shown of a key: one that its upstream refuses for good is taken out of use, and one that works is put
 * back. Calls of users alone never do that, because what they send may be why they are refused. Every process hears of it, the log says
 * it, and the overview shows it.
 */
import { Context, Effect, Layer } from "effect"
import { SqlClient } from "effect/sql"
import type { ChannelId, ChannelKeyId } from "../domain/Ids.ts"
import { publish } from "../platform/Notifications.ts"
import { type DatabaseUnavailable, orUnavailable } from "../postgres/DatabaseUnavailable.ts"
import { inTransaction } from "../postgres/Transaction.ts"
import { claimProbes, type DueKey, putBack, takeOut } from "./ChannelKeyStore.ts"
import { type FailureReason, isKeysOwn } from "./FailureReason.ts"
import { KeyRing } from "./KeyRing.ts"

/** What a request came to. No reason: it was answered. */
interface Asked {
  readonly reason: FailureReason | null
  readonly status: number | null
}

export class KeyJudgement extends Context.Service<KeyJudgement, {
  /** What says nothing of the key, such as an upstream that is not reached, changes nothing. */
  judge(keyId: ChannelKeyId, asked: Asked, channelId: ChannelId): Effect.Effect<void, DatabaseUnavailable>
  /** Keys that are to be probed now, so many at most. Nobody else probes them for a minute. */
  dueKeys(limit: number): Effect.Effect<ReadonlyArray<DueKey>, DatabaseUnavailable>
  /** Keeps what a test came to; of a model that the channel does not serve there is nothing to keep. */
  keepTest(
    channelId: ChannelId,
    test: Asked & { readonly model: string; readonly latencyMs: number }
  ): Effect.Effect<void, DatabaseUnavailable>
}>()("realms/channels/KeyJudgement") {
  static readonly layer = Layer.effect(KeyJudgement)(Effect.gen(function*() {
    const sql = yield* SqlClient.SqlClient
    const ring = yield* KeyRing

    const judge = Effect.fnUntraced(function*(keyId: ChannelKeyId, { reason, status }: Asked, channelId: ChannelId) {
      if (reason !== null && !isKeysOwn(reason)) return
      const changed = yield* inTransaction(
        sql,
        Effect.gen(function*() {
          const key = yield* reason === null ? putBack(sql, keyId) : takeOut(sql, keyId, { reason, status })
          if (key?.isNew === true) yield* publish(sql, "channels", channelId.toString())
          return key
        })
      )
      if (reason === null) ring.warm(keyId)
      if (changed?.isNew !== true) return
      const which = { channelId: channelId.toString(), key: changed.hint }
      if (reason === null) yield* Effect.logInfo("a channel's key is used again", which)
      else yield* Effect.logWarning("a channel's key is taken out of use", { ...which, reason, status })
    }, orUnavailable)

    const keepTest = Effect.fnUntraced(function*(
      channelId: ChannelId,
      { latencyMs, model, reason, status }: Parameters<KeyJudgement["Service"]["keepTest"]>[1]
    ) {
      yield* sql`INSERT INTO channel_tests (channel_id, model_id, tested_at, reason, status, latency_ms)
        SELECT s.channel_id, s.model_id, now(), ${reason}::text, ${status}::integer, ${Math.round(latencyMs)}::integer
          FROM channel_models s WHERE s.channel_id = ${channelId} AND s.model_id = ${model}
        ON CONFLICT (channel_id, model_id) DO UPDATE SET tested_at = excluded.tested_at, reason = excluded.reason,
          status = excluded.status, latency_ms = excluded.latency_ms`
    }, orUnavailable)

    return KeyJudgement.of({ judge, keepTest, dueKeys: (limit) => orUnavailable(claimProbes(sql, limit)) })
  })).pipe(Layer.provide(KeyRing.layer))
}
