import { assert, describe, it } from "@effect/vitest"
import { UserId } from "../../src/domain/Ids.ts"
import { ByteBudget, shareOf } from "../../src/platform/ByteBudget.ts"

const user = UserId.make(1n)
const limits = { processBytesMax: 1_000, userBytesMax: 250, freeBytes: 100 }

describe("ByteBudget", () => {
  it("does not count a small body, and counts a large one from its first byte", () => {
    const budget = new ByteBudget(limits)
    const share = budget.open(user)
    assert.isUndefined(share.add(60))
    assert.isUndefined(share.add(40))
    assert.strictEqual(budget.usedBytes, 0)
    assert.isUndefined(share.add(1))
    assert.strictEqual(budget.usedBytes, 101)
    assert.isUndefined(share.add(49))
    assert.strictEqual(budget.usedBytes, 150)
    share.release()
    share.release()
    assert.strictEqual(budget.usedBytes, 0)
  })

  it("gives a user its share over all of its bodies, and again once one has ended", () => {
    const budget = new ByteBudget(limits)
    const [first, second, others] = [
      budget.open(user),
      budget.open(user),
      budget.open(UserId.make(2n))
    ]
    assert.isUndefined(first.add(150))
    assert.strictEqual(second.add(101), "user")
    assert.isUndefined(others.add(250))
    second.release()
    first.release()
    assert.strictEqual(budget.usedBytes, 250)
    assert.isUndefined(budget.open(user).add(250))
  })

  it("is shared by the processes of a machine, as far as a user's part goes", () => {
    const limits = { processBytesMax: 400, userBytesMax: 120, freeBytes: 10 }
    const processBytesMax = (processes: number) => shareOf(limits, processes).processBytesMax
    assert.deepStrictEqual([1, 2, 3, 4, 64].map(processBytesMax), [400, 200, 133, 120, 120])
    assert.strictEqual(shareOf(limits, 4).userBytesMax, 120)
  })

  it("refuses everybody above the bound of the process", () => {
    const budget = new ByteBudget(limits)
    const users = [1n, 2n, 3n, 4n].map((id) => budget.open(UserId.make(id)))
    for (const share of users) assert.isUndefined(share.add(250))
    const late = budget.open(UserId.make(5n))
    assert.isUndefined(late.add(100), "a small body is not counted")
    assert.strictEqual(late.add(1), "process")
    users[0]?.release()
    assert.isUndefined(budget.open(UserId.make(5n)).add(250))
  })
})
