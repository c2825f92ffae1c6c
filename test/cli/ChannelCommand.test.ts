/**
 * `realms channel` over services in memory: what it prints, and its exit code.
 */
import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, describe, it } from "@effect/vitest"
import { DateTime, Effect, Exit, Layer } from "effect"
import { Command } from "effect/cli"
import { TestConsole } from "effect/testing"
import { type AdminChannel, ChannelAdmin } from "../../src/channels/ChannelAdmin.ts"
import { channelCommand } from "../../src/cli/ChannelCommand.ts"
import { runCli } from "../../src/cli/Cli.ts"
import { Json } from "../../src/cli/Output.ts"
import { defaultChannelTerms } from "../../src/domain/ChannelTerms.ts"
import { ChannelId } from "../../src/domain/Ids.ts"
import { ChannelTest } from "../../src/gateway/ChannelTest.ts"

const at = DateTime.toDateUtc(DateTime.makeUnsafe(0))

const channel = (name: string, more: Partial<AdminChannel> = {}): AdminChannel => ({
  ...defaultChannelTerms,
  id: ChannelId.make(BigInt(name.length)),
  revision: 1n,
  name,
  baseUrl: "https://upstream.example/v1",
  priority: 0,
  weight: 1,
  declared: false,
  disabledAt: null,
  hasKey: true,
  keys: [],
  health: "closed",
  successAt: null,
  failure: null,
  tests: [],
  models: { m: "up" },
  hiddenOutput: [],
  createdAt: at,
  updatedAt: at,
  ...more
})

/** Two channels, of which the second refuses its key, and one that is disabled and has the id of the first as its name. */
const channels = Layer.mergeAll(
  Layer.mock(ChannelAdmin, {
    list: Effect.succeed([
      channel("one", { successAt: at }),
      channel("other", { failure: { at: at, reason: "unauthorized", status: 401 } }),
      channel("3", { disabledAt: at })
    ])
  }),
  Layer.mock(ChannelTest, {
    run: (id, model) =>
      Effect.succeed({
        model,
        latencyMs: 12,
        ...id === 3n ? { reason: null, status: 200 } : { reason: "unauthorized" as const, status: 401 }
      })
  })
)

const run = (args: ReadonlyArray<string>) =>
  Effect.gen(function*() {
    const cli = Command.make("realms").pipe(
      Command.withSubcommands([channelCommand(channels)]),
      Command.withGlobalFlags([Json])
    )
    const exit = yield* Effect.exit(runCli(cli, { version: "1.2.3", args }))
    const failure = Exit.isSuccess(exit) ? undefined : yield* Effect.flip(exit)
    const lines = (values: ReadonlyArray<unknown>) => values.map(String).join("\n")
    return {
      code: failure?.exitCode ?? 0,
      out: lines(yield* TestConsole.logLines),
      err: lines(yield* TestConsole.errorLines)
    }
  }).pipe(Effect.provide(Layer.merge(Layer.fresh(TestConsole.layer), NodeServices.layer)))

describe("realms channel", () => {
  it.effect("lists how they do, and says of a test whether it worked", () =>
    Effect.gen(function*() {
      const listed = yield* run(["channel", "list"])
      assert.match(listed.out, /3 +one +enabled +works +0 +1970-01-01T00:00:00.000Z +never +1/)
      assert.match(listed.out, /5 +other +enabled +fails +0 +never +1970-01-01T00:00:00.000Z unauthorized +1/)
      const fields = JSON.parse((yield* run(["channel", "list", "--json"])).out)
      assert.deepInclude(fields[0], { id: "3", name: "one", condition: "works", keys_out: 0, failure: null })
      const works = yield* run(["channel", "test", "one"])
      assert.deepStrictEqual([works.code, works.out, works.err], [0, "1 of 1 work", "one: m works, 12 ms"])
      assert.include((yield* run(["channel", "test", "5"])).err, "other: m failed")
      assert.include((yield* run(["channel", "test", "3"])).err, "3: m failed")
      const all = yield* run(["channel", "test", "--all", "--json"])
      assert.strictEqual(all.code, 1)
      assert.deepStrictEqual(JSON.parse(all.out).map(({ name, ok }: Record<string, unknown>) => [name, ok]), [
        ["one", true],
        ["other", false]
      ])
      assert.include(all.err, "other: m failed (unauthorized, status 401), 12 ms")
      for (const args of [["channel", "test"], ["channel", "test", "one", "--all"]]) {
        assert.strictEqual((yield* run(args)).code, 2)
      }
      assert.include((yield* run(["channel", "test", "nope"])).err, 'there is no channel "nope"')
    }))
})
