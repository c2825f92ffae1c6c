/**
 * The command line run in this process over services in memory: what goes to standard output, what to standard error, and
 * the exit code. Parts that a command must not start fail the test when they are.
 */
import { assert, describe, it } from "@effect/vitest"
import { DateTime, Effect, Redacted } from "effect"
import { ada, run, Seen } from "../support/CliWorld.ts"

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

  it.effect("lists models, plans and orders", () =>
    Effect.gen(function*() {
      const models = yield* run(["model", "list"])
      assert.strictEqual(
        models.out,
        "MODEL        INPUT/1M  CACHED/1M  OUTPUT/1M  SERVED BY\n" +
          "gpt-4o-mini  $0.15     $0.075     $0.60      openai\n1 model"
      )
      const fields = { id: "gpt-4o-mini", input_micros_per_1m: "150000", channels: ["openai"], disabled_at: null }
      assert.deepInclude(JSON.parse((yield* run(["model", "list", "--json"])).out)[0], fields)
      assert.match((yield* run(["plan", "list"])).out, /^there are no plans yet/)
      const orders = yield* run(["order", "list", "--user", "ada@example.com"])
      assert.match(orders.out, /\n9 +\$1,400\.00 +¥10,000\.00 +pending +ada@example\.com +1970-01-01 00:00$/)
      assert.strictEqual((yield* run(["order", "list", "--state", "paid"])).out, "there are no such orders")
      assert.strictEqual((yield* run(["order", "list", "--limit", "0"])).code, 2)
    }))

  it.effect("redeems a code from standard input, and says nothing of it", () =>
    Effect.gen(function*() {
      const given = yield* run(["redeem", "--user", "7"], { stdin: "GIFT-1\n" })
      assert.strictEqual(given.out, "ada@example.com was given $5.00")
      const refused = yield* run(["redeem", "--user", "7"], { stdin: "GIFT-2\n" })
      assert.deepStrictEqual([refused.code, refused.err], [1, "realms: there is no such code"])
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
      assert.match(out, /^ID +NAME +KEY +STATE +SPENT +OF LIMIT +LIMITS +LAST USED\n12 +laptop/)
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
