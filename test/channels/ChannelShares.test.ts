import { assert, describe, it } from "@effect/vitest"
import { Effect, Metric } from "effect"
import { ChannelShares, type Ticket } from "../../src/channels/ChannelShares.ts"
import { QUEUED_PER_USER_MAX } from "../../src/channels/Shares.ts"
import { ChannelId, UserId } from "../../src/domain/Ids.ts"

const channel = ChannelId.make(1n)
const ada = UserId.make(1n)

describe("the shared connections of a process", () => {
  it.effect("are given, waited for, refused and counted", () =>
    Effect.gen(function*() {
      const shares = yield* ChannelShares
      const heard: Array<string> = []
      const tickets: Array<Ticket> = []
      const enter = (name: string) => {
        tickets.push(shares.enter(channel, 1, ada, {
          onGranted: () => void heard.push(name),
          onRefused: (why) => void heard.push(`${name} ${why}`)
        }))
      }
      for (let index = 0; index < QUEUED_PER_USER_MAX + 2; index++) enter(`${index}`)
      assert.deepStrictEqual(heard, ["0", `${QUEUED_PER_USER_MAX + 1} queue_full`])
      tickets[0]?.release()
      assert.strictEqual(heard.at(-1), "1")
      assert.deepStrictEqual(tickets.slice(0, 3).map(({ isGranted }) => isGranted), [false, true, false])
      for (const ticket of tickets.toReversed()) ticket.release()
      const refused = (yield* Metric.snapshot).filter(({ id }) => id === "realms_channel_queue_refused_total")
      assert.deepStrictEqual(refused.map(({ attributes, state }) => [attributes, "count" in state ? state.count : 0]), [
        [{ why: "queue_full" }, 1]
      ])
    }).pipe(Effect.provide(ChannelShares.layer)))
})
