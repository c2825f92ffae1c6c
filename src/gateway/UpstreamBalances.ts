/**
 * Asks upstreams what the accounts behind a channel's keys have left, and keeps what they say with the time. Each key is asked about by
 * itself: keys may belong to several accounts.
 */
import { Clock, Context, Effect, Layer } from "effect"
import { SqlClient } from "effect/sql"
import type { ChannelKeyMissing, ChannelNotFound } from "../channels/ChannelError.ts"
import { type CallableKey, ChannelKeyAdmin } from "../channels/ChannelKeyAdmin.ts"
import type { FailureReason } from "../channels/FailureReason.ts"
import type { ChannelId } from "../domain/Ids.ts"
import { type DatabaseUnavailable, orUnavailable } from "../postgres/DatabaseUnavailable.ts"
import { type BalanceWay, balanceWays, type UpstreamBalance } from "./BalanceWays.ts"
import { askUpstream } from "./upstream/UpstreamAsk.ts"
import { UpstreamClient } from "./upstream/UpstreamClient.ts"

/** Of an answer about a balance. */
const BALANCE_BYTES_MAX = 65_536

/** Keys asked about at once, at most. */
const ASKED_AT_ONCE_MAX = 4

/** All keys together are asked about no longer, in seconds. */
const SECONDS_MAX = 50

export class UpstreamBalances extends Context.Service<UpstreamBalances, {
  /** Asks about every key that opens here; answers how many upstream accounts told their balance. */
  ask(id: ChannelId): Effect.Effect<number, ChannelNotFound | ChannelKeyMissing | DatabaseUnavailable>
}>()("realms/gateway/UpstreamBalances") {
  static readonly layer = Layer.effect(UpstreamBalances)(Effect.gen(function*() {
    const sql = yield* SqlClient.SqlClient
    const keys = yield* ChannelKeyAdmin
    const client = yield* UpstreamClient

    const askBy = (way: BalanceWay, { apiKey }: CallableKey) =>
      Effect.forEach(
        way.questions,
        (question) => askUpstream(client, { ...question, apiKey, bytesMax: BALANCE_BYTES_MAX })
      ).pipe(
        Effect.map((answers): UpstreamBalance | FailureReason => way.read(answers) ?? "not_json"),
        Effect.catchTag("UpstreamUnanswered", ({ reason }) => Effect.succeed<UpstreamBalance | FailureReason>(reason))
      )

    /** The first way that tells it; else why the first did not. */
    const balanceOf = Effect.fnUntraced(function*(key: CallableKey) {
      let why: FailureReason | undefined
      for (const way of balanceWays(key.baseUrl, yield* Clock.currentTimeMillis)) {
        const told = yield* askBy(way, key)
        if (typeof told !== "string") return told
        why ??= told
      }
      return why ?? "not_found"
    })

    const askKey = Effect.fnUntraced(function*(key: CallableKey) {
      const told = yield* balanceOf(key)
      const balance = typeof told === "string" ? null : told
      const problem = typeof told === "string" ? told : told.amount === null ? "unlimited" : null
      yield* orUnavailable(sql`UPDATE channel_keys SET balance = ${balance?.amount ?? null},
          balance_currency = ${balance?.currency ?? null}, balance_problem = ${problem}, balance_at = now()
        WHERE id = ${key.keyId}`)
      return balance !== null
    })

    const ask = Effect.fn("UpstreamBalances.ask")(function*(id: ChannelId) {
      let told = 0
      yield* Effect.forEach(
        yield* keys.access(id),
        (key) => Effect.map(askKey(key), (isTold) => isTold && told++),
        { concurrency: ASKED_AT_ONCE_MAX, discard: true }
      ).pipe(Effect.timeoutOption(`${SECONDS_MAX} seconds`))
      return told
    })

    return UpstreamBalances.of({ ask })
  })).pipe(Layer.provide(UpstreamClient.layer))
}
