import { assert, describe, it } from "@effect/vitest"
import { readRunnerCount } from "../../src/config/RunnerCount.ts"
import { restartWaitMs } from "../../src/runners/Supervisor.ts"

describe("runners", () => {
  it("are started again at once, then after waits that double up to half a minute", () => {
    assert.deepStrictEqual([1, 2, 3, 4, 9, 10, 1_000].map(restartWaitMs), [0, 200, 400, 800, 25_600, 30_000, 30_000])
  })

  it("are counted by a number or by the cores", () => {
    assert.deepStrictEqual(["1", "2", "64"].map(readRunnerCount), [1, 2, 64])
    for (const text of ["", "0", "65", "-1", "1.5", "2 ", "1e1", "AUTO", "many"]) {
      assert.isUndefined(readRunnerCount(text), text)
    }
    const auto = readRunnerCount("auto") ?? 0
    assert.isTrue(auto >= 1 && auto <= 8)
  })
})
