import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import {
  remember,
  REMEMBERED_PER_USER_MAX,
  type SharedFailures,
  USERS_TO_COUNT,
  USERS_WINDOW_MS
} from "../../src/channels/SharedFailures.ts"
import { UserId } from "../../src/domain/Ids.ts"

type Step = readonly [atSeconds: number, user: bigint, counted: number]

const tables: ReadonlyArray<readonly [what: string, steps: ReadonlyArray<Step>]> = [
  ["one user's failures never count", Array.from({ length: 50 }, (_, index): Step => [index, 1n, 0])],
  ["two users' failures do not count", [[0, 1n, 0], [1, 2n, 0], [2, 1n, 0], [3, 2n, 0]]],
  ["all of the minute count with the third user", [[0, 1n, 0], [1, 1n, 0], [2, 2n, 0], [3, 3n, 4]]],
  ["each counts once", [[0, 1n, 0], [1, 2n, 0], [2, 3n, 3], [3, 1n, 1], [4, 4n, 1]]],
  ["the third user may come within the minute, not after it", [[0, 1n, 0], [1, 2n, 0], [60, 3n, 0], [60.5, 4n, 3]]],
  ["what is older than a minute does not count", [[0, 1n, 0], [50, 1n, 0], [51, 2n, 0], [61, 3n, 3]]],
  ["a minute without three users stops the counting", [[0, 1n, 0], [1, 2n, 0], [2, 3n, 3], [62, 3n, 0], [63, 2n, 0]]],
  ["a user who floods counts as often as a breaker needs", [
    ...Array.from({ length: 100 }, (_, index): Step => [index / 10, 1n, 0]),
    [10, 2n, 0],
    [11, 3n, REMEMBERED_PER_USER_MAX + 2]
  ]]
]

describe("failures of calls that succeeded nowhere", () => {
  for (const [what, steps] of tables) {
    it(what, () => {
      let failures: SharedFailures = []
      for (const [atSeconds, user, counted] of steps) {
        const after = remember(failures, UserId.make(user), atSeconds * 1_000)
        assert.strictEqual(after.counted, counted, `user ${user} at ${atSeconds} s`)
        failures = after.failures
      }
    })
  }

  it.prop(
    "count only when three users failed within the minute, and stay few in memory",
    [Schema.Array(Schema.Struct({
      user: Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 5 })),
      afterMs: Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 40_000 }))
    }))],
    ([steps]) => {
      let failures: SharedFailures = []
      let nowMs = 0
      let countedInAll = 0
      const history: Array<{ readonly user: number; readonly atMs: number }> = []
      for (const { afterMs, user } of steps) {
        nowMs += afterMs
        history.push({ user, atMs: nowMs })
        const after = remember(failures, UserId.make(BigInt(user)), nowMs)
        failures = after.failures
        countedInAll += after.counted
        const recent = history.filter(({ atMs }) => atMs > nowMs - USERS_WINDOW_MS)
        const users = new Set(recent.map((failure) => failure.user)).size
        assert.strictEqual(after.counted > 0, users >= USERS_TO_COUNT)
        assert.isAtMost(after.counted, recent.length)
        assert.isAtMost(failures.length, USERS_TO_COUNT)
        assert.isTrue(failures.every(({ waiting }) => waiting.length <= REMEMBERED_PER_USER_MAX))
      }
      assert.isAtMost(countedInAll, steps.length)
    }
  )
})
