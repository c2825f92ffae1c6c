import { assert, describe, it } from "@effect/vitest"
import { readTraceParent, writeTraceParent } from "../../src/gateway/TraceParent.ts"

const trace = "4bf92f3577b34da6a3ce929d0e0e4736"
const span = "00f067aa0ba902b7"
const zero = "0".repeat(32)

describe("traceparent", () => {
  it("is read and written", () => {
    const header = `00-${trace}-${span}-01`
    const read = readTraceParent(header)
    assert.deepStrictEqual(read, { traceId: trace, spanId: span, sampled: true })
    assert.strictEqual(read && writeTraceParent(read), header)
    assert.isFalse(readTraceParent(`00-${trace}-${span}-00`)?.sampled)
    assert.isTrue(readTraceParent(`00-${trace}-${span}-ff`)?.sampled)
    assert.isDefined(readTraceParent(`cc-${trace}-${span}-01-what-comes-later`))
  })

  const malformed: ReadonlyArray<string | ReadonlyArray<string> | undefined> = [
    undefined,
    "",
    "00",
    `ff-${trace}-${span}-01`,
    `00-${trace}-${span}-01-more`,
    `00-${trace}-${span}-1`,
    `00-${trace.toUpperCase()}-${span}-01`,
    `00-${zero}-${span}-01`,
    `00-${trace}-${zero.slice(16)}-01`,
    `00-${trace}-${span}-01, 00-${trace}-${span}-01`,
    [`00-${trace}-${span}-01`],
    `cc-${trace}-${span}-01-${"x".repeat(600)}`
  ]
  it.each(malformed.map((header) => [header]))("that is malformed is ignored: %s", (header) => {
    assert.isUndefined(readTraceParent(header))
  })
})
