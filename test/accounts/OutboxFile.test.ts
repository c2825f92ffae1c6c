import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, layer } from "@effect/vitest"
import { Effect, FileSystem } from "effect"
import { emptyOutcome } from "../../src/accounts/AccountState.ts"
import { appendToOutbox, type OutboxItem, readOutbox } from "../../src/accounts/OutboxFile.ts"
import { ChannelId, UserId } from "../../src/domain/Ids.ts"
import { scratchFolder } from "../support/ScratchFolder.ts"

const usage = { inputTokens: 1, cachedInputTokens: 2, cacheWriteTokens: 3, outputTokens: 4 }

const commands: ReadonlyArray<OutboxItem> = [
  { userId: UserId.make(7n), command: { _tag: "Void", id: "r1", outcome: { ...emptyOutcome, reason: "abandoned" } } },
  {
    userId: UserId.make(9_007_199_254_740_993n),
    command: { _tag: "Commit", id: "r2", outcome: emptyOutcome, atMs: 5 }
  },
  {
    userId: UserId.make(7n),
    command: {
      _tag: "Commit",
      id: "r3",
      tokens: { tokens: 30, keyPerMinute: 1_000, userPerMinute: null },
      atMs: 6,
      outcome: {
        ...emptyOutcome,
        usage: { ...usage, tools: { webSearch: 2, fileSearch: 0 } },
        usageFlags: ["input_clamped", "above_context"],
        excessTokens: 12,
        references: {
          channelId: ChannelId.make(9_007_199_254_740_993n),
          responseId: "resp_1",
          itemIds: ["msg_1", 'quote"\n'],
          inputTokens: 10,
          outputTokens: 20
        },
        usageSource: "upstream",
        usageFlagged: true,
        status: 200,
        channel: "one",
        upstreamModel: "m",
        latencyMs: 3,
        ttftMs: 1
      }
    }
  }
]

layer(NodeServices.layer)("Settlements in an outbox file", (it) => {
  it.effect("are read as they were written, with everything that the call left behind", () =>
    Effect.gen(function*() {
      const path = `${yield* scratchFolder}/unsettled.jsonl`
      yield* appendToOutbox(path, commands.slice(0, 1))
      yield* appendToOutbox(path, commands.slice(1))
      assert.deepStrictEqual(yield* readOutbox(path), { commands: [...commands], unreadable: [] })
    }))

  it.effect("are read behind half a line, which a full disk or a power loss leaves", () =>
    Effect.gen(function*() {
      const fs = yield* FileSystem.FileSystem
      const path = `${yield* scratchFolder}/unsettled.jsonl`
      yield* appendToOutbox(path, commands.slice(0, 1))
      yield* fs.writeFileString(path, '{"userId":"7","comm', { flag: "a" })
      yield* appendToOutbox(path, commands.slice(1))
      assert.deepStrictEqual(yield* readOutbox(path), {
        commands: [...commands],
        unreadable: ['{"userId":"7","comm']
      })
    }))

  it.effect("of an earlier version are read; a line that is cut short is kept apart", () =>
    Effect.gen(function*() {
      const fs = yield* FileSystem.FileSystem
      const path = `${yield* scratchFolder}/unsettled.jsonl`
      const line = JSON.stringify({
        userId: "7",
        command: { _tag: "Commit", id: "r4", outcome: { ...emptyOutcome, usage }, atMs: 5 }
      })
      yield* fs.writeFileString(path, `${line}\n${line.slice(0, 40)}`)
      const { commands: read, unreadable } = yield* readOutbox(path)
      assert.deepStrictEqual(read.map(({ command }) => command.id), ["r4"])
      assert.deepStrictEqual(unreadable, [line.slice(0, 40)])
    }))
})
