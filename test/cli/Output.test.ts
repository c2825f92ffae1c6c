/**
 * What commands print: JSON with ids and amounts as decimal strings, amounts and tables for people.
 */
import { assert, describe, it } from "@effect/vitest"
import { DateTime } from "effect"
import { describeReport, progressBar, reportFields } from "../../src/cli/AuditCommand.ts"
import { describeBalance } from "../../src/cli/BalanceCommand.ts"
import { explain, failed } from "../../src/cli/CliFailure.ts"
import { describeApplied } from "../../src/cli/MigrateCommand.ts"
import { counted, dollars, table, toJson, yuan } from "../../src/cli/Output.ts"
import { UserId } from "../../src/domain/Ids.ts"
import { DatabaseUnavailable } from "../../src/postgres/DatabaseUnavailable.ts"

describe("Output", () => {
  it("writes bigints as decimal strings at any depth, and dates in UTC", () => {
    const value = {
      id: 9_007_199_254_740_993n,
      list: [{ usd_micros: -1n }],
      at: DateTime.toDateUtc(DateTime.makeUnsafe(0)),
      note: '"n"\n',
      none: null
    }
    assert.strictEqual(
      toJson(value),
      `{"id":"9007199254740993","list":[{"usd_micros":"-1"}],"at":"1970-01-01T00:00:00.000Z","note":"\\"n\\"\\n","none":null}`
    )
  })

  it("writes amounts with their sign in front", () => {
    assert.deepStrictEqual([5_000_000n, -1_250_000n, 1n, 0n].map(dollars), ["$5.00", "-$1.25", "$0.000001", "$0.00"])
    assert.deepStrictEqual([1_234_567_890_123n, -1_000_000_000n].map(dollars), ["$1,234,567.890123", "-$1,000.00"])
    assert.deepStrictEqual([100n, 123_456_789n].map(yuan), ["¥1.00", "¥1,234,567.89"])
  })

  it("counts one thing in the singular", () => {
    assert.deepStrictEqual([0, 1, 2, 12_345n].map((count) => counted(count, "user")), [
      "0 users",
      "1 user",
      "2 users",
      "12,345 users"
    ])
  })

  it("aligns tables without spaces at line ends", () => {
    assert.strictEqual(table(["ID", "EMAIL"], [["1", "a@b.c"], ["100", "d@e.f"]]), "ID   EMAIL\n1    a@b.c\n100  d@e.f")
  })

  it("names what is held and owed only when something is", () => {
    assert.strictEqual(describeBalance({ usdMicros: 5_000_000n, owedMicros: 0n }), "$5.00")
    assert.strictEqual(
      describeBalance({ usdMicros: 0n, owedMicros: 2_000_000n, reservedMicros: 10_000n }),
      "$0.00, held by open calls: $0.01, owed: $2.00"
    )
  })

  it("says what was migrated", () => {
    assert.strictEqual(describeApplied(["0001_init", "0002_more"]), "applied 0001_init\napplied 0002_more")
    assert.match(describeApplied([]), /up to date/)
  })

  it("reports an audit to people and to machines", () => {
    const userId = UserId.make(7n)
    const none = { count: 0, newest: [] }
    const clean = {
      users: 2,
      usageEvents: 3,
      ledgerEntries: 4,
      problems: [],
      flagged: none,
      debts: none,
      aboveHolds: none
    }
    const problem = { invariant: "I2" as const, userId, message: "the balance is 1" }
    assert.strictEqual(describeReport(clean), "clean: 2 users, 3 calls, 4 ledger entries")
    assert.include(describeReport({ ...clean, problems: [problem] }), "\nI2: 1 problem\n  I2 user 7: the balance is 1")
    const many = Array.from({ length: 25 }, () => ({ ...problem, userId: null }))
    const lines = describeReport({ ...clean, problems: [...many, { ...problem, invariant: "I1" as const }] }).split(
      "\n"
    )
    assert.deepStrictEqual(lines.slice(0, 4), [
      "26 problems in 2 users, 3 calls, 4 ledger entries",
      "I1: 1 problem",
      "  I1 user 7: the balance is 1",
      "I2: 25 problems"
    ])
    assert.deepStrictEqual(lines.slice(-1), ["  and 5 more: `realms audit --json` lists them"])
    assert.strictEqual(
      toJson(reportFields({ ...clean, problems: [problem] })),
      `{"clean":false,"users":2,"usage_events":3,"ledger_entries":4,` +
        `"problems":[{"invariant":"I2","user_id":"7","message":"the balance is 1"}],` +
        `"flagged_usage":{"count":0,"newest":[]},"debts":{"count":0,"newest":[]},` +
        `"costs_above_holds":{"count":0,"newest":[]}}`
    )
    const flagged = { id: "c1", userId, flags: "input_clamped", excessTokens: 5n, costMicros: 30n }
    const above = { id: "c2", userId, reservedMicros: 10n, costMicros: 30n, chargedMicros: 20n }
    const listed = {
      ...clean,
      flagged: { count: 21, newest: [flagged] },
      debts: { count: 1, newest: [{ userId, owedMicros: 10n }] },
      aboveHolds: { count: 1, newest: [above] }
    }
    assert.deepStrictEqual(describeReport(listed).split("\n"), [
      "clean: 2 users, 3 calls, 4 ledger entries",
      "flagged usage: 21, the newest 1:",
      "  user 7: call c1 (input_clamped) cost $0.00003",
      "debts: 1",
      "  user 7: $0.00001",
      "costs above holds: 1",
      "  user 7: call c2 held $0.00001, cost $0.00003, charged $0.00002"
    ])
    assert.include(
      toJson(reportFields(listed)),
      `"costs_above_holds":{"count":1,"newest":[{"id":"c2","user_id":"7","reserved_micros":"10","cost_micros":"30",` +
        `"charged_micros":"20"}]}`
    )
  })

  it("draws a progress bar that keeps its width", () => {
    const bars = [0, 1, 5_000, 9_999, 10_000].map((done) => progressBar(done, 10_000))
    assert.deepStrictEqual(new Set(bars.map((bar) => bar.length)).size, 1)
    assert.match(bars[2] ?? "", /\[#{15}\.{15}\] {2}50%/)
    assert.match(bars[3] ?? "", / 99% /)
    assert.match(bars[4] ?? "", /\[#{30}\] 100%/)
    assert.match(progressBar(0, 0), /100%/)
  })

  it("explains failures and says what to do about the database", () => {
    assert.strictEqual(explain(failed("no such user")), "no such user")
    assert.match(
      explain(new DatabaseUnavailable({ reason: "connection refused." })),
      /\(connection refused\): is PostgreSQL/
    )
    assert.strictEqual(explain({ _tag: "Odd" }), "Odd")
  })
})
