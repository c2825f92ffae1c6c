import { assert, it } from "@effect/vitest"
import { freeQuestionsMax, POOL_CONNECTIONS_MAX } from "../../src/postgres/PoolShares.ts"

it("leaves connections to calls and pages while free questions take all that they may", () => {
  const taken = Object.values(freeQuestionsMax).reduce((sum, count) => sum + count, 0)
  assert.isAtMost(taken, POOL_CONNECTIONS_MAX - 2)
})
