import { assert, describe, it } from "@effect/vitest"
import {
  type Connection,
  Connections,
  type Taker,
  UNTAKEN_MAX,
  UNTAKEN_MS_MAX,
  WAITING_MAX,
  WAITING_MS_MAX
} from "../../src/runners/Connections.ts"
import { readRunnerMessage, readSupervisorMessage } from "../../src/runners/RunnerMessage.ts"

class TestConnection implements Connection {
  destroyed = false
  destroy(): void {
    this.destroyed = true
  }
}

class TestTaker implements Taker<TestConnection> {
  readonly given: Array<readonly [number, TestConnection]> = []
  give(number: number, connection: TestConnection): void {
    this.given.push([number, connection])
  }
  get connections(): ReadonlyArray<TestConnection> {
    return this.given.map(([, connection]) => connection)
  }
}

const make = (count: number) => Array.from({ length: count }, () => new TestConnection())

const givenNumber = (taker: TestTaker, index: number): number => taker.given[index]?.[0] ?? 0

/** With a clock that the test moves. */
const world = () => {
  const clock = { nowMs: 1_000 }
  const connections = new Connections<TestConnection>(() => clock.nowMs)
  return { clock, connections, one: new TestTaker(), two: new TestTaker() }
}

describe("connections", () => {
  it("go to the runners in turn, and are closed here once they are taken", () => {
    const { connections, one, two } = world()
    connections.join(one)
    connections.join(two)
    const all = make(4)
    for (const connection of all) connections.give(connection)
    assert.sameMembers([...one.connections, ...two.connections], all)
    assert.deepStrictEqual([one.given.length, two.given.length], [2, 2])
    connections.taken(one, givenNumber(one, 0))
    connections.taken(one, 12_345)
    assert.deepStrictEqual(all.filter(({ destroyed }) => destroyed), one.connections.slice(0, 1))
  })

  it("on their way to a runner that leaves stay its own; when it ends, what it had not taken goes to another", () => {
    const { connections, one, two } = world()
    connections.join(one)
    const [first, second] = [new TestConnection(), new TestConnection()] as const
    connections.give(first)
    connections.give(second)
    connections.join(two)
    connections.leave(one)
    assert.deepStrictEqual(two.connections, [], "it lives, and may read what it was sent")
    connections.taken(one, givenNumber(one, 0))
    const third = new TestConnection()
    connections.give(third)
    connections.ended(one)
    connections.ended(one)
    assert.deepStrictEqual(two.connections, [third, second])
    assert.deepStrictEqual([first.destroyed, second.destroyed], [true, false])
  })

  it("wait while there is no runner, a bounded number of them for a bounded time", () => {
    const { clock, connections, one } = world()
    const all = make(WAITING_MAX + 1)
    for (const connection of all) connections.give(connection)
    assert.deepStrictEqual(all.filter(({ destroyed }) => destroyed), all.slice(-1))
    assert.strictEqual(connections.expire(), 0)
    clock.nowMs += WAITING_MS_MAX - 1
    const late = new TestConnection()
    connections.join(one)
    assert.strictEqual(one.given.length, UNTAKEN_MAX)
    clock.nowMs += 1
    assert.strictEqual(connections.expire(), WAITING_MAX - UNTAKEN_MAX)
    connections.give(late)
    connections.close()
    assert.isTrue(late.destroyed)
  })

  it("go past a runner that does not keep up, and are given when it does", () => {
    const { connections, one, two } = world()
    connections.join(one)
    for (const connection of make(UNTAKEN_MAX + 1)) connections.give(connection)
    assert.strictEqual(one.given.length, UNTAKEN_MAX)
    connections.taken(one, givenNumber(one, 0))
    assert.strictEqual(one.given.length, UNTAKEN_MAX + 1)
    connections.join(two)
    for (const connection of make(3)) connections.give(connection)
    assert.strictEqual(two.given.length, 3)
  })

  it("that a runner does not take for long are closed here", () => {
    const { clock, connections, one } = world()
    connections.join(one)
    const [first, second] = [new TestConnection(), new TestConnection()] as const
    connections.give(first)
    clock.nowMs += UNTAKEN_MS_MAX
    connections.give(second)
    assert.strictEqual(connections.expire(), 1)
    assert.deepStrictEqual([first.destroyed, second.destroyed], [true, false])
    connections.taken(one, givenNumber(one, 0))
    assert.strictEqual(connections.expire(), 0)
  })

  it("come with messages of which none is taken for another", () => {
    assert.deepStrictEqual(readRunnerMessage({ realms: "ready", more: 1 }), { realms: "ready" })
    assert.deepStrictEqual(readRunnerMessage({ realms: "leaving" }), { realms: "leaving" })
    assert.deepStrictEqual(readRunnerMessage({ realms: "taken", number: 7 }), { realms: "taken", number: 7 })
    for (const other of [undefined, null, "ready", { realms: "taken" }, { realms: "connection", number: 1 }, {}]) {
      assert.isUndefined(readRunnerMessage(other))
    }
    assert.deepStrictEqual(readSupervisorMessage({ realms: "connection", number: 3 }), {
      realms: "connection",
      number: 3
    })
    assert.deepStrictEqual(readSupervisorMessage({ realms: "last" }), { realms: "last" })
    assert.deepStrictEqual(readSupervisorMessage({ realms: "replaced" }), { realms: "replaced" })
    for (const other of [undefined, { realms: "connection" }, { realms: "ready" }, 3]) {
      assert.isUndefined(readSupervisorMessage(other))
    }
  })
})
