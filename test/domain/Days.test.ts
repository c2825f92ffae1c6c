import { assert, describe, it } from "@effect/vitest"
import { DateTime } from "effect"
import { endOfDay, startOfDay } from "../../src/domain/Days.ts"

const table: ReadonlyArray<readonly [day: string, zone: string, end: string | undefined]> = [
  ["2030-01-31", "UTC", "2030-01-31T23:59:59.000Z"],
  ["2030-01-31", "Asia/Shanghai", "2030-01-31T15:59:59.000Z"],
  ["2030-01-31", "America/Los_Angeles", "2030-02-01T07:59:59.000Z"],
  // The clocks change during the day itself.
  ["2026-03-08", "America/New_York", "2026-03-09T03:59:59.000Z"],
  ["2026-11-01", "America/New_York", "2026-11-02T04:59:59.000Z"],
  ["2028-02-29", "UTC", "2028-02-29T23:59:59.000Z"],
  ["2027-02-29", "UTC", undefined],
  ["2030-02-31", "UTC", undefined],
  ["2030-13-01", "UTC", undefined],
  ["2030-1-1", "UTC", undefined],
  ["2030-01-31T00:00", "UTC", undefined],
  ["tomorrow", "UTC", undefined],
  ["+275760-09-13", "UTC", undefined]
]

describe("the day on which a key expires", () => {
  for (const [day, zone, end] of table) {
    it(`${day} in ${zone} ends at ${end ?? "no time"}`, () =>
      assert.strictEqual(endOfDay(day, zone)?.toISOString(), end))
  }
})

const starts: ReadonlyArray<readonly [day: string, zone: string, start: string | undefined]> = [
  ["2030-01-31", "UTC", "2030-01-31T00:00:00.000Z"],
  ["2030-01-31", "Asia/Shanghai", "2030-01-30T16:00:00.000Z"],
  // There is no midnight on this day.
  ["2026-03-29", "Asia/Beirut", "2026-03-28T22:00:00.000Z"],
  ["2030-02-31", "UTC", undefined],
  ["0000-01-01", "UTC", undefined],
  ["", "UTC", undefined]
]

describe("the first day of a period", () => {
  for (const [day, zone, start] of starts) {
    it(`${day} in ${zone} begins at ${start ?? "no time"}`, () => {
      const found = startOfDay(day, zone)
      assert.strictEqual(found === undefined ? undefined : DateTime.formatIso(found), start)
    })
  }
})
