import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import { FailureReason, StoredReason } from "../../src/channels/FailureReason.ts"

const read = Schema.decodeUnknownSync(StoredReason)

describe("the stored reason of a failure", () => {
  it("is read as it was written", () => {
    for (const reason of FailureReason.literals) assert.strictEqual(read(reason), reason)
  })

  it("is a failure of the upstream where another version wrote one that this version does not know", () => {
    assert.strictEqual(read("moved_away"), "upstream_error")
  })
})
