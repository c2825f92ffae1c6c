import { assert, describe, it } from "@effect/vitest"
import { type Health, orderOfTries, type RandomBelow, tiersOf, type Weighted } from "../../src/channels/Selection.ts"

const channel = (id: bigint, priority = 0, weight = 1): Weighted => ({ id, priority, weight })
const ids = (channels: ReadonlyArray<Weighted>) => channels.map(({ id }) => id)

const well: Health = { isOpen: () => false, isHalfOpen: () => false, probe: () => assert.fail("nobody to probe") }

/** Draws the given numbers, one after the other; each must be possible. */
const lots = (...numbers: ReadonlyArray<number>): RandomBelow => {
  let next = 0
  return (below) => {
    const drawn = numbers[next++] ?? assert.fail("one draw too many")
    assert.isBelow(drawn, below)
    return drawn
  }
}

const first: RandomBelow = () => 0

describe("order of tries", () => {
  it("takes the higher priority first", () => {
    const tiers = tiersOf([channel(1n, 0), channel(2n, 10), channel(3n, 5)])
    assert.deepStrictEqual(ids(orderOfTries(tiers, well, first)), [2n, 3n, 1n])
  })

  it("draws by weight inside a priority", () => {
    const tiers = tiersOf([channel(1n, 0, 3), channel(2n, 0, 1)])
    // Tickets 0 to 2 are the first channel's, 3 is the second's.
    for (const ticket of [0, 1, 2]) assert.deepStrictEqual(ids(orderOfTries(tiers, well, lots(ticket, 0))), [1n, 2n])
    assert.deepStrictEqual(ids(orderOfTries(tiers, well, lots(3, 0))), [2n, 1n])
  })

  it("puts weight 0 last inside its priority, before lower ones", () => {
    const tiers = tiersOf([channel(1n, 5, 0), channel(2n, 5, 1), channel(3n, 0, 100)])
    assert.deepStrictEqual(ids(orderOfTries(tiers, well, first)), [2n, 1n, 3n])
  })

  it("draws evenly among those of weight 0", () => {
    const tiers = tiersOf([channel(1n, 0, 0), channel(2n, 0, 0)])
    assert.deepStrictEqual(ids(orderOfTries(tiers, well, lots(1, 0))), [2n, 1n])
  })

  it("is a permutation, whatever is drawn", () => {
    const tiers = tiersOf([
      channel(1n, 0, 2),
      channel(2n, 0, 0),
      channel(3n, 0, 5),
      channel(4n, 1, 1),
      channel(5n, 0, 1)
    ])
    const last: RandomBelow = (below) => below - 1
    for (const random of [first, last]) {
      assert.sameMembers([...ids(orderOfTries(tiers, well, random))], [1n, 2n, 3n, 4n, 5n])
    }
  })

  it("tries open ones last, whatever their priority, and all of them when all are open", () => {
    const tiers = tiersOf([channel(1n, 10), channel(2n, 5), channel(3n, 0)])
    assert.deepStrictEqual(ids(orderOfTries(tiers, { ...well, isOpen: (id) => id === 1n }, first)), [2n, 3n, 1n])
    assert.deepStrictEqual(ids(orderOfTries(tiers, { ...well, isOpen: () => true }, first)), [1n, 2n, 3n])
  })

  it("claims the probe of a half-open one that stands first", () => {
    const probed: Array<bigint> = []
    const health: Health = { ...well, isHalfOpen: (id) => id === 1n, probe: (id) => void probed.push(id) }
    assert.deepStrictEqual(ids(orderOfTries(tiersOf([channel(1n, 10), channel(2n)]), health, first)), [1n, 2n])
    assert.deepStrictEqual(probed, [1n])
  })

  it("does not waste the probe of a half-open one that would not be tried first", () => {
    const health: Health = { ...well, isHalfOpen: (id) => id === 2n }
    const tiers = tiersOf([channel(1n, 10), channel(2n, 5), channel(3n, 0)])
    assert.deepStrictEqual(ids(orderOfTries(tiers, health, first)), [1n, 3n, 2n])
  })

  it("of nothing is nothing", () => assert.deepStrictEqual(orderOfTries([], well, first), []))
})
