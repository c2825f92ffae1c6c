/**
 * Which keys of the channels are to wait, because their upstream asked to: for the user whose call it refused, and for everybody once
 * that call was answered with another key, since only then the request itself is not to blame. A short wait is remembered here; a longer one
 * goes to the key's row as well, so that it outlives a restart and the other processes hear of it. Bounded: of too many keys the one
 * that was cooled first is forgotten, which costs it one more refusal.
 */
import { Clock, Context, DateTime, Effect, Layer } from "effect"
import { SqlClient } from "effect/sql"
import type { ChannelKeyId, UserId } from "../domain/Ids.ts"
import { keepNewest } from "../platform/KeepNewest.ts"
import { publish } from "../platform/Notifications.ts"
import { Avoidance } from "./Avoidance.ts"
import type { ChannelKey } from "./ChannelKeys.ts"
import { coolKey } from "./ChannelKeyStore.ts"

/** Keys remembered, at most. */
export const COOLING_KEYS_MAX = 10_000

/** A key waits no longer, in milliseconds, whatever its upstream asks for. */
export const COOL_MS_MAX = 86_400_000

/** A shorter wait, in milliseconds, is over before a restart would be. */
export const COOL_KEPT_MS_MIN = 10_000

export class KeyRing extends Context.Service<KeyRing, {
  /** The key waits for everybody until then, in ms since the epoch. */
  cool(keyId: ChannelKeyId, untilMs: number): void
  /** It waits for this user. */
  avoid(userId: UserId, keyId: ChannelKeyId, untilMs: number): void
  /** For how much longer it waits for this user, in milliseconds; 0: it can be used. */
  coolingMs(key: ChannelKey, userId: UserId, nowMs: number): number
  /** Nothing keeps it waiting any more. */
  warm(keyId: ChannelKeyId): void
}>()("realms/channels/KeyRing") {
  static readonly layer = Layer.effect(KeyRing)(Effect.gen(function*() {
    const sql = yield* SqlClient.SqlClient
    const clock = yield* Clock.Clock
    const run = Effect.runForkWith(yield* Effect.context<never>())
    const cooling = new Map<ChannelKeyId, number>()
    const avoidance = new Avoidance<ChannelKeyId>()

    const keep = (keyId: ChannelKeyId, untilMs: number) =>
      Effect.flatMap(
        coolKey(sql, keyId, DateTime.toDateUtc(DateTime.makeUnsafe(untilMs))),
        (rows) => rows.length === 0 ? Effect.void : publish(sql, "channels", `key ${keyId}`)
      ).pipe(Effect.catchCause((cause) => Effect.logWarning("a key's cool-down was not written", cause)))

    return KeyRing.of({
      cool: (keyId, askedMs) => {
        const nowMs = clock.currentTimeMillisUnsafe()
        const untilMs = Math.min(askedMs, nowMs + COOL_MS_MAX)
        const before = cooling.get(keyId) ?? 0
        if (!(untilMs > before)) return
        cooling.delete(keyId)
        cooling.set(keyId, untilMs)
        keepNewest(cooling, COOLING_KEYS_MAX)
        // Calls that were under way when it began to wait ask for a little more: one row written says enough.
        if (untilMs - nowMs >= COOL_KEPT_MS_MIN && untilMs - before >= COOL_KEPT_MS_MIN) run(keep(keyId, untilMs))
      },
      avoid: (userId, keyId, untilMs) => avoidance.avoid(userId, keyId, untilMs),
      coolingMs: ({ coolingUntilMs, id }, userId, nowMs) =>
        Math.max(
          0,
          Math.max(coolingUntilMs, cooling.get(id) ?? 0) - nowMs,
          avoidance.isEmpty ? 0 : avoidance.avoidedMs(userId, id, nowMs)
        ),
      warm: (keyId) => void cooling.delete(keyId)
    })
  }))
}
