import { assert, describe, it } from "@effect/vitest"
import { type Connection, Connections, type Taker, WAITING_MAX } from "../../src/runners/Connections.ts"
import { readGivenConnection, readRunnerMessage } from "../../src/runners/RunnerMessage.ts"

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

describe("connections", () => {
  it("go to the runners in turn, and are closed here once they are taken", () => {
    const connections = new Connections<TestConnection>()
    const [one, two] = [new TestTaker(), new TestTaker()] as const
    connections.join(one)
    connections.join(two)
    const all = make(4)
    for (const connection of all) connections.give(connection)
    assert.deepStrictEqual(one.connections, all.filter((_, index) => index % 2 === 0))
    assert.deepStrictEqual(two.connections, all.filter((_, index) => index % 2 === 1))
    connections.taken(one, givenNumber(one, 0))
    connections.taken(one, 12_345)
    assert.deepStrictEqual(all.map(({ destroyed }) => destroyed), [true, false, false, false])
  })

  it("that a runner had not taken when it left go to another, those that it had do not", () => {
    const connections = new Connections<TestConnection>()
    const [one, two] = [new TestTaker(), new TestTaker()] as const
    connections.join(one)
    const [first, second] = [new TestConnection(), new TestConnection()] as const
    connections.give(first)
    connections.give(second)
    connections.taken(one, givenNumber(one, 0))
    connections.join(two)
    connections.leave(one)
    connections.leave(one)
    assert.deepStrictEqual(two.connections, [second])
    assert.deepStrictEqual([first.destroyed, second.destroyed], [true, false])
  })

  it("wait while there is no runner, a bounded number of them", () => {
    const connections = new Connections<TestConnection>()
    const all = make(WAITING_MAX + 1)
    for (const connection of all) connections.give(connection)
    assert.strictEqual(all.filter(({ destroyed }) => destroyed).length, 1)
    assert.isTrue(all.at(-1)?.destroyed)
    const one = new TestTaker()
    connections.join(one)
    assert.strictEqual(one.given.length, WAITING_MAX)
    connections.leave(one)
    connections.close()
    assert.isTrue(all.every(({ destroyed }) => destroyed))
  })

  it("come with messages of which none is taken for another", () => {
    assert.deepStrictEqual(readRunnerMessage({ realms: "ready", more: 1 }), { realms: "ready" })
    assert.deepStrictEqual(readRunnerMessage({ realms: "leaving" }), { realms: "leaving" })
    assert.deepStrictEqual(readRunnerMessage({ realms: "taken", number: 7 }), { realms: "taken", number: 7 })
    for (const other of [undefined, null, "ready", { realms: "taken" }, { realms: "connection", number: 1 }, {}]) {
      assert.isUndefined(readRunnerMessage(other))
    }
    assert.strictEqual(readGivenConnection({ realms: "connection", number: 3 }), 3)
    for (const other of [undefined, { realms: "connection" }, { realms: "ready" }, 3]) {
      assert.isUndefined(readGivenConnection(other))
    }
  })
})
