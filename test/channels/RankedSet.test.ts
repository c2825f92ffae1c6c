import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import { LinkedList } from "../../src/platform/LinkedList.ts"
import { type Ranked, RankedSet } from "../../src/channels/RankedSet.ts"

interface Member extends Ranked {
  rank: number
}

const Step = Schema.Struct({
  at: Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 19 })),
  what: Schema.Literals(["put", "remove"]),
  rank: Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 9 }))
})

describe("a ranked set", () => {
  it.prop("knows its lowest member, whatever is put, moved and removed", [Schema.Array(Step)], ([steps]) => {
    const members: ReadonlyArray<Member> = Array.from({ length: 20 }, () => ({ rank: 0, rankedAt: -1 }))
    const set = new RankedSet<Member>((a, b) => a.rank < b.rank)
    const inside = new Set<Member>()
    for (const { at, rank, what } of steps) {
      const member = members[at] ?? assert.fail("no member")
      if (what === "put") {
        member.rank = rank
        set.put(member)
        inside.add(member)
      } else {
        set.remove(member)
        inside.delete(member)
      }
      assert.strictEqual(set.size, inside.size)
      const ranks = Array.from(inside, (one) => one.rank)
      assert.strictEqual(set.lowest?.rank, ranks.length === 0 ? undefined : Math.min(...ranks))
      assert.isTrue(members.every((one) => (one.rankedAt === -1) !== inside.has(one)))
    }
  })
})

describe("a linked list", () => {
  it.prop(
    "keeps the order of what is left",
    [Schema.Array(Schema.NullOr(Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 9 }))))],
    ([steps]) => {
      const list = new LinkedList<number>()
      const links: Array<ReturnType<typeof list.push>> = []
      for (const [index, step] of steps.entries()) {
        if (step === null) links.push(list.push(index))
        else {
          const [link] = links.splice(step, 1)
          if (link !== undefined) list.remove(link)
        }
        const values: Array<number> = []
        for (let link = list.first; link !== undefined; link = link.after) values.push(link.value)
        assert.deepStrictEqual(values, links.map(({ value }) => value))
        assert.strictEqual(list.size, links.length)
      }
    }
  )
})
