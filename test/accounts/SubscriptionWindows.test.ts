import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import {
  add,
  fromBuckets,
  rolled,
  room,
  roomAt,
  type WindowLimits,
  type Windows
} from "../../src/accounts/SubscriptionWindows.ts"

const MINUTE = 60_000
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR
/** On a whole hour, so that the tables read in round times. */
const T0 = 500_000 * HOUR

const empty = fromBuckets({ minutes: [], hours: [] }, T0)
const noLimits: WindowLimits = [0n, 0n, 0n, 0n]

/** What each window counts at a time after one spend of 100 at T0 + `spentAt`. */
const usedAfter = (spentAt: number, at: number): WindowLimits => rolled(add(empty, T0 + spentAt, 100n), T0 + at).used

describe("a spend counts until its whole bucket has left the window", () => {
  const all: WindowLimits = [100n, 100n, 100n, 100n]
  const cases: ReadonlyArray<readonly [what: string, spentAt: number, at: number, used: WindowLimits]> = [
    ["at once", 0, 0, all],
    ["until 5 h after its minute began", 0, 5 * HOUR, all],
    ["to the end of that minute", 0, 5 * HOUR + MINUTE - 1, all],
    ["and then no more in 5 h", 0, 5 * HOUR + MINUTE, [0n, 100n, 100n, 100n]],
    ["the end of a minute counts like its beginning", MINUTE - 1, 5 * HOUR + MINUTE, [0n, 100n, 100n, 100n]],
    ["the last of the day", 0, DAY + MINUTE - 1, [0n, 100n, 100n, 100n]],
    ["a day", 0, DAY + MINUTE, [0n, 0n, 100n, 100n]],
    ["the last of the week", 0, 7 * DAY + HOUR - MINUTE, [0n, 0n, 100n, 100n]],
    ["a week, by the hour", 0, 7 * DAY + HOUR, [0n, 0n, 0n, 100n]],
    ["the end of an hour counts like its beginning", HOUR - 1, 7 * DAY + HOUR, [0n, 0n, 0n, 100n]],
    ["the last of 30 days", 0, 30 * DAY + HOUR - MINUTE, [0n, 0n, 0n, 100n]],
    ["30 days", 0, 30 * DAY + HOUR, noLimits]
  ]
  for (const [what, spentAt, at, used] of cases) {
    it(what, () => assert.deepStrictEqual(usedAfter(spentAt, at), used))
  }

  it("what is returned leaves the bucket of its reserve", () => {
    const held = add(add(empty, T0, 100n), T0 + 2 * HOUR, 50n)
    assert.deepStrictEqual(add(held, T0, -40n).used, [110n, 110n, 110n, 110n])
    assert.deepStrictEqual(rolled(add(held, T0, -40n), T0 + 6 * HOUR).used, [50n, 110n, 110n, 110n])
  })

  it("a change of nothing changes nothing", () => assert.strictEqual(add(empty, T0 + DAY, 0n), empty))
})

describe("room", () => {
  const spent = add(empty, T0, 100n)
  const cases: ReadonlyArray<
    readonly [what: string, windows: Windows, limits: WindowLimits, left: bigint | undefined]
  > = [
    ["no limit", spent, noLimits, undefined],
    ["one limit", spent, [150n, 0n, 0n, 0n], 50n],
    ["the tightest of four", spent, [150n, 140n, 130n, 120n], 20n],
    ["full", spent, [100n, 0n, 0n, 500n], 0n],
    ["over-full is not negative", spent, [0n, 30n, 0n, 0n], 0n],
    ["a later hour leaves the 5 h window only", rolled(spent, T0 + 6 * HOUR), [100n, 150n, 0n, 0n], 50n]
  ]
  for (const [what, windows, limits, left] of cases) {
    it(what, () => assert.strictEqual(room(windows, limits), left))
  }
})

describe("roomAt", () => {
  const spent = add(add(empty, T0, 60n), T0 + HOUR, 40n)
  const now = T0 + HOUR
  const cases: ReadonlyArray<readonly [what: string, limits: WindowLimits, micros: bigint, at: number | undefined]> = [
    ["no limit: now", noLimits, 1_000n, now],
    ["room already: now", [110n, 0n, 0n, 0n], 10n, now],
    ["when the first spend leaves", [100n, 0n, 0n, 0n], 60n, T0 + 5 * HOUR + MINUTE],
    ["when both have left", [100n, 0n, 0n, 0n], 61n, T0 + HOUR + 5 * HOUR + MINUTE],
    ["the slowest window decides", [100n, 100n, 100n, 0n], 60n, T0 + 7 * DAY + HOUR],
    ["never, when it is above a limit", [100n, 0n, 0n, 0n], 101n, undefined]
  ]
  for (const [what, limits, micros, at] of cases) {
    it(what, () => assert.strictEqual(roomAt(spent, limits, micros, now), at))
  }
})

const Minutes = Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 40 * 24 * 60 }))
const Spend = Schema.Struct({
  afterMinutes: Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 3 * 24 * 60 })),
  micros: Schema.BigInt.check(Schema.isBetweenBigInt({ minimum: 0n, maximum: 1_000n }))
})
const Spends = Schema.Array(Spend).check(Schema.isMaxLength(25))
const LimitMicros = Schema.BigInt.check(Schema.isBetweenBigInt({ minimum: 0n, maximum: 5_000n }))
const Limits = Schema.Tuple([LimitMicros, LimitMicros, LimitMicros, LimitMicros])

const shapes = [[5 * HOUR, MINUTE], [DAY, MINUTE], [7 * DAY, HOUR], [30 * DAY, HOUR]] as const

interface Spent {
  readonly atMs: number
  readonly micros: bigint
}

const timeline = (spends: ReadonlyArray<typeof Spend.Type>): ReadonlyArray<Spent> => {
  let atMs = T0
  return spends.map(({ afterMinutes, micros }) => ({ atMs: atMs += afterMinutes * MINUTE, micros }))
}

/** The rule itself: a spend counts while its bucket, to its end, is not older than the window. */
const naive = (spent: ReadonlyArray<Spent>, nowMs: number): ReadonlyArray<bigint> =>
  shapes.map(([lengthMs, bucketMs]) =>
    spent.reduce(
      (total, { atMs, micros }) =>
        Math.floor(atMs / bucketMs) * bucketMs + bucketMs > nowMs - lengthMs ? total + micros : total,
      0n
    )
  )

const apply = (spent: ReadonlyArray<Spent>): Windows =>
  spent.reduce((windows, { atMs, micros }) => add(rolled(windows, atMs), atMs, micros), empty)

describe("windows, against the rule applied to every spend", () => {
  it.prop(
    "the sums are those of the rule, at any later time",
    { spends: Spends, later: Minutes },
    ({ later, spends }) => {
      const spent = timeline(spends)
      const nowMs = (spent.at(-1)?.atMs ?? T0) + later * MINUTE
      assert.deepStrictEqual([...rolled(apply(spent), nowMs).used], naive(spent, nowMs))
      return true
    }
  )

  it.prop("what is stored in buckets and read again is the same", { spends: Spends, later: Minutes }, (values) => {
    const spent = timeline(values.spends)
    const nowMs = (spent.at(-1)?.atMs ?? T0) + values.later * MINUTE
    const windows = apply(spent)
    assert.deepStrictEqual(fromBuckets(windows, nowMs).used, rolled(windows, nowMs).used)
    return true
  })

  it.prop("a window is never less than what was really spent in it", { spends: Spends, later: Minutes }, (values) => {
    const spent = timeline(values.spends)
    const nowMs = (spent.at(-1)?.atMs ?? T0) + values.later * MINUTE
    const used = rolled(apply(spent), nowMs).used
    return shapes.every(([lengthMs], index) =>
      (used[index] ?? -1n) >=
        spent.reduce((total, { atMs, micros }) => atMs > nowMs - lengthMs ? total + micros : total, 0n)
    )
  })

  it.prop("there is room when roomAt says so, and none a minute before", {
    spends: Spends,
    limits: Limits,
    micros: LimitMicros
  }, ({ limits, micros, spends }) => {
    const spent = timeline(spends)
    const nowMs = spent.at(-1)?.atMs ?? T0
    const windows = apply(spent)
    const fits = (atMs: number) => {
      const left = room(rolled(windows, atMs), limits)
      return left === undefined || left >= micros
    }
    const at = roomAt(windows, limits, micros, nowMs)
    if (at === undefined) return limits.some((limit) => limit > 0n && micros > limit)
    // At one time the room may be 0 because a window is over-full; asking for nothing needs no room.
    return micros === 0n || (fits(at) && (at === nowMs || !fits(at - MINUTE)))
  })
})
