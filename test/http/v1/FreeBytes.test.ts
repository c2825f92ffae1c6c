import { assert, describe, it } from "@effect/vitest"
import { freeBytes } from "../../../src/http/v1/FreeBytes.ts"

describe("freeBytes", () => {
  it("gives a buffer's own memory back at once", () => {
    const own = Buffer.allocUnsafeSlow(1_000)
    const memory = own.buffer
    freeBytes(own)
    assert.strictEqual(memory.byteLength, 0)
    assert.strictEqual(own.length, 0)
    freeBytes(own)
  })

  it("leaves memory that others share", () => {
    const whole = Buffer.alloc(1_000, 1)
    freeBytes(whole.subarray(0, 999))
    assert.strictEqual(whole.length, 1_000)
    const pooled = Buffer.from("pooled")
    freeBytes(pooled)
    assert.strictEqual(pooled.toString(), "pooled")
  })
})
