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

  it("counts small bodies of a user beside many", () => {
    const budget = new ByteBudget({ ...limits, freeBodiesMax: 2 })
    const open = () => budget.open(user)
    const [first, second, third] = [open(), open(), open()]
    for (const share of [first, second, third]) assert.isUndefined(share.add(60))
    assert.strictEqual(budget.usedBytes, 60)
    assert.isUndefined(budget.open(UserId.make(2n)).add(60))
    assert.strictEqual(budget.usedBytes, 60)
    assert.isUndefined(third.add(10))
    assert.strictEqual(budget.usedBytes, 70)
    // The first is no small one any more, so that another one may go uncounted.
    assert.isUndefined(first.add(60))
    assert.strictEqual(budget.usedBytes, 190)
    const fourth = open()
    assert.isUndefined(fourth.add(100))
    assert.strictEqual(budget.usedBytes, 190)
    assert.strictEqual(open().add(61), "user")
    for (const share of [first, second, third, fourth]) share.release()
    assert.strictEqual(budget.usedBytes, 0)
    const fifth = open()
    assert.isUndefined(fifth.add(100))
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

  it("is shared by the processes of a machine, as far as there is room for a whole body of each of a few users", () => {
    const limits = { processBytesMax: 400, userBytesMax: 100, freeBytes: 10 }
    const shares = (bodyBytesMax: number) =>
      [1, 2, 3, 4, 64].map((processes) => {
        const { processBytesMax, userBytesMax } = shareOf(limits, processes, bodyBytesMax)
        return [processBytesMax, userBytesMax]
      })
    assert.deepStrictEqual(shares(20), [[400, 100], [200, 50], [132, 33], [100, 25], [80, 20]])
    assert.deepStrictEqual(shares(1_000), [[400, 100], [400, 100], [400, 100], [400, 100], [400, 100]])
  })

  it("leaves room for others beside one user, however many processes share it", () => {
    for (let processes = 1; processes <= 64; processes++) {
      const budget = new ByteBudget(shareOf(limits, processes, 200))
      const own = budget.open(user)
      while (own.add(1) === undefined);
      assert.isUndefined(budget.open(UserId.make(2n)).add(200), `${processes} processes`)
    }
  })

  it("takes room for a user who has less from the oldest waiting body of the user who has the most", () => {
    const budget = new ByteBudget(limits)
    const given: Array<string> = []
    const taken = (id: bigint, name: string, bytes: number, yields = true) => {
      const share = budget.open(UserId.make(id))
      assert.isUndefined(share.add(bytes), name)
      if (yields) share.mayYield(() => given.push(name))
      return share
    }
    taken(1n, "small", 100)
    taken(1n, "first of one", 110)
    taken(1n, "second of one", 140)
    taken(2n, "of two, at work", 250, false)
    taken(3n, "of three", 240)
    const ended = taken(4n, "of four", 245)
    ended.release()
    taken(4n, "of four, again", 245)
    taken(5n, "of five", 120)
    assert.deepStrictEqual(given, ["first of one"])
    taken(5n, "more of five", 120)
    assert.deepStrictEqual(given, ["first of one", "of four, again"])
    assert.isAtMost(budget.usedBytes, limits.processBytesMax)
    // Nobody who has as much as others takes anything of theirs.
    assert.isUndefined(budget.open(UserId.make(6n)).add(110))
    assert.strictEqual(budget.open(UserId.make(7n)).add(245), "process")
    assert.deepStrictEqual(given, ["first of one", "of four, again"])
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
