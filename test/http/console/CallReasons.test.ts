/** The words for why calls were refused or broke off. */
import { assert, describe, it } from "@effect/vitest"
import { openAiErrors } from "../../../src/gateway/OpenAiError.ts"
import { callReason } from "../../../src/http/console/kit/usage/CallReasons.ts"
import { refusedStatuses } from "../../../src/usage/RefusedCalls.ts"

describe("reasons of calls", () => {
  it("has words in both languages for each code with which a refused call is kept", () => {
    const kept: ReadonlySet<number> = new Set(refusedStatuses)
    const codes = Object.entries(openAiErrors).filter(([, { status }]) => kept.has(status)).map(([code]) => code)
    assert.isAbove(codes.length, 10)
    for (const language of ["en", "zh"] as const) {
      for (const code of codes) assert.notStrictEqual(callReason({ language }, code), code)
    }
  })

  it("says a code that an upstream made up as it is", () => {
    assert.strictEqual(callReason({ language: "en" }, "made_up"), "made_up")
    // Words that sections share under these keys are not about calls.
    for (const code of ["days", "model", "toString"]) assert.strictEqual(callReason({ language: "zh" }, code), code)
  })
})
