import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, layer } from "@effect/vitest"
import { Effect, Exit, Fiber, FileSystem, Scope } from "effect"
import { emptyOutcome, type Settlement } from "../../src/accounts/AccountState.ts"
import { makeOutbox, placesOf } from "../../src/accounts/Outbox.ts"
import type { OutboxItem } from "../../src/accounts/OutboxFile.ts"
import { UserId } from "../../src/domain/Ids.ts"
import { scratchFolder } from "../support/ScratchFolder.ts"
import { until } from "../support/Until.ts"

const voided = (id: string): OutboxItem => ({
  userId: UserId.make(7n),
  command: { _tag: "Void", id, outcome: emptyOutcome }
})

const settlement = {} as Settlement

/** Takes settlements, and notes their ids. */
const taker = () => {
  const ids: Array<string> = []
  const submit = ({ command }: OutboxItem) =>
    Effect.sync(() => {
      ids.push(command.id)
      return { _tag: "Settlement" as const, settlement }
    })
  return { ids, submit }
}

layer(NodeServices.layer, { excludeTestServices: true })("The outbox of a data folder", (it) => {
  it.effect("has a place for each process: what one left is replayed by another once it has ended, and not before", () =>
    Effect.gen(function*() {
      const fs = yield* FileSystem.FileSystem
      const folder = yield* scratchFolder
      const life = yield* Scope.make()
      const first = yield* Scope.provide(makeOutbox(folder), life)
      const second = yield* makeOutbox(folder)
      yield* first.keep([voided("a"), voided("b")])
      yield* first.setAside([voided("c")])
      yield* second.keep([voided("d")])
      assert.deepStrictEqual((yield* fs.readDirectory(folder)).filter((name) => name.endsWith(".jsonl")).toSorted(), [
        "set-aside.jsonl",
        "unsettled-1.jsonl",
        "unsettled.jsonl"
      ])
      const { ids, submit } = taker()
      yield* second.replay(submit)
      assert.deepStrictEqual(ids, ["d"])
      yield* Scope.close(life, Exit.void)
      yield* second.replay(submit)
      assert.deepStrictEqual(ids, ["d", "a", "b", "c"])
      assert.deepStrictEqual((yield* fs.readDirectory(folder)).filter((name) => name.includes(".jsonl")), [])
    }))

  it.effect("looks again and again for what ended processes left", () =>
    Effect.gen(function*() {
      const folder = yield* scratchFolder
      const second = yield* makeOutbox(folder)
      const life = yield* Scope.make()
      const first = yield* Scope.provide(makeOutbox(folder), life)
      yield* second.keep([voided("own")])
      yield* first.keep([voided("left")])
      const { ids, submit } = taker()
      const adopting = yield* Effect.forkChild(second.adopt(submit))
      yield* Scope.close(life, Exit.void)
      yield* until("it is replayed", () => ids.length > 0)
      yield* Fiber.interrupt(adopting)
      assert.deepStrictEqual(ids, ["left"], "its own waits for the next start")
    }))

  it.effect("gives the place of an ended process to the next", () =>
    Effect.gen(function*() {
      const folder = yield* scratchFolder
      const path = () => Effect.scoped(Effect.flatMap(makeOutbox(folder), ({ unsettledPath }) => unsettledPath))
      assert.strictEqual(yield* path(), `${folder}/unsettled.jsonl`)
      assert.strictEqual(yield* path(), `${folder}/unsettled.jsonl`)
    }))

  it("knows its files by their names", () => {
    assert.deepStrictEqual(
      placesOf(["set-aside-12.jsonl", "unsettled.jsonl", "unsettled-1.jsonl.replaying", "unsettled-12.jsonl"]),
      [0, 1, 12]
    )
    assert.deepStrictEqual(
      placesOf([
        "unsettled-1.jsonl.unreadable",
        "unsettled-x.jsonl",
        "unsettled-999.jsonl",
        "postgres",
        "outbox-3.lock"
      ]),
      []
    )
  })
})
