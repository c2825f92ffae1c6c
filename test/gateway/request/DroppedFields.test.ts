import { assert, describe, it } from "@effect/vitest"
import { DROPPED_NAMES_MAX, droppedFieldsHeader } from "../../../src/gateway/request/DroppedFields.ts"

describe("droppedFieldsHeader", () => {
  it.each<[ReadonlyArray<string>, string | undefined]>([
    [[], undefined],
    [["metadata", "tools.web_search"], "metadata, tools.web_search"],
    [["a\r\nset-cookie: x", "漢,字", "a b"], "a??set-cookie:?x, ???, a?b"],
    [["x".repeat(100)], "x".repeat(64)]
  ])("of %j is %s", (names, expected) => {
    assert.strictEqual(droppedFieldsHeader(names), expected)
  })

  it("is bounded", () => {
    const names = Array.from({ length: DROPPED_NAMES_MAX + 3 }, (_, index) => `f${index}`)
    assert.isTrue(droppedFieldsHeader(names)?.endsWith(`f${DROPPED_NAMES_MAX - 1}, and 3 more`))
  })
})
