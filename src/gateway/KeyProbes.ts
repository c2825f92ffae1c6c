/**
 * Finds out whether an upstream really refuses a key: when calls were refused with it, and again and again with a back-off while it is
 * out of use. A probe is a test of a channel, so it costs what the smallest call costs where the key works again.
 */
import { Clock, Context, Effect, Layer, Semaphore } from "effect"
import { ChannelAdmin } from "../channels/ChannelAdmin.ts"
import { KeyJudgement } from "../channels/KeyJudgement.ts"
import type { ChannelId, ChannelKeyId } from "../domain/Ids.ts"
import { keepNewest } from "../platform/KeepNewest.ts"
import { inRounds } from "../platform/Rounds.ts"
import { ChannelTest } from "./ChannelTest.ts"

/** Probes under way at once, at most. */
const PROBES_MAX = 4

/**
 * Suspected keys that are remembered, at most: a further one is dropped, and suspected again with the next call that is refused. It also
 * bounds the keys whose refusals are counted.
 */
const SUSPECTS_MAX = 1_000

/** A key that calls are refused with is not asked about again for so long, in milliseconds. */
const SUSPECT_AGAIN_MS = 30_000

/** How often keys that are due are looked for, in milliseconds. Replaced in tests. */
export const ProbeEveryMs = Context.Reference<number>("realms/gateway/KeyProbes/EveryMs", {
  defaultValue: () => 10_000
})

/** Calls in a row that are refused with the only key of a channel before it is asked about: without it the channel is closed. */
const ONLY_KEY_REFUSALS_MIN = 3

export class KeyProbes extends Context.Service<KeyProbes, {
  /** A call for this model was refused with the key: it is asked about soon. */
  suspect(channelId: ChannelId, keyId: ChannelKeyId, model: string): void
  /** The same with the only key of a channel, which is asked about when that goes on. */
  suspectOnly(channelId: ChannelId, keyId: ChannelKeyId, model: string): void
  /** A call was answered with the only key of a channel. */
  answeredOnly(keyId: ChannelKeyId): void
}>()("realms/gateway/KeyProbes") {
  static readonly layer = Layer.effect(KeyProbes)(Effect.gen(function*() {
    const judgement = yield* KeyJudgement
    const clock = yield* Clock.Clock
    const channels = yield* ChannelAdmin
    const test = yield* ChannelTest
    const everyMs = yield* ProbeEveryMs
    const room = yield* Semaphore.make(PROBES_MAX)
    const scope = yield* Effect.scope
    const run = Effect.runForkWith(yield* Effect.context<never>())
    const suspects = new Map<ChannelKeyId, number>()
    /** Calls in a row that were refused with a channel's only key. */
    const refusals = new Map<ChannelKeyId, number>()

    const probe = (channelId: ChannelId, keyId: ChannelKeyId, model: string | undefined) =>
      Effect.gen(function*() {
        const channel = yield* channels.get(channelId)
        const served = Object.keys(channel.models).toSorted()
        const asked = model !== undefined && Object.hasOwn(channel.models, model) ? model : served[0]
        if (asked !== undefined) yield* test.run(channelId, asked, keyId)
      }).pipe(
        Semaphore.withPermits(room, 1),
        Effect.catchCause((cause) => Effect.logWarning("a channel's key was not probed", cause))
      )

    const round = Effect.flatMap(
      judgement.dueKeys(PROBES_MAX),
      (due) => Effect.forEach(due, ({ channelId, id }) => probe(channelId, id, undefined), { concurrency: PROBES_MAX })
    )
    yield* Effect.forkScoped(
      inRounds(round, { failure: "keys that are out of use were not probed", everyMs })
    )

    const suspect = (channelId: ChannelId, keyId: ChannelKeyId, model: string): void => {
      const nowMs = clock.currentTimeMillisUnsafe()
      if (nowMs - (suspects.get(keyId) ?? -Infinity) < SUSPECT_AGAIN_MS) return
      if (suspects.size >= SUSPECTS_MAX) {
        for (const [id, atMs] of suspects) if (nowMs - atMs >= SUSPECT_AGAIN_MS) suspects.delete(id)
        if (suspects.size >= SUSPECTS_MAX) return
      }
      suspects.set(keyId, nowMs)
      run(Effect.forkIn(probe(channelId, keyId, model), scope))
    }

    return KeyProbes.of({
      suspect,
      suspectOnly: (channelId, keyId, model) => {
        const count = (refusals.get(keyId) ?? 0) + 1
        if (count >= ONLY_KEY_REFUSALS_MIN) return suspect(channelId, keyId, model)
        refusals.delete(keyId)
        refusals.set(keyId, count)
        keepNewest(refusals, SUSPECTS_MAX)
      },
      answeredOnly: (keyId) => {
        if (refusals.size > 0) refusals.delete(keyId)
      }
    })
  })).pipe(Layer.provide(ChannelTest.layer))
}
