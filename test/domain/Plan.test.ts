/** What was sold by a release is read for good: orders and batches of codes keep it as JSON. */
import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import { keptTerms, planTerms, SoldPlan } from "../../src/domain/Plan.ts"

/** As 0.2.0 wrote it. */
const sold = {
  plan_id: "1",
  code: "basic",
  name: "Basic",
  price_fen: "1200",
  duration_days: 30,
  limit_5h_micros: "6000000",
  limit_1d_micros: "0",
  limit_7d_micros: "20000000",
  limit_30d_micros: "0",
  multiplier_micros: "1000000",
  group_code: null,
  requests_per_minute: 60,
  tokens_per_minute: 0,
  concurrent_calls: 2
}

describe("a plan that was sold", () => {
  it("by 0.2.0 is read, with what terms of later releases mean where they are left out", () => {
    const read = Schema.decodeUnknownSync(SoldPlan)(sold)
    assert.deepInclude(read, { code: "basic", priceFen: 1_200n, limit5hMicros: 6_000_000n, requestsPerMinute: 60 })
    assert.deepStrictEqual(planTerms.wrong(read), [])
  })

  it("is kept by its subscription term by term", () => {
    const kept = planTerms.names.filter((name) => !["name", "priceFen", "durationDays"].includes(name))
    assert.deepStrictEqual<ReadonlyArray<string>>(keptTerms.names, kept)
  })
})
