/**
 * What the command line does to users: in whose name, what it prints, and that a password is never on the command line or in an answer.
 */
import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, describe, it } from "@effect/vitest"
import { DateTime, Effect, Exit, Layer, Option, Redacted, Stdio, Stream } from "effect"
import { Command } from "effect/cli"
import { TestConsole } from "effect/testing"
import { runCli } from "../../src/cli/Cli.ts"
import { Json } from "../../src/cli/Output.ts"
import { userCommand } from "../../src/cli/UserCommand.ts"
import { UserId } from "../../src/domain/Ids.ts"
import { LastRoot, SecondFactorMissing } from "../../src/identity/IdentityError.ts"
import { SecondFactors } from "../../src/identity/SecondFactors.ts"
import { UserAdmin } from "../../src/identity/UserAdmin.ts"
import { type User, Users } from "../../src/identity/Users.ts"

const ada: User = {
  id: UserId.make(7n),
  email: "ada@example.com",
  role: "user",
  createdAt: DateTime.toDateUtc(DateTime.makeUnsafe(0)),
  disabledAt: null
}

const root: User = { ...ada, id: UserId.make(8n), email: "root@example.com", role: "root" }

const servicesOf = (done: Array<string>) =>
  Layer.mergeAll(
    Layer.mock(Users, {
      list: Effect.succeed([ada, root]),
      findByEmail: (email) => Effect.succeed(Option.fromUndefinedOr([ada, root].find((user) => user.email === email))),
      findById: (id) => Effect.succeed(Option.fromUndefinedOr([ada, root].find((user) => user.id === id)))
    }),
    Layer.mock(SecondFactors, {
      reset: (actor, id) =>
        id === root.id
          ? Effect.fail(new SecondFactorMissing())
          : Effect.sync(() => void done.push(`${actor.name} reset ${id}`))
    }),
    Layer.mock(UserAdmin, {
      disable: (actor, id) =>
        id === root.id
          ? Effect.fail(new LastRoot({ userId: id }))
          : Effect.sync(() => void done.push(`${actor.name} disable ${id}`)),
      enable: (actor, id) => Effect.sync(() => void done.push(`${actor.name} enable ${id}`)),
      setRole: (actor, id, role) => Effect.sync(() => void done.push(`${actor.name} ${role} ${id}`)),
      setPassword: (actor, id, password, options) =>
        Effect.sync(() => {
          const kept = options?.keepNetworks === true ? " kept" : ""
          done.push(`${actor.name} password ${id} ${Redacted.value(password)}${kept}`)
        })
    })
  )

const run = (args: ReadonlyArray<string>, stdin = "hunter2hunt2\n") =>
  Effect.gen(function*() {
    const done: Array<string> = []
    const cli = Command.make("realms").pipe(
      Command.withSubcommands([userCommand(servicesOf(done))]),
      Command.withGlobalFlags([Json])
    )
    const exit = yield* Effect.exit(runCli(cli, { version: "1", args: ["user", ...args] })).pipe(
      Effect.provide(Stdio.layerTest({ stdin: Stream.make(new TextEncoder().encode(stdin)) }))
    )
    const out = (yield* TestConsole.logLines).map(String).join("\n")
    const err = (yield* TestConsole.errorLines).map(String).join("\n")
    return { isDone: Exit.isSuccess(exit), out, err, done }
  }).pipe(Effect.provide(Layer.merge(Layer.fresh(TestConsole.layer), NodeServices.layer)))

describe("realms user", () => {
  const user = ["--user", "ada@example.com"]
  const table = [
    [["disable", ...user], "cli disable 7", "disabled ada@example.com: sessions have ended, and keys are refused"],
    [["enable", ...user], "cli enable 7", "enabled ada@example.com"],
    [["role", ...user, "--role", "support"], "cli support 7", "the role of ada@example.com is support"],
    [["reset-second-factor", ...user], "cli reset 7", "ada@example.com has no second factor any more"],
    [["set-password", "--user", "7"], "cli password 7 hunter2hunt2", "set the password of ada@example.com"],
    [
      ["set-password", "--user", "7", "--keep-networks"],
      "cli password 7 hunter2hunt2 kept",
      "set the password of ada@example.com"
    ]
  ] as const
  for (const [args, done, text] of table) {
    it.effect(`${args.join(" ")} acts in the name of the command line, and says so`, () =>
      Effect.gen(function*() {
        const plain = yield* run(args)
        assert.deepStrictEqual([plain.isDone, plain.done], [true, [done]], plain.err)
        assert.include(plain.out, text)
        assert.notInclude(plain.out + plain.err, "hunter2")
        const json = yield* run(["--json", ...args])
        assert.deepInclude(JSON.parse(json.out), { id: "7", email: "ada@example.com" })
      }))
  }

  const refused: ReadonlyArray<readonly [args: ReadonlyArray<string>, stdin?: string]> = [
    [["disable", "--user", "root@example.com"]],
    [["disable", "--user", "nobody@example.com"]],
    [["disable"]],
    [["reset-second-factor", "--user", "root@example.com"]],
    [["role", ...user]],
    [["role", ...user, "--role", "king"]],
    [["set-password", ...user], ""],
    [["set-password", ...user], "two\nlines\n"]
  ]
  for (const [args, stdin] of refused) {
    it.effect(`refuses ${args.join(" ")}`, () =>
      Effect.gen(function*() {
        const { done, err, isDone } = yield* run(args, stdin)
        assert.deepStrictEqual([isDone, done], [false, []])
        assert.match(err, /^realms: /)
      }))
  }
})
