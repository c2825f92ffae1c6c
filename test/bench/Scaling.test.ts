import { assert, describe, it } from "@effect/vitest"
import { callMicrosAt, ENTRIES_PER_CALL, fitted, measuredCosts } from "../../bench/scaling/costs.ts"
import { assumptions, keepsUp, planFor } from "../../bench/scaling/plan.ts"
import { printed } from "../../bench/scaling/report.ts"
import { simulate, type World } from "../../bench/scaling/simulate.ts"
import { readText } from "../tidy/SourceFiles.ts"

const world = (more: Partial<World> = {}): World => ({
  callsPerSecond: 5_000,
  runners: 4,
  cores: 8,
  cost: { batchMicros: 600, callMicros: 40 },
  otherMicros: 0,
  flushMicros: 500,
  networkMicros: 300,
  lingerMicros: 0,
  users: 100_000,
  keysStay: true,
  seconds: 0.5,
  seed: 1,
  ...more
})

describe("costs of batches", () => {
  it("have the parts that they were made of", () => {
    const cost = fitted([1, 8, 64].map((calls) => ({ calls, micros: 600 / calls + 40 })))
    assert.closeTo(cost.batchMicros, 600, 0.001)
    assert.closeTo(cost.callMicros, 40, 0.001)
  })

  it("say of the kept benchmarks what was measured, to a tenth", () => {
    const costs = measuredCosts()
    for (const { calls, micros } of costs.journal) {
      assert.closeTo(callMicrosAt(costs.postgres, calls), micros, micros / 10, `${calls} calls`)
    }
    assert.isTrue(Object.values({ ...costs.postgres, ...costs.node }).every((micros) => micros > 0))
  })
})

describe("a simulation", () => {
  it("is the same with the same seed, and another with another", () => {
    assert.deepStrictEqual(simulate(world()), simulate(world()))
    assert.notDeepEqual(simulate(world()), simulate(world({ seed: 2 })))
  })

  it.each<[string, Partial<World>]>([
    ["with room", {}],
    ["with too many calls", { callsPerSecond: 60_000, cores: 2 }],
    ["with users at any runner", { users: 20, keysStay: false }],
    ["with journals that wait", { lingerMicros: 3_000 }]
  ])("writes every entry once, or has it still: %s", (_, more) => {
    const { entries, left, written } = simulate(world(more))
    assert.isAbove(written, 0)
    assert.strictEqual(written + left, entries)
  })

  it("uses the CPU that its batches cost", () => {
    const given = world({ seconds: 2 })
    const { coresBusy, entriesPerBatch } = simulate(given)
    const expected = callMicrosAt(given.cost, entriesPerBatch / ENTRIES_PER_CALL) * given.callsPerSecond / 1_000_000
    assert.closeTo(coresBusy, expected, expected / 20)
  })

  it("waits for a batch, its flush and the way, at the least", () => {
    const { p50Ms } = simulate(world({ callsPerSecond: 50, runners: 1, seconds: 4 }))
    assert.closeTo(p50Ms, (600 + 20 + 500 + 300) / 1_000, 0.1)
  })

  it("makes larger batches of fewer runners, of slower flushes, and of journals that wait", () => {
    const size = (more: Partial<World>) => simulate(world(more)).entriesPerBatch
    const usual = size({})
    assert.isAbove(size({ runners: 2 }), usual)
    assert.isAbove(size({ flushMicros: 5_000 }), usual)
    assert.isAbove(size({ lingerMicros: 5_000 }), usual)
    assert.isBelow(size({ runners: 32 }), usual)
  })

  it("never has more cores at work than there are, and fills batches instead", () => {
    const { coresBusy, entriesPerBatch } = simulate(world({ callsPerSecond: 40_000, cores: 1 }))
    assert.isAtMost(coresBusy, 1)
    assert.isAbove(entriesPerBatch, 100)
  })

  it("waits for locks only where a user's calls come to several runners", () => {
    assert.strictEqual(simulate(world({ users: 100 })).lockedShare, 0)
    assert.isAbove(simulate(world({ users: 100, keysStay: false })).lockedShare, 0.1)
  })
})

describe("a plan", () => {
  const costs = measuredCosts()
  const quick = { ...assumptions, entries: 5_000 }
  const json = { name: "JSON", frames: 0 }

  it("grows with the calls, and keeps to what was assumed", () => {
    const [small, large] = [5_000, 50_000].map((calls) => planFor(costs, json, calls, quick))
    assert.isDefined(small)
    assert.isDefined(large)
    if (small === undefined || large === undefined) return
    assert.isAbove(large.runners, small.runners)
    for (const { coresEach, outcome, walMegabytesPerSecond } of [small, large]) {
      assert.isTrue(keepsUp(outcome, assumptions))
      assert.isAtMost(outcome.coresBusy, coresEach * assumptions.postgresBusyShare)
      assert.isAtMost(walMegabytesPerSecond, assumptions.walMegabytesPerSecondMax)
    }
  })

  it("needs more servers where one writes less", () => {
    const plan = planFor(costs, json, 10_000, { ...quick, walMegabytesPerSecondMax: 5 })
    assert.strictEqual(plan?.servers, Math.ceil((10_000 * costs.walBytes) / 5_000_000))
  })
})

describe("the document", () => {
  it("gets each table between its marks, and keeps the rest", () => {
    const text = "a\n<!-- scaling: one -->\nold\n<!-- end -->\nb\n<!-- scaling: two -->\n<!-- end -->\nc\n"
    const tables = { one: "1", two: "2" }
    const once = printed(text, tables)
    assert.strictEqual(
      once,
      "a\n<!-- scaling: one -->\n\n1\n\n<!-- end -->\nb\n<!-- scaling: two -->\n\n2\n\n<!-- end -->\nc\n"
    )
    assert.strictEqual(printed(once, tables), once)
    assert.throws(() => printed(text, { one: "1" }), /no table two/)
  })

  it("has a place for every table of the simulation", () => {
    const names = [...readText("docs/scaling.md").matchAll(/<!-- scaling: (\w+) -->/g)].map((match) => match[1])
    assert.sameMembers(names, ["assumptions", "batches", "plans", "ends", "levers", "layouts", "locks"])
  })
})
