/**
 * Real encodings, decoded whole, in pieces, one in the other, cut, and followed by something else.
 */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as zlib from "node:zlib"
import { ContentDecoder, encodingsOf } from "../../../src/http/v1/ContentDecoder.ts"

const BYTES_MAX = 1_000_000
const text = JSON.stringify({ model: "m", messages: [{ role: "user", content: "words ".repeat(20_000) }] })
const body = Buffer.from(text)

const encoders: Readonly<Record<string, (bytes: Buffer) => Buffer>> = {
  gzip: zlib.gzipSync,
  "x-gzip": zlib.gzipSync,
  deflate: zlib.deflateSync,
  br: zlib.brotliCompressSync,
  zstd: zlib.zstdCompressSync
}
const encode = (name: string, bytes: Buffer): Buffer => encoders[name]?.(bytes) ?? assert.fail(name)

type Decoded = Buffer | "unreadable" | "too_large"

/** Sends bytes in pieces and waits for what comes out. */
const decode = (header: string, bytes: Buffer, options: { pieceBytes?: number; bytesMax?: number } = {}) =>
  Effect.callback<Decoded>((resume) => {
    const asked = encodingsOf(header)
    if ("unknown" in asked) return assert.fail(asked.unknown)
    const out: Array<Buffer> = []
    let next = 0
    const decoder = new ContentDecoder(asked.encodings, options.bytesMax ?? BYTES_MAX, {
      onBytes: (piece) => void out.push(Buffer.from(piece)),
      onEnd: () => resume(Effect.succeed(Buffer.concat(out))),
      onFailure: (why) => {
        decoder.destroy()
        resume(Effect.succeed(why))
      },
      onDrain: () => feed()
    })
    const pieceBytes = options.pieceBytes ?? bytes.length
    const feed = (): void => {
      while (next < bytes.length) {
        const piece = bytes.subarray(next, next + pieceBytes)
        next += piece.length
        if (!decoder.write(piece)) return
      }
      decoder.end()
    }
    feed()
    return Effect.sync(() => decoder.destroy())
  })

const same = (decoded: Decoded) => typeof decoded !== "string" && decoded.equals(body)

describe("encodingsOf", () => {
  const lists: ReadonlyArray<readonly [header: string | undefined, encodings: ReadonlyArray<string> | string]> = [
    [undefined, []],
    ["", []],
    ["identity", []],
    ["gzip", ["gzip"]],
    [" GZip ", ["gzip"]],
    ["x-gzip", ["gzip"]],
    ["gzip, br", ["br", "gzip"]],
    ["identity, zstd, identity", ["zstd"]],
    ["gzip,deflate,br", ["br", "deflate", "gzip"]],
    ["gzip, gzip, gzip, gzip", "gzip, gzip, gzip, gzip"],
    ["compress", "compress"],
    ["gzip, aws-chunked", "aws-chunked"],
    ["toString", "tostring"],
    ["*", "*"]
  ]
  it.each(lists)("%s is undone as %s", (header, expected) => {
    const asked = encodingsOf(header)
    assert.deepStrictEqual("unknown" in asked ? asked.unknown : asked.encodings, expected)
  })
})

describe("ContentDecoder", () => {
  it.effect("passes a body through that is not encoded", () =>
    Effect.gen(function*() {
      assert.isTrue(same(yield* decode("identity", body, { pieceBytes: 1_000 })))
    }))

  for (const name of Object.keys(encoders)) {
    it.effect(`decodes ${name}, whole and in single bytes`, () =>
      Effect.gen(function*() {
        const encoded = encode(name, body)
        assert.isTrue(same(yield* decode(name, encoded)))
        assert.isTrue(same(yield* decode(name, encoded, { pieceBytes: 1 })))
      }))

    it.effect(`refuses ${name} that is cut, garbage, empty or followed by garbage`, () =>
      Effect.gen(function*() {
        const encoded = encode(name, body)
        const garbage = Buffer.from("garbage")
        for (const bytes of [encoded.subarray(0, -1), garbage, Buffer.alloc(0), Buffer.concat([encoded, garbage])]) {
          assert.strictEqual(yield* decode(name, bytes), "unreadable")
        }
      }))

    it.effect(`cuts ${name} that expands beyond the bound`, () =>
      Effect.gen(function*() {
        const bomb = encode(name, Buffer.alloc(8_000_000))
        assert.isBelow(bomb.length, 100_000)
        assert.strictEqual(yield* decode(name, bomb), "too_large")
        assert.isTrue(same(yield* decode(name, encode(name, body), { bytesMax: body.length })))
        assert.strictEqual(yield* decode(name, encode(name, body), { bytesMax: body.length - 1 }), "too_large")
      }))
  }

  it.effect("decodes deflate without its header", () =>
    Effect.gen(function*() {
      assert.isTrue(same(yield* decode("deflate", zlib.deflateRawSync(body))))
    }))

  it.effect("decodes encodings one in the other, the last first", () =>
    Effect.gen(function*() {
      const encoded = encode("zstd", encode("br", encode("gzip", body)))
      assert.isTrue(same(yield* decode("gzip, br, zstd", encoded, { pieceBytes: 7 })))
      assert.strictEqual(yield* decode("zstd, br, gzip", encoded), "unreadable")
    }))

  it.effect("cuts a bomb that another encoding makes small again", () =>
    Effect.gen(function*() {
      // Empty members: nothing comes out at the end, and 10 MB pass between the stages.
      const empty = encode("gzip", Buffer.alloc(0))
      const hollow = encode("br", Buffer.concat(Array.from({ length: 500_000 }, () => empty)))
      assert.isBelow(hollow.length, 100_000)
      assert.strictEqual(yield* decode("gzip, br", hollow), "too_large")
    }))

  it.effect("refuses a zstd frame that needs a window of more than 8 MiB", () =>
    Effect.gen(function*() {
      const params = { [zlib.constants.ZSTD_c_windowLog]: 27, [zlib.constants.ZSTD_c_contentSizeFlag]: 0 }
      const wide = zlib.zstdCompressSync(Buffer.concat([body, Buffer.alloc(16_000_000)]), { params })
      assert.strictEqual(yield* decode("zstd", wide, { bytesMax: 100_000_000 }), "unreadable")
    }))
})
