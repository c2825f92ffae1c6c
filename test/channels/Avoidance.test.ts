import { assert, describe, it } from "@effect/vitest"
import { AVOID_MS_MAX, Avoidance, AVOIDED_CHANNELS_MAX, AVOIDING_USERS_MAX } from "../../src/channels/Avoidance.ts"
import { ChannelId, UserId } from "../../src/domain/Ids.ts"

const START = 1_000_000

const ada = UserId.make(1n)
const bob = UserId.make(2n)
const cleo = UserId.make(999n)
const five = ChannelId.make(5n)
const six = ChannelId.make(6n)

describe("avoided channels", () => {
  it("are avoided by that user alone, on that channel alone, until the moment", () => {
    const avoidance = new Avoidance()
    assert.isTrue(avoidance.isEmpty)
    avoidance.avoid(ada, five, START + 20_000)
    assert.isTrue(avoidance.isAvoided(ada, five, START))
    assert.isTrue(avoidance.isAvoided(ada, five, START + 19_999))
    assert.isFalse(avoidance.isAvoided(ada, five, START + 20_000))
    avoidance.avoid(ada, five, START + 60_000)
    assert.isFalse(avoidance.isAvoided(bob, five, START))
    assert.isFalse(avoidance.isAvoided(ada, six, START))
  })

  it("are forgotten when their time has passed", () => {
    const avoidance = new Avoidance()
    for (let user = 1n; user <= 100n; user++) avoidance.avoid(UserId.make(user), five, START + 20_000)
    assert.isFalse(avoidance.isAvoided(cleo, five, START))
    assert.isFalse(avoidance.isEmpty)
    assert.isFalse(avoidance.isAvoided(cleo, five, START + 20_000))
    assert.isTrue(avoidance.isEmpty)
  })

  it("are avoided for an hour at most, whatever the upstream asks for", () => {
    const avoidance = new Avoidance()
    avoidance.avoid(ada, five, Number.POSITIVE_INFINITY)
    assert.isTrue(avoidance.isAvoided(ada, five, START))
    assert.isTrue(avoidance.isAvoided(ada, five, START + AVOID_MS_MAX - 1))
    assert.isFalse(avoidance.isAvoided(ada, five, START + AVOID_MS_MAX))
  })

  it("are not changed by a time that is not a number", () => {
    const avoidance = new Avoidance()
    avoidance.avoid(ada, five, Number.NaN)
    assert.isTrue(avoidance.isEmpty)
  })

  it("are bounded in users and in channels of a user: the oldest are forgotten", () => {
    const avoidance = new Avoidance()
    const untilMs = START + 60_000
    for (let user = 1n; user <= BigInt(AVOIDING_USERS_MAX) + 1n; user++) {
      avoidance.avoid(UserId.make(user), five, untilMs)
    }
    assert.isFalse(avoidance.isAvoided(ada, five, START))
    assert.isTrue(avoidance.isAvoided(bob, five, START))
    for (let channel = 1n; channel <= BigInt(AVOIDED_CHANNELS_MAX) + 1n; channel++) {
      avoidance.avoid(cleo, ChannelId.make(channel), untilMs)
    }
    assert.isFalse(avoidance.isAvoided(cleo, ChannelId.make(1n), START))
    assert.isTrue(avoidance.isAvoided(cleo, ChannelId.make(2n), START))
  })
})
