/**
 * A model's forms say the same: what is written as a row, as JSON, in a file or in a form is read back as it was.
 */
import { assert, describe, it } from "@effect/vitest"
import { Result, Schema } from "effect"
import { type PlanTerms, planTerms } from "../../src/domain/Plan.ts"
import { Json, Row } from "../../src/domain/Row.ts"

const plan: PlanTerms = {
  name: "Basic",
  priceFen: 1_290n,
  durationDays: 30,
  limit5hMicros: 6_000_000n,
  limit1dMicros: 0n,
  limit7dMicros: 20_000_000n,
  limit30dMicros: 80_123_456n,
  multiplierMicros: 500_000n,
  groupCode: "vip",
  requestsPerMinute: 60,
  tokensPerMinute: 0,
  concurrentCalls: 0
}

const columns = {
  name: "Basic",
  price_fen: 1_290n,
  duration_days: 30,
  limit_5h_micros: 6_000_000n,
  limit_1d_micros: 0n,
  limit_7d_micros: 20_000_000n,
  limit_30d_micros: 80_123_456n,
  multiplier_micros: 500_000n,
  group_code: "vip",
  requests_per_minute: 60,
  tokens_per_minute: 0,
  concurrent_calls: 0
}

const texts = {
  name: "Basic",
  price: "12.90",
  duration_days: "30",
  limit_5h: "6.00",
  limit_1d: "0.00",
  limit_7d: "20.00",
  limit_30d: "80.123456",
  multiplier: "0.5",
  group: "vip",
  requests_per_minute: "60",
  tokens_per_minute: "0",
  concurrent_calls: "0"
}

const read = (typed: Readonly<Record<string, string>>) =>
  Result.flatMap(planTerms.readForm(new URLSearchParams(typed)), (terms) => {
    const wrong = planTerms.wrong(terms)
    return wrong.length > 0 ? Result.fail(wrong) : Result.succeed(terms)
  })

describe("a model", () => {
  it("is written to columns, and read from them", () => {
    assert.deepStrictEqual(planTerms.toRow(plan), columns)
    assert.deepStrictEqual(Schema.decodeUnknownSync(Row(planTerms.row))({ ...columns, other: 1 }), plan)
  })

  it("is JSON without a loss of digits", () => {
    const schema = Json(planTerms.json)
    const json = Schema.encodeSync(schema)(plan)
    assert.deepStrictEqual(JSON.parse(JSON.stringify(json)), {
      ...columns,
      price_fen: "1290",
      limit_5h_micros: "6000000",
      limit_1d_micros: "0",
      limit_7d_micros: "20000000",
      limit_30d_micros: "80123456",
      multiplier_micros: "500000"
    })
    assert.deepStrictEqual(Schema.decodeUnknownSync(schema)(json), plan)
    const older = Object.fromEntries(Object.entries(json).filter(([key]) => key !== "tokens_per_minute"))
    assert.deepStrictEqual(Schema.decodeUnknownSync(schema)(older), plan)
  })

  it("has the keys of the file, with the units of people", () => {
    assert.deepStrictEqual(Object.values(planTerms.keys), [
      "name",
      "price_cny",
      "duration_days",
      "limit_5h_usd",
      "limit_1d_usd",
      "limit_7d_usd",
      "limit_30d_usd",
      "multiplier",
      "group",
      "requests_per_minute",
      "tokens_per_minute",
      "concurrent_calls"
    ])
  })

  it("is what people write, and read back", () => {
    assert.deepStrictEqual(Object.fromEntries(planTerms.toForm(plan)), texts)
    assert.deepStrictEqual(read(texts), Result.succeed(plan))
    assert.deepStrictEqual(read({ ...texts, name: " Basic ", limit_1d: "" }), Result.succeed(plan))
    assert.deepStrictEqual(read({ ...texts, group: "" }), Result.succeed({ ...plan, groupCode: null }))
    const { limit_1d: _, ...unsent } = texts
    assert.deepStrictEqual(read(unsent), Result.succeed(plan))
  })

  it.each<[string, string, string]>([
    ["name", "name", " "],
    ["name", "name", "a".repeat(101)],
    ["name", "name", "a\u0000"],
    ["price", "priceFen", ""],
    ["price", "priceFen", "-1"],
    ["price", "priceFen", "1.234"],
    ["price", "priceFen", "1000000.01"],
    ["duration_days", "durationDays", "0"],
    ["duration_days", "durationDays", "1.5"],
    ["duration_days", "durationDays", "36501"],
    ["limit_30d", "limit30dMicros", "much"],
    ["limit_30d", "limit30dMicros", "1000000001"],
    ["multiplier", "multiplierMicros", ""],
    ["multiplier", "multiplierMicros", "1000.000001"],
    ["group", "groupCode", "VIP"]
  ])("says which field is wrong: %s", (input, name, typed) => {
    assert.deepStrictEqual<unknown>(read({ ...texts, [input]: typed }), Result.fail([name]))
  })

  it("finds fields that are out of bounds", () => {
    assert.deepStrictEqual(planTerms.wrong(plan), [])
    assert.deepStrictEqual(
      planTerms.wrong({ ...plan, name: "", durationDays: 1.5, limit5hMicros: -1n, multiplierMicros: 10n ** 9n + 1n }),
      ["name", "durationDays", "limit5hMicros", "multiplierMicros"]
    )
  })
})
