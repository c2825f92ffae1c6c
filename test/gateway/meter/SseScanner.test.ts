import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import { Buffer } from "node:buffer"
import { MAX_FRAME_BYTES, SseScanner } from "../../../src/gateway/meter/SseScanner.ts"

interface Scanned {
  readonly frames: Array<readonly [raw: string, data: string | undefined]>
  readonly tail: string
}

const text = (bytes: Uint8Array) => Buffer.from(bytes).toString("latin1")

/** Pushes copies that are wiped afterwards would break frames still to be read, so frames are read at once. */
function scan(chunks: ReadonlyArray<Uint8Array>): Scanned {
  const scanner = new SseScanner()
  const frames: Scanned["frames"] = []
  for (const chunk of chunks) {
    const pushed = scanner.push(chunk)
    if (pushed === "overflow") throw new Error("overflow")
    for (const { raw, data } of pushed) frames.push([text(raw), data === undefined ? undefined : text(data)])
    // The network may reuse its buffer: nothing the scanner still needs may point into it.
    chunk.fill(0x21)
  }
  return { frames, tail: text(scanner.flush()) }
}

const cutAt = (bytes: Uint8Array, cuts: ReadonlyArray<number>) => {
  const at = [...new Set(cuts.map((cut) => cut % (bytes.length + 1)))].sort((left, right) => left - right)
  return [0, ...at].map((start, index) => Uint8Array.from(bytes.subarray(start, at[index] ?? bytes.length)))
}

const latin1 = (value: string) => Uint8Array.from(Buffer.from(value, "latin1"))

describe("SseScanner", () => {
  it.each<[string, Scanned["frames"], string]>([
    ["data: a\n\n", [["data: a\n\n", "a"]], ""],
    ["data: a\r\n\r\n", [["data: a\r\n\r\n", "a"]], ""],
    ["data: a\r\rdata: b\r\r", [["data: a\r\r", "a"], ["data: b\r\r", "b"]], ""],
    ["data: a\n\r\ndata: b\r\n\n", [["data: a\n\r\n", "a"], ["data: b\r\n\n", "b"]], ""],
    ["data: a\r\r\ndata: b\n\n", [["data: a\r\r", "a"], ["\n", undefined], ["data: b\n\n", "b"]], ""],
    ["\n\ndata: a\n\n", [["\n", undefined], ["\n", undefined], ["data: a\n\n", "a"]], ""],
    ["data:a\n\n", [["data:a\n\n", "a"]], ""],
    ["data:  a\n\n", [["data:  a\n\n", " a"]], ""],
    ["data\n\n", [["data\n\n", ""]], ""],
    ["data:\ndata: b\n\n", [["data:\ndata: b\n\n", "\nb"]], ""],
    ["data: a\r\ndata: b\ndata: c\r\n\r\n", [["data: a\r\ndata: b\ndata: c\r\n\r\n", "a\nb\nc"]], ""],
    [": ping\n\n", [[": ping\n\n", undefined]], ""],
    ["event: x\nid: 1\ndata: a\nretry: 3\n\n", [["event: x\nid: 1\ndata: a\nretry: 3\n\n", "a"]], ""],
    ["database: a\n: data: b\n\n", [["database: a\n: data: b\n\n", undefined]], ""],
    ["dat\n\n", [["dat\n\n", undefined]], ""],
    ["\xef\xbb\xbfdata: a\n\n\xef\xbb\xbfdata: b\n\n", [
      ["\xef\xbb\xbfdata: a\n\n", "a"],
      ["\xef\xbb\xbfdata: b\n\n", undefined]
    ], ""],
    ["data: a\n\ndata: [DONE]\n", [["data: a\n\n", "a"]], "data: [DONE]\n"],
    ["data: a", [], "data: a"],
    ["", [], ""]
  ])("splits %j", (input, frames, tail) => {
    assert.deepStrictEqual(scan([latin1(input)]), { frames, tail })
    assert.deepStrictEqual(scan([...latin1(input)].map((byte) => Uint8Array.of(byte))), { frames, tail })
  })

  const pieces = Schema.Array(Schema.Literals([
    "data: a\n\n",
    "data: \xe6\xbc\xa2\r\n\r\n",
    "data: x\ndata: y\r\r",
    ": c\n",
    "event: e\r",
    "\n",
    "\r",
    "\r\n",
    "data",
    "\xef\xbb\xbf",
    "d"
  ]))

  it.prop("gives the same frames wherever the stream is cut, and every byte once", [
    pieces,
    Schema.Array(Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 500 })))
  ], ([parts, cuts]) => {
    const input = parts.join("")
    const whole = scan([latin1(input)])
    assert.strictEqual(whole.frames.map(([raw]) => raw).join("") + whole.tail, input)
    assert.deepStrictEqual(scan(cutAt(latin1(input), cuts)), whole)
    assert.deepStrictEqual(scan(cutAt(latin1(input), [...input].map((_, index) => index))), whole)
  })

  it("does not wait for a line feed in a stream of carriage returns", () => {
    const scanner = new SseScanner()
    assert.lengthOf(scanner.push(latin1("data: a\r\r")), 1)
    assert.lengthOf(scanner.push(latin1("data: b\r")), 0)
    assert.lengthOf(scanner.push(latin1("\r")), 1)
  })

  it("hands out the single data line without a copy", () => {
    const chunk = latin1("data: a\n\n")
    const frames = new SseScanner().push(chunk)
    if (frames === "overflow") throw new Error("overflow")
    assert.strictEqual(frames[0]?.raw.buffer, chunk.buffer)
    assert.strictEqual(frames[0]?.data?.buffer, chunk.buffer)
  })

  it("shows the frame that lacks its blank line, and keeps it", () => {
    for (const tail of ["data: [DONE]", "data: [DONE]\n", "data: [DONE]\r", "event: e\r\ndata: [DONE]\r\n"]) {
      const scanner = new SseScanner()
      scanner.push(latin1("data: a\n\n" + tail))
      const frame = scanner.tailFrame()
      assert.strictEqual(frame?.data === undefined ? undefined : text(frame.data), "[DONE]")
      const pushed = scanner.push(latin1("\n\n"))
      assert.strictEqual(pushed === "overflow" ? "" : text(pushed[0]?.data ?? new Uint8Array()), "[DONE]")
      assert.isUndefined(scanner.tailFrame())
    }
  })

  it.each<[string, ReadonlyArray<boolean>]>([
    ["event: error\ndata: a\n\n", [true]],
    ["data: a\nevent:error\n\ndata: b\n\n", [true, false]],
    ["id: 1\r\nevent:  Error \t\r\ndata: a\r\n\r\n", [true]],
    ["\xef\xbb\xbfevent: error\n\n", [true]],
    ["event: exception\n\nevent: internalServerException\n\nevent: response.error\n\n", [true, true, true]],
    ["event: error\nevent: message\ndata: a\n\n", [false]],
    ["event: response.output_item.done\n\nevent: tool.error\n\nevent\n\nevent:\n\nerror\n\n", Array(5).fill(false)],
    [`event: ${"x".repeat(100)}error\n\n`, [false]]
  ])("tells events that are named as errors: %j", (input, errors) => {
    for (const chunks of [[latin1(input)], [...latin1(input)].map((byte) => Uint8Array.of(byte))]) {
      const scanner = new SseScanner()
      const seen = chunks.flatMap((chunk) => {
        const pushed = scanner.push(chunk)
        return pushed === "overflow" ? [] : pushed.map(({ isError }) => isError)
      })
      assert.deepStrictEqual(seen, [...errors])
    }
    const scanner = new SseScanner()
    scanner.push(latin1(input.slice(0, -1)))
    assert.strictEqual(scanner.tailFrame()?.isError, errors.at(-1))
  })

  it("overflows once a frame is longer than the bound, complete or not", () => {
    const line = "data: " + "x".repeat(MAX_FRAME_BYTES - 8)
    assert.lengthOf(new SseScanner().push(latin1(line + "\n\n")), 1)
    assert.strictEqual(new SseScanner().push(latin1(line + "x\n\n")), "overflow")
    const scanner = new SseScanner()
    let pushed: unknown = []
    let pushedBytes = 0
    const chunk = new Uint8Array(1024 * 1024).fill(0x78)
    while (pushed !== "overflow") {
      pushed = scanner.push(chunk)
      pushedBytes += chunk.length
    }
    assert.strictEqual(pushedBytes, MAX_FRAME_BYTES + chunk.length)
    assert.strictEqual(scanner.push(latin1("data: a\n\n")), "overflow")
  })
})
