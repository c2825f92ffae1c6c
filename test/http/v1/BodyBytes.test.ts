import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import { setFlagsFromString } from "node:v8"
import { runInNewContext } from "node:vm"
import { BodyBytes } from "../../../src/http/v1/BodyBytes.ts"

const PieceBytes = Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 40_000 }))

describe("BodyBytes", () => {
  it.prop("is what was added, in its order", [Schema.Array(PieceBytes)], ([sizes]) => {
    const pieces = sizes.map((size, index) => Buffer.alloc(size, index + 1))
    const whole = Buffer.concat(pieces)
    const bytes = new BodyBytes()
    for (const piece of pieces) bytes.add(piece)
    const right = bytes.length === whole.length && Buffer.concat(bytes.take()).equals(whole)
    return right && bytes.length === 0 && bytes.take().length === 0
  })

  it("does not copy a body of one piece", () => {
    const bytes = new BodyBytes()
    const piece = Buffer.from("{}")
    bytes.add(piece)
    assert.deepStrictEqual(bytes.take(), [piece])
  })

  it("keeps pieces of many sizes in segments of one size, so that freed memory fits again", () => {
    const bytes = new BodyBytes()
    for (let size = 1; size < 70_000; size += 997) bytes.add(Buffer.allocUnsafeSlow(size))
    const sizes = new Set(bytes.take().slice(0, -1).map(({ buffer }) => buffer.byteLength))
    assert.deepStrictEqual([...sizes], [65_536])
  })

  it("frees the pieces that it has copied", () => {
    const bytes = new BodyBytes()
    const pieces = [10, 20_000, 65_536].map((size) => Buffer.alloc(size, "x"))
    for (const piece of pieces) bytes.add(piece)
    assert.deepStrictEqual(pieces.map(({ length }) => length), [0, 0, 0])
    assert.strictEqual(Buffer.concat(bytes.take()).toString(), "x".repeat(85_546))
  })

  it("keeps a body of single bytes in little more memory than the bytes take", () => {
    setFlagsFromString("--expose-gc")
    const collect: unknown = runInNewContext("gc")
    const usedBytes = (): number => {
      if (typeof collect === "function") collect()
      const { arrayBuffers, heapUsed } = process.memoryUsage()
      return arrayBuffers + heapUsed
    }
    const bytes = new BodyBytes()
    const count = 200_000
    const before = usedBytes()
    for (let index = 0; index < count; index++) bytes.add(Buffer.allocUnsafeSlow(1))
    assert.isBelow(usedBytes() - before, 10 * count)
    assert.strictEqual(Buffer.concat(bytes.take()).length, count)
  })
})
