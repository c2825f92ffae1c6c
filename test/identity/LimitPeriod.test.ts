import { assert, describe, it } from "@effect/vitest"
import { type LimitPeriod, periodEnd } from "../../src/domain/LimitPeriod.ts"

describe("the periods of a key's limit", () => {
  const table: ReadonlyArray<readonly [period: LimitPeriod, at: string, end: string | null]> = [
    ["day", "2026-11-29T00:00:00.000Z", "2026-11-30T00:00:00.000Z"],
    ["day", "2026-12-31T23:59:59.999Z", "2027-01-01T00:00:00.000Z"],
    // A Sunday, a Monday, and a week over the end of a year.
    ["week", "2026-11-29T23:59:59.999Z", "2026-11-30T00:00:00.000Z"],
    ["week", "2026-11-30T00:00:00.000Z", "2026-12-07T00:00:00.000Z"],
    ["week", "2026-12-31T12:00:00.000Z", "2027-01-04T00:00:00.000Z"],
    ["month", "2028-02-29T12:00:00.000Z", "2028-03-01T00:00:00.000Z"],
    ["month", "2026-12-01T00:00:00.000Z", "2027-01-01T00:00:00.000Z"],
    ["month", "2026-01-31T23:00:00.000Z", "2026-02-01T00:00:00.000Z"],
    ["total", "2026-11-29T12:00:00.000Z", null]
  ]
  for (const [period, at, end] of table) {
    it(`a ${period} at ${at} ends at ${end ?? "no time"}`, () => {
      assert.strictEqual(periodEnd(period, Date.parse(at))?.toISOString() ?? null, end)
    })
  }
})
