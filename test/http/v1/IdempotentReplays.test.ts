/**
 * Kept answers that are given again: each lies in memory until its client has taken it.
 */
import { assert, it } from "@effect/vitest"
import { Effect, Layer } from "effect"
import { CallClaims } from "../../../src/accounts/CallClaims.ts"
import { AppConfig, testConfig } from "../../../src/config/Config.ts"
import { makeReservationId, UserId } from "../../../src/domain/Ids.ts"
import { CallNotes } from "../../../src/gateway/CallNotes.ts"
import { ClientLimits } from "../../../src/http/ClientLimits.ts"
import { claimOf, Idempotency } from "../../../src/http/v1/Idempotency.ts"
import { ScriptedClient } from "../../support/ScriptedClient.ts"

const BYTES = 1_000_000

const body = Buffer.alloc(BYTES, "a").toString("base64")

const Kept = Idempotency.layer.pipe(
  Layer.provide(
    Layer.succeed(CallClaims)({
      find: () => Effect.succeed({ _tag: "answered", answer: { headers: {}, body } }),
      keep: () => Effect.void,
      release: () => Effect.void
    })
  ),
  Layer.provide(AppConfig.layerOf(testConfig()))
)

/** Takes nothing until it is told to, as one with a full connection. */
class SlowClient extends ScriptedClient {
  isCut = false
  override end(bytes?: Uint8Array | string): void {
    if (bytes !== undefined) this.write(bytes)
  }
  override destroy(): void {
    this.isCut = true
    this.isGone = true
  }
}

const replayTo = Effect.fnUntraced(function*(userId: UserId, client: ScriptedClient) {
  const requestId = makeReservationId()
  const call = {
    userId,
    requestId,
    claim: claimOf(requestId, "chat", Buffer.from("{}")),
    client,
    notes: new CallNotes(requestId, "chat")
  }
  return yield* Effect.result((yield* Idempotency).run(call, () => Effect.die(new Error("it is not made again"))))
})

it.effect("answers that are given again count in the memory of their user and of the process until they are taken", () =>
  Effect.gen(function*() {
    const { keptBudget: { processBytesMax, userBytesMax } } = yield* ClientLimits
    const one = UserId.make(1n)
    const slow: Array<SlowClient> = []
    let refused: string | undefined
    while (refused === undefined && slow.length < 200) {
      const client = new SlowClient()
      const replayed = yield* replayTo(one, client)
      if (replayed._tag === "Success") slow.push(client)
      else refused = "code" in replayed.failure ? replayed.failure.code : replayed.failure._tag
    }
    assert.strictEqual(refused, "rate_limit_exceeded")
    assert.strictEqual(slow.length, Math.floor(userBytesMax / BYTES))
    // Taken, or left: there is room again.
    slow[0]?.onDone()
    const next = new ScriptedClient()
    assert.strictEqual((yield* replayTo(one, next))._tag, "Success")
    assert.strictEqual(next.text.length, BYTES)
    // Others are answered when the process has no room, too: who has the most gives way.
    let isFull = slow.length
    for (let id = 2n; isFull < processBytesMax / BYTES - 1; id++) {
      for (let count = 0; count < slow.length && isFull < processBytesMax / BYTES - 1; count++) {
        assert.strictEqual((yield* replayTo(UserId.make(id), new SlowClient()))._tag, "Success")
        isFull++
      }
    }
    for (let count = 0; count < 3; count++) {
      assert.strictEqual((yield* replayTo(UserId.make(100n), new SlowClient()))._tag, "Success")
    }
  }).pipe(Effect.provide(Kept)))
