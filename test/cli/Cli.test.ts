/**
 * The command line run in this process over services in memory: what goes to standard output, what to standard error, and
 * the exit code. Parts that a command must not start fail the test when they are.
 */
import * as NodeServices from "@effect/platform-node/NodeServices"
import { PgClient } from "@effect/sql-pg"
import { assert, describe, it } from "@effect/vitest"
import { DateTime, Effect, Exit, Layer, Option, Redacted, Stdio, Stream } from "effect"
import { Reactivity } from "effect/reactivity"
import { SqlClient } from "effect/sql"
import { TestConsole } from "effect/testing"
import { AccountUnavailable, DebitRefused } from "../../src/accounts/AccountError.ts"
import { type Adjustment, Adjustments } from "../../src/accounts/Adjustments.ts"
import { ChannelAdmin } from "../../src/channels/ChannelAdmin.ts"
import { makeCli, runCli } from "../../src/cli/Cli.ts"
import { DemoOptions } from "../../src/cli/DemoCommand.ts"
import { ApiKeyId, UserId } from "../../src/domain/Ids.ts"
import { Reconciliation } from "../../src/events/Reconciliation.ts"
import { BillCheck } from "../../src/finance/BillCheck.ts"
import { Exports } from "../../src/finance/Exports.ts"
import { Statements } from "../../src/finance/Statements.ts"
import type { SpendingApiKey } from "../../src/identity/ApiKey.ts"
import { ChannelTest } from "../../src/gateway/ChannelTest.ts"
import { ApiKeys } from "../../src/identity/ApiKeys.ts"
import { ApiKeyNotFound } from "../../src/identity/IdentityError.ts"
import { KeyList } from "../../src/identity/KeyList.ts"
import type { KeyChange } from "../../src/identity/NewApiKey.ts"
import { UserAdmin } from "../../src/identity/UserAdmin.ts"
import { type NewUser, type User, Users } from "../../src/identity/Users.ts"
import { Checkout } from "../../src/orders/Checkout.ts"
import { Orders } from "../../src/orders/Orders.ts"
import { ConfirmationPending, ConfirmationRefused } from "../../src/platform/SecondPerson.ts"
import { SecretBox } from "../../src/platform/SecretBox.ts"
import { MigrationError } from "../../src/postgres/Migrations.ts"

const ada: User = {
  id: UserId.make(7n),
  email: "ada@example.com",
  role: "user",
  createdAt: DateTime.toDateUtc(DateTime.makeUnsafe(0)),
  disabledAt: null
}

const laptop: SpendingApiKey = {
  id: ApiKeyId.make(12n),
  name: "laptop",
  hint: "sk-…cret",
  createdAt: ada.createdAt,
  expiresAt: null,
  revokedAt: null,
  lastUsedAt: null,
  pausedAt: null,
  spendLimitMicros: 5_000_000n,
  spendLimitPeriod: "day",
  allowedModels: null,
  spentMicros: 7_250_000n,
  spentOfLimitMicros: 1_000_000n
}

/** What reached the services. */
class Seen {
  readonly users: Array<NewUser> = []
  readonly posts: Array<Adjustment> = []
  /** Who made changes. */
  readonly actors: Array<string | undefined> = []
  readonly revoked: Array<bigint> = []
  readonly changes: Array<KeyChange> = []
  readonly demoPorts: Array<number> = []
}

const grace: User = { ...ada, id: UserId.make(8n), email: "grace@example.com", role: "root" }

const adjust = (seen: Seen): Adjustments["Service"]["adjust"] => (actor, entry) =>
  Effect.suspend((): ReturnType<Adjustments["Service"]["adjust"]> => {
    seen.posts.push(entry)
    seen.actors.push(actor.name)
    if (entry.amountMicros > 1_000_000_000n) {
      return Effect.fail(
        actor.userId === null
          ? new ConfirmationRefused({ reason: "nobody" })
          : new ConfirmationPending({ id: 3n, expiresAt: DateTime.toDateUtc(DateTime.makeUnsafe(0)) })
      )
    }
    if (entry.note === "away") return Effect.fail(new AccountUnavailable({ reason: "no answer" }))
    return entry.amountMicros < -5_000_000n
      ? Effect.fail(new DebitRefused({ neededMicros: -entry.amountMicros, availableMicros: 5_000_000n }))
      : Effect.succeed({ usdMicros: 5_000_000n + entry.amountMicros, owedMicros: 0n, repeated: false })
  })

/** A client whose every statement is a defect. */
const NoDatabase = Layer.effect(
  SqlClient.SqlClient,
  SqlClient.make({
    acquirer: Effect.die(new Error("there is no database here")),
    compiler: PgClient.makeCompiler(),
    spanAttributes: [],
    driver: "none"
  })
).pipe(Layer.provide(Reactivity.layer))

const servicesOf = (seen: Seen) =>
  Layer.mergeAll(
    Layer.mock(Users, {
      list: Effect.succeed([ada]),
      findByEmail: (email) => Effect.succeed(Option.fromUndefinedOr([ada, grace].find((user) => user.email === email))),
      findById: (id) => Effect.succeed(id === ada.id ? Option.some(ada) : Option.none())
    }),
    Layer.mock(UserAdmin, {
      create: (actor, user) =>
        Effect.sync(() => {
          seen.users.push(user)
          seen.actors.push(actor.name)
          return { ...ada, email: user.email, role: user.role }
        })
    }),
    Layer.mock(ApiKeys, {
      create: (_key, origin) =>
        Effect.sync(() => {
          seen.actors.push(origin !== undefined && "administrator" in origin ? origin.administrator.name : undefined)
          return { id: ApiKeyId.make(12n), key: Redacted.make("sk-secret"), hint: "sk-…cret" }
        }),
      change: (id, change, by) =>
        id === 12n
          ? Effect.sync(() => {
            seen.changes.push(change)
            seen.actors.push("administrator" in by ? by.administrator.name : undefined)
            return { ...laptop, ...change, pausedAt: change.paused === true ? ada.createdAt : null }
          })
          : Effect.fail(new ApiKeyNotFound({ keyId: id })),
      revoke: (id, actor) =>
        id === 12n
          ? Effect.sync(() => {
            seen.revoked.push(id)
            seen.actors.push(actor?.name)
          })
          : Effect.fail(new ApiKeyNotFound({ keyId: id })),
      cached: () => undefined,
      forget: () => undefined
    }),
    Layer.mock(KeyList, {
      live: () => Effect.succeed([laptop]),
      page: () => Effect.succeed([laptop, { ...laptop, name: "old", revokedAt: ada.createdAt }])
    }),
    Layer.mock(Adjustments, { adjust: adjust(seen) }),
    Layer.mock(Orders, {}),
    Layer.mock(Checkout, {}),
    Layer.mock(Reconciliation, {}),
    Layer.mock(Statements, {}),
    Layer.mock(BillCheck, {}),
    Layer.mock(Exports, {}),
    Layer.mock(SecretBox, { source: "nowhere", keyIds: Effect.succeed([]), renew: Effect.succeed(false) }),
    NoDatabase
  )

/** Tested by themselves. */
const channels = Layer.mergeAll(Layer.mock(ChannelAdmin, {}), Layer.mock(ChannelTest, {}))

const mustNotStart = Effect.die(new Error("must not be started"))

/** Runs a command line; `services` may be told not to start. */
const run = (args: ReadonlyArray<string>, options: { readonly stdin?: string; readonly bare?: boolean } = {}) =>
  Effect.gen(function*() {
    const seen = new Seen()
    const cli = makeCli({
      channels,
      services: options.bare ? Layer.unwrap(Effect.as(mustNotStart, servicesOf(seen))) : servicesOf(seen),
      serve: mustNotStart,
      migrate: Effect.fail(new MigrationError({ message: "Migration 0002_more failed" })),
      demo: Effect.map(DemoOptions, ({ port }) => void seen.demoPorts.push(port))
    })
    const exit = yield* Effect.exit(runCli(cli, { version: "1.2.3", args })).pipe(
      Effect.provide(Stdio.layerTest({ stdin: Stream.make(new TextEncoder().encode(options.stdin ?? "")) }))
    )
    const failure = Exit.isSuccess(exit) ? undefined : yield* Effect.flip(exit)
    const lines = (values: ReadonlyArray<unknown>) => values.map(String).join("\n")
    const out = lines(yield* TestConsole.logLines)
    const err = lines(yield* TestConsole.errorLines)
    return { code: failure?.exitCode ?? 0, out, err, seen }
  }).pipe(Effect.provide(Layer.merge(Layer.fresh(TestConsole.layer), NodeServices.layer)))

describe("Cli: results", () => {
  it.effect("prints a new key alone, or as JSON wherever --json stands", () =>
    Effect.gen(function*() {
      const plain = yield* run(["key", "create", "--user", "ada@example.com"])
      assert.deepStrictEqual([plain.code, plain.out, plain.err], [0, "sk-secret", ""])
      for (
        const args of [["--json", "key", "create", "--user", "7"], ["key", "create", "--user", "7", "--json"]]
      ) {
        const { code, err, out } = yield* run(args)
        assert.deepStrictEqual([code, err], [0, ""])
        assert.deepInclude(JSON.parse(out), { id: "12", key: "sk-secret", user_id: "7" })
      }
    }))

  it.effect("lists users", () =>
    Effect.gen(function*() {
      const { out } = yield* run(["user", "list", "--json"])
      assert.deepStrictEqual(JSON.parse(out), [
        { id: "7", email: "ada@example.com", role: "user", created_at: "1970-01-01T00:00:00.000Z", disabled_at: null }
      ])
    }))

  it.effect("takes a password from standard input, and its last line end off", () =>
    Effect.gen(function*() {
      const args = ["user", "create", "--email", "Root@Example.com", "--role", "root", "--password-stdin"]
      const { code, err, out, seen } = yield* run(args, { stdin: "correct horse \r\n" })
      assert.strictEqual(code, 0)
      assert.strictEqual(seen.users[0]?.email, "root@example.com")
      assert.strictEqual(seen.users[0]?.role, "root")
      assert.strictEqual(Redacted.value(seen.users[0]?.password ?? Redacted.make("")), "correct horse ")
      assert.notInclude(out + err, "horse")
    }))

  it.effect("reads no password that was not announced", () =>
    Effect.gen(function*() {
      const { seen } = yield* run(["user", "create", "--email", "a@b.c"], { stdin: "secret\n" })
      assert.deepStrictEqual(seen.users, [{ email: "a@b.c", role: "user" }])
      assert.deepStrictEqual(seen.actors, ["cli"])
    }))

  it.effect("posts an adjustment, a negative one too", () =>
    Effect.gen(function*() {
      const args = ["balance", "adjust", "--user", "7", "--usd", "-1.25", "--note", " why ", "--json"]
      const { out, seen } = yield* run(args)
      assert.deepInclude(seen.posts[0], { userId: ada.id, amountMicros: -1_250_000n, note: "why" })
      assert.deepStrictEqual(seen.actors, ["cli"])
      assert.deepStrictEqual(JSON.parse(out), {
        user_id: "7",
        amount_micros: "-1250000",
        usd_micros: "3750000",
        owed_micros: "0"
      })
    }))

  it.effect("asks for what is above the limit of one person, in the name that is given, and does not do it", () =>
    Effect.gen(function*() {
      const args = ["balance", "adjust", "--user", "7", "--usd", "1001", "--note", "why", "--as", "grace@example.com"]
      const { code, out, seen } = yield* run([...args, "--json"])
      assert.deepStrictEqual([code, seen.actors], [0, ["cli"]])
      assert.deepStrictEqual(JSON.parse(out), {
        confirmation: { id: "3", state: "pending", expires_at: "1970-01-01T00:00:00.000Z" }
      })
      assert.match((yield* run(args)).out, /^nothing has been done yet: .*\/admin\/confirmations\/3/)
    }))

  it.effect("lists the keys of a user with what they have spent", () =>
    Effect.gen(function*() {
      const { out } = yield* run(["key", "list", "--user", "ada@example.com"])
      assert.match(out, /^ID +NAME +KEY +STATE +SPENT +OF LIMIT +LIMIT +LAST USED\n12 +laptop/)
      assert.match(out, /active +\$7\.25 +\$1\.00 +\$5\.00 daily +never$/)
      const all = yield* run(["key", "list", "--user", "7", "--all", "--json"])
      assert.containSubset(JSON.parse(all.out), [
        { id: "12", spend_limit_micros: "5000000", spend_limit_period: "day", spent_micros: "7250000" },
        { name: "old", revoked_at: "1970-01-01T00:00:00.000Z", spent_of_limit_micros: "1000000" }
      ])
    }))

  it.effect("changes of a key what is given, and takes a limit off", () =>
    Effect.gen(function*() {
      const args = ["--limit-usd", "$20", "--reset", "monthly", "--models", "a, b", "--expires", "2030-01-31"]
      const { code, out, seen } = yield* run(["key", "update", "12", "--name", "desk", "--pause", ...args])
      assert.deepStrictEqual([code, seen.actors], [0, ["cli"]])
      assert.deepStrictEqual(seen.changes, [{
        spendLimitMicros: 20_000_000n,
        spendLimitPeriod: "month",
        expiresAt: DateTime.toDateUtc(DateTime.makeUnsafe("2030-01-31T23:59:59Z")),
        allowedModels: ["a", "b"],
        name: "desk",
        paused: true
      }])
      assert.strictEqual(out, "key 12 is paused, limit $20.00 monthly")
      const off = yield* run(["key", "update", "12", "--limit-usd", "none", "--models", "none", "--resume", "--json"])
      assert.deepStrictEqual(off.seen.changes, [{ spendLimitMicros: null, allowedModels: null, paused: false }])
      assert.deepInclude(JSON.parse(off.out), { id: "12", spend_limit_micros: null, paused_at: null })
    }))

  it.effect("revokes a key, and hands the port to the demo", () =>
    Effect.gen(function*() {
      const { seen } = yield* run(["key", "revoke", "12"])
      assert.deepStrictEqual([seen.revoked, seen.actors], [[12n], ["cli"]])
      assert.deepStrictEqual((yield* run(["demo", "--port", "9000"])).seen.demoPorts, [9000])
    }))
})

describe("Cli: failures", () => {
  const failures: ReadonlyArray<readonly [args: ReadonlyArray<string>, says: RegExp]> = [
    [
      ["key", "create", "--user", "bob@example.com"],
      /^realms: there is no user "bob@example\.com"; `realms user list`/
    ],
    [["key", "create", "--user", "8", "--json"], /^realms: there is no user "8"/],
    [["key", "revoke", "13"], /^realms: there is no key 13/],
    [["key", "update", "13", "--pause"], /^realms: there is no key 13/],
    [["key", "update", "12", "--pause", "--resume"], /not both/],
    [["key", "update", "12"], /say what to change/],
    [["balance", "adjust", "--user", "7", "--usd", "-6", "--note", "x"], /cannot take \$6\.00: the balance is \$5\.00/],
    [["balance", "adjust", "--user", "7", "--usd", "1", "--note", "away"], /balance show` before trying again/],
    [
      ["balance", "adjust", "--user", "7", "--usd", "1001", "--note", "x"],
      /above finance\.confirm_above_usd.*--as EMAIL/
    ],
    [
      ["balance", "adjust", "--user", "7", "--usd", "1", "--note", "x", "--as", "ada@example.com"],
      /ada@example\.com may not ask for this: the role is user/
    ],
    [["balance", "adjust", "--user", "7", "--usd", "1", "--note", "x", "--as", "eve@example.com"], /there is no user/],
    [["user", "create", "--email", "a@b.c", "--password-stdin"], /no password on standard input/],
    [["migrate"], /^realms: Migration 0002_more failed$/],
    [["serve"], /^realms: must not be started$/]
  ]
  for (const [args, says] of failures) {
    it.effect(`realms ${args.join(" ")}: one line on standard error, exit code 1`, () =>
      Effect.gen(function*() {
        const { code, err, out } = yield* run(args)
        assert.match(err, says)
        assert.deepStrictEqual([code, out, err.split("\n").length], [1, "", 1])
      }))
  }

  it.effect("bounds a password, and takes one line only", () =>
    Effect.gen(function*() {
      const args = ["user", "create", "--email", "a@b.c", "--password-stdin"]
      for (const stdin of ["x".repeat(2_000), "one\ntwo\n"]) {
        const { code, seen } = yield* run(args, { stdin })
        assert.deepStrictEqual([code, seen.users], [1, []])
      }
    }))
})

describe("Cli: usage", () => {
  const wrong: ReadonlyArray<readonly [args: ReadonlyArray<string>, says: RegExp]> = [
    [["user", "create"], /--email.*See `realms user create --help`/],
    [["user", "create", "--email", "nobody"], /an e-mail address/],
    [["user", "create", "--email", "a@b.c", "--role", "king"], /role/],
    [["balance", "adjust", "--user", "7", "--usd", "five", "--note", "x"], /an amount in USD/],
    [["balance", "adjust", "--user", "7", "--usd", "0", "--note", "x"], /an amount in USD/],
    [["balance", "adjust", "--user", "7", "--usd", "5"], /--note/],
    [["balance", "adjust", "--user", "7", "--usd", "5", "--note", " "], /a note that says why/],
    [["key", "revoke", "sk-abc"], /the id of a key/],
    [["key", "update", "12", "--limit-usd", "-1"], /an amount in USD from 0 up/],
    [["key", "update", "12", "--reset", "yearly"], /daily/],
    [["key", "update", "12", "--expires", "soon"], /a day such as/],
    [["key", "revoke"], /id/],
    [["demo", "--port", "70000"], /a port from 0 to 65535/],
    [["frobnicate"], /frobnicate/],
    [["user", "list", "--frobnicate"], /--frobnicate/]
  ]
  for (const [args, says] of wrong) {
    it.effect(`realms ${args.join(" ")}: exit code 2, nothing started`, () =>
      Effect.gen(function*() {
        const { code, err, out, seen } = yield* run(args, { bare: true })
        assert.match(err, says)
        assert.deepStrictEqual([code, out, err.split("\n").length], [2, "", 1])
        assert.deepStrictEqual(seen, new Seen())
      }))
  }

  it.effect("shows help that was asked for on standard output, and starts nothing", () =>
    Effect.gen(function*() {
      for (const args of [["--help"], ["user", "create", "--help"]]) {
        const { code, err, out } = yield* run(args, { bare: true })
        assert.deepStrictEqual([code, err], [0, ""])
        assert.match(out, /realms/)
      }
      const { out } = yield* run(["--version"], { bare: true })
      assert.match(out, /1\.2\.3/)
    }))

  it.effect("shows help on standard error when a command is missing", () =>
    Effect.gen(function*() {
      const { code, err, out } = yield* run(["user"], { bare: true })
      assert.deepStrictEqual([code, out], [2, ""])
      assert.match(err, /create/)
    }))

  it.effect("checks the configuration without a database", () =>
    Effect.gen(function*() {
      const { code, out } = yield* run(["config", "check", "--json"], { bare: true })
      assert.strictEqual(code, 0)
      assert.deepInclude(JSON.parse(out), { valid: true })
    }))
})
