import { assert, describe, it } from "@effect/vitest"
import { AVOID_MS_MAX, Avoidance, AVOIDED_CHANNELS_MAX, AVOIDING_USERS_MAX } from "../../src/channels/Avoidance.ts"

const START = 1_000_000

describe("avoided channels", () => {
  it("are avoided by that user alone, on that channel alone, until the moment", () => {
    const avoidance = new Avoidance()
    assert.isTrue(avoidance.isEmpty)
    avoidance.avoid(1n, 5n, START + 20_000)
    assert.isTrue(avoidance.isAvoided(1n, 5n, START))
    assert.isTrue(avoidance.isAvoided(1n, 5n, START + 19_999))
    assert.isFalse(avoidance.isAvoided(1n, 5n, START + 20_000))
    avoidance.avoid(1n, 5n, START + 60_000)
    assert.isFalse(avoidance.isAvoided(2n, 5n, START))
    assert.isFalse(avoidance.isAvoided(1n, 6n, START))
  })

  it("are forgotten when their time has passed", () => {
    const avoidance = new Avoidance()
    for (let user = 1n; user <= 100n; user++) avoidance.avoid(user, 5n, START + 20_000)
    assert.isFalse(avoidance.isAvoided(999n, 5n, START))
    assert.isFalse(avoidance.isEmpty)
    assert.isFalse(avoidance.isAvoided(999n, 5n, START + 20_000))
    assert.isTrue(avoidance.isEmpty)
  })

  it("are avoided for an hour at most, whatever the upstream asks for", () => {
    const avoidance = new Avoidance()
    avoidance.avoid(1n, 5n, Number.POSITIVE_INFINITY)
    assert.isTrue(avoidance.isAvoided(1n, 5n, START))
    assert.isTrue(avoidance.isAvoided(1n, 5n, START + AVOID_MS_MAX - 1))
    assert.isFalse(avoidance.isAvoided(1n, 5n, START + AVOID_MS_MAX))
  })

  it("are not changed by a time that is not a number", () => {
    const avoidance = new Avoidance()
    avoidance.avoid(1n, 5n, Number.NaN)
    assert.isTrue(avoidance.isEmpty)
  })

  it("are bounded in users and in channels of a user: the oldest are forgotten", () => {
    const avoidance = new Avoidance()
    const untilMs = START + 60_000
    for (let user = 1n; user <= BigInt(AVOIDING_USERS_MAX) + 1n; user++) avoidance.avoid(user, 5n, untilMs)
    assert.isFalse(avoidance.isAvoided(1n, 5n, START))
    assert.isTrue(avoidance.isAvoided(2n, 5n, START))
    for (let channel = 1n; channel <= BigInt(AVOIDED_CHANNELS_MAX) + 1n; channel++) {
      avoidance.avoid(7n, channel, untilMs)
    }
    assert.isFalse(avoidance.isAvoided(7n, 1n, START))
    assert.isTrue(avoidance.isAvoided(7n, 2n, START))
  })
})
