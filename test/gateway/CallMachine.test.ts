/**
 * The states of a call as a table: which event leads where, and that every other pair is refused.
 */
import { assert, describe, it } from "@effect/vitest"
import { Redacted } from "effect"
import type { Reservation } from "../../src/accounts/AccountState.ts"
import type { Channel } from "../../src/channels/Channels.ts"
import { defaultChannelTerms } from "../../src/domain/ChannelTerms.ts"
import { ChannelId, ChannelKeyId } from "../../src/domain/Ids.ts"
import { admitted, type CallEvent, type CallState, evolve } from "../../src/gateway/CallMachine.ts"

const reservation: Reservation = {
  id: "r",
  funding: "balance",
  subscriptionId: null,
  price: { inputMicrosPer1m: 1n, cachedInputMicrosPer1m: 1n, cacheWriteMicrosPer1m: null, outputMicrosPer1m: 1n },
  billingMultiplier: 1n,
  planMultiplier: 1n,
  groupMultiplier: 1n,
  reservedMicros: 10n,
  outputTokens: 5,
  reservedAtMs: 0
}

const channel: Channel = {
  ...defaultChannelTerms,
  id: ChannelId.make(1n),
  name: "one",
  baseUrl: "http://127.0.0.1",
  keys: [{ id: ChannelKeyId.make(1n), secret: Redacted.make("key"), coolingUntilMs: 0 }],
  priority: 0,
  weight: 1,
  upstreamModel: "up",
  hiddenOutput: false
}

const events: Readonly<Record<CallEvent["_tag"], CallEvent>> = {
  WasHeld: { _tag: "WasHeld", reservation },
  WasQueued: { _tag: "WasQueued", channel },
  WasSent: { _tag: "WasSent", atMs: 20 },
  GaveOutput: { _tag: "GaveOutput", atMs: 30 },
  AttemptFailed: { _tag: "AttemptFailed" },
  WasExtended: { _tag: "WasExtended", reservation: { ...reservation, reservedMicros: 20n } },
  WasDecided: { _tag: "WasDecided" },
  WasSettled: { _tag: "WasSettled" }
}

/** The state after these events. */
const after = (...names: ReadonlyArray<CallEvent["_tag"]>): CallState =>
  names.reduce((state, name) => evolve(state, events[name]), admitted)

const states = {
  Admitted: admitted,
  Held: after("WasHeld"),
  Queued: after("WasHeld", "WasQueued"),
  Sent: after("WasHeld", "WasQueued", "WasSent"),
  Relaying: after("WasHeld", "WasQueued", "WasSent", "GaveOutput"),
  Settling: after("WasHeld", "WasDecided"),
  Ended: after("WasHeld", "WasDecided", "WasSettled")
} as const

/** Every legal transition; what is not here must throw. */
const legal: Readonly<Record<string, CallState["_tag"]>> = {
  "Admitted WasHeld": "Held",
  "Held WasQueued": "Queued",
  "Held WasDecided": "Settling",
  "Queued WasSent": "Sent",
  "Queued AttemptFailed": "Held",
  "Queued WasDecided": "Settling",
  "Sent GaveOutput": "Relaying",
  "Sent AttemptFailed": "Held",
  "Sent WasExtended": "Sent",
  "Sent WasDecided": "Settling",
  "Relaying WasExtended": "Relaying",
  "Relaying WasDecided": "Settling",
  "Settling WasExtended": "Settling",
  "Settling WasSettled": "Ended",
  "Ended WasExtended": "Ended"
}

describe("CallMachine", () => {
  for (const [name, state] of Object.entries(states)) {
    for (const event of Object.values(events)) {
      const next = legal[`${name} ${event._tag}`]
      it(`${name} ${event._tag}: ${next ?? "is refused"}`, () => {
        assert.strictEqual(state._tag, name)
        if (next === undefined) assert.throws(() => evolve(state, event), new RegExp(`${name} met ${event._tag}`))
        else assert.strictEqual(evolve(state, event)._tag, next)
      })
    }
  }

  it("numbers the attempts", () => {
    const second = after("WasHeld", "WasQueued", "AttemptFailed", "WasQueued", "WasSent")
    assert.strictEqual(second._tag === "Sent" ? second.attempt.number : 0, 2)
  })

  it("keeps the raised hold", () => {
    const raised = after("WasHeld", "WasQueued", "WasSent", "WasExtended", "GaveOutput", "WasDecided")
    assert.strictEqual(raised._tag === "Settling" ? raised.reservation.reservedMicros : 0n, 20n)
  })
})
