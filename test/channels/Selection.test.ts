import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import {
  type Health,
  orderByHealth,
  orderOf,
  type Standing,
  tiersOf,
  type Weighted
} from "../../src/channels/Selection.ts"
import { ChannelId, UserId } from "../../src/domain/Ids.ts"

const channel = (id: bigint, priority = 0, weight = 1): Weighted => ({ id: ChannelId.make(id), priority, weight })
const ids = (channels: ReadonlyArray<Weighted>) => channels.map(({ id }) => id)
const users = (count: number) => Array.from({ length: count }, (_, index) => UserId.make(BigInt(index + 1)))

/** How many users try each channel first. */
const firsts = (channels: ReadonlyArray<Weighted>, count: number, model = "mini") => {
  const tiers = tiersOf(model, channels)
  const found = new Map<bigint, number>()
  for (const user of users(count)) {
    const first = orderOf(tiers, user)[0]?.id ?? assert.fail("no channel")
    found.set(first, (found.get(first) ?? 0) + 1)
  }
  return found
}

describe("order of tries", () => {
  it("takes the higher priority first for every user", () => {
    const tiers = tiersOf("mini", [channel(1n, 0), channel(2n, 10), channel(3n, 5)])
    for (const user of users(100)) assert.deepStrictEqual(ids(orderOf(tiers, user)), [2n, 3n, 1n])
  })

  it("is the same for a user on every runner, in whatever order the channels are read", () => {
    const channels = [1n, 2n, 3n, 4n, 5n].map((id) => channel(id, Number(id % 2n), Number(id)))
    const here = tiersOf("mini", channels)
    const there = tiersOf("mini", channels.toReversed())
    for (const user of users(500)) assert.deepStrictEqual(ids(orderOf(here, user)), ids(orderOf(there, user)))
  })

  // A change of these values would move every user to another upstream's cold cache.
  it("stays the same between versions", () => {
    const tiers = tiersOf("gpt-4o-mini", [channel(1n), channel(2n, 0, 3), channel(3n, 0, 0), channel(4n)])
    const table: ReadonlyArray<readonly [user: bigint, order: ReadonlyArray<bigint>]> = [
      [1n, [2n, 1n, 4n, 3n]],
      [3n, [1n, 2n, 4n, 3n]],
      [6n, [4n, 2n, 1n, 3n]],
      [2n ** 40n + 7n, [4n, 1n, 2n, 3n]]
    ]
    for (const [user, order] of table) assert.deepStrictEqual(ids(orderOf(tiers, UserId.make(user))), order, `${user}`)
  })

  it("gives each channel its weight's share of the users", () => {
    const count = 20_000
    const weights = [1, 2, 3, 10]
    const found = firsts(weights.map((weight, index) => channel(BigInt(index + 1), 0, weight)), count)
    for (const [index, weight] of weights.entries()) {
      const share = weight / 16
      const deviation = Math.sqrt(count * share * (1 - share))
      assert.approximately(found.get(BigInt(index + 1)) ?? 0, count * share, 4 * deviation, `weight ${weight}`)
    }
  })

  it("spreads a channel's users evenly over the others when it fails", () => {
    const tiers = tiersOf("mini", [1n, 2n, 3n, 4n].map((id) => channel(id)))
    const seconds = new Map<bigint, number>()
    for (const user of users(20_000)) {
      const [first, second] = ids(orderOf(tiers, user))
      if (first === 1n && second !== undefined) seconds.set(second, (seconds.get(second) ?? 0) + 1)
    }
    const total = Array.from(seconds.values()).reduce((a, b) => a + b, 0)
    for (const id of [2n, 3n, 4n]) assert.approximately((seconds.get(id) ?? 0) / total, 1 / 3, 0.03)
  })

  it("moves only the users of a channel that is gone", () => {
    const all = tiersOf("mini", [1n, 2n, 3n, 4n].map((id) => channel(id)))
    const fewer = tiersOf("mini", [1n, 2n, 4n].map((id) => channel(id)))
    for (const user of users(1_000)) {
      assert.deepStrictEqual(ids(orderOf(all, user)).filter((id) => id !== 3n), ids(orderOf(fewer, user)))
    }
  })

  it("places users of different models independently", () => {
    const channels = [channel(1n), channel(2n)]
    const [mini, maxi] = [tiersOf("mini", channels), tiersOf("maxi", channels)]
    const same = users(10_000).filter((user) => orderOf(mini, user)[0]?.id === orderOf(maxi, user)[0]?.id).length
    assert.approximately(same / 10_000, 0.5, 0.03)
  })

  it("puts weight 0 last inside its priority, before lower priorities", () => {
    const tiers = tiersOf("mini", [channel(1n, 5, 0), channel(2n, 5, 1), channel(3n, 0, 100)])
    for (const user of users(200)) assert.deepStrictEqual(ids(orderOf(tiers, user)), [2n, 1n, 3n])
  })

  it("shares users evenly among channels of weight 0", () => {
    assert.approximately(firsts([channel(1n, 0, 0), channel(2n, 0, 0)], 10_000).get(1n) ?? 0, 5_000, 250)
  })

  it.prop(
    "is a permutation by descending priority",
    {
      channels: Schema.Array(Schema.Struct({
        priority: Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 3 })),
        weight: Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 1_000_000 }))
      })).check(Schema.isMaxLength(12)),
      user: Schema.BigInt
    },
    ({ channels, user }) => {
      const given = channels.map(({ priority, weight }, index) => channel(BigInt(index), priority, weight))
      const order = orderOf(tiersOf("mini", given), UserId.make(user))
      assert.sameMembers([...ids(order)], [...ids(given)])
      const priorities = order.map(({ priority }) => priority)
      assert.deepStrictEqual(priorities, priorities.toSorted((a, b) => b - a))
    }
  )

  it("of nothing is nothing", () => assert.deepStrictEqual(orderOf([], UserId.make(1n)), []))
})

describe("order by health", () => {
  const order = [channel(1n), channel(2n), channel(3n), channel(4n)]
  const table: ReadonlyArray<
    readonly [
      what: string,
      standings: ReadonlyArray<Standing>,
      ids: ReadonlyArray<bigint>,
      probes: ReadonlyArray<bigint>
    ]
  > = [
    ["leaves ready channels where they are", ["ready", "ready", "ready", "ready"], [1n, 2n, 3n, 4n], []],
    ["moves a user behind all ready channels", ["avoided", "ready", "ready", "ready"], [2n, 3n, 4n, 1n], []],
    ["puts open breakers last", ["away", "ready", "avoided", "ready"], [2n, 4n, 3n, 1n], []],
    ["keeps the order when all are open", ["away", "away", "away", "away"], [1n, 2n, 3n, 4n], []],
    ["probes a half-open channel that is first", ["probe", "ready", "ready", "ready"], [1n, 2n, 3n, 4n], [1n]],
    ["probes one that is first among what is not away", ["away", "avoided", "probe", "ready"], [3n, 4n, 2n, 1n], [3n]],
    ["does not waste a probe on a later channel", ["ready", "probe", "ready", "ready"], [1n, 3n, 4n, 2n], []],
    ["makes one call the probe of one channel", ["probe", "probe", "ready", "away"], [1n, 3n, 2n, 4n], [1n]]
  ]
  for (const [what, standings, expected, probed] of table) {
    it(what, () => {
      const claimed: Array<bigint> = []
      const health: Health = {
        standingOf: (id) => standings[Number(id) - 1] ?? assert.fail("unknown channel"),
        claimProbe: (id) => void claimed.push(id)
      }
      assert.deepStrictEqual(ids(orderByHealth(order, health)), expected)
      assert.deepStrictEqual(claimed, probed)
    })
  }

  it("tries a lone channel whatever its health, without asking for it", () => {
    const health: Health = {
      standingOf: () => assert.fail("asked"),
      claimProbe: () => assert.fail("claimed")
    }
    assert.deepStrictEqual(ids(orderByHealth([channel(1n)], health)), [1n])
  })
})
