import { assert, describe, it } from "@effect/vitest"
import { END, fileHeader, paddingOf, safePath, type TarEvent, TarReader } from "../../src/postgres/Tar.ts"

const file = (path: string, content: string): Uint8Array => {
  const bytes = Buffer.from(content)
  return Buffer.concat([
    fileHeader({ path, bytes: bytes.length, modifiedMs: 1_000_000 }),
    bytes,
    new Uint8Array(paddingOf(bytes.length))
  ])
}

const archive = Buffer.concat([file("a", "one"), file("b/c.txt", "x".repeat(1_500)), file("empty", ""), END])

/** What a reader makes of an archive that comes in pieces of so many bytes. */
const read = (bytes: Uint8Array, pieceBytes = bytes.length): ReadonlyArray<readonly [string, string]> => {
  const reader = new TarReader()
  const files: Array<readonly [string, string]> = []
  let text = ""
  for (let at = 0; at < bytes.length; at += pieceBytes) {
    const events: ReadonlyArray<TarEvent> = reader.push(bytes.subarray(at, at + pieceBytes))
    for (const event of events) {
      if (event._tag === "Data") text += Buffer.from(event.bytes).toString()
      if (event._tag !== "Closed") continue
      files.push([event.entry.path, text])
      text = ""
    }
  }
  reader.finish()
  return files
}

const written: ReadonlyArray<readonly [string, string]> = [["a", "one"], ["b/c.txt", "x".repeat(1_500)], ["empty", ""]]

/** The archive with a header changed, and its checksum made right again unless it is to stay wrong. */
const changed = (change: (header: Buffer) => void, isRight = true): Uint8Array => {
  const bytes = Buffer.from(archive)
  const header = bytes.subarray(0, 512)
  change(header)
  if (isRight) {
    header.fill(" ", 148, 156)
    const sum = header.reduce((total, byte) => total + byte, 0)
    header.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148)
  }
  return bytes
}

describe("Tar", () => {
  it("reads what it wrote, in pieces of any size", () => {
    for (const pieceBytes of [1, 7, 511, 512, 513, 4_096, archive.length]) {
      assert.deepStrictEqual(read(archive, pieceBytes), written, String(pieceBytes))
    }
    assert.deepStrictEqual(read(Buffer.concat([archive, new Uint8Array(8_192)])), written, "zeros behind the end")
  })

  it("refuses an archive that is cut short, wherever", () => {
    for (const bytes of [0, 100, 512, 514, 1_024, archive.length - 1_024, archive.length - 512, archive.length - 1]) {
      assert.throws(() => read(archive.subarray(0, bytes)), /cut short/, String(bytes))
    }
  })

  it("refuses paths that lead elsewhere, links, and headers that are damaged", () => {
    for (const path of ["../a", "/a", "a/../b", "a//b", "..", ".", "", "a\\b", "./../a"]) {
      assert.throws(() => safePath(path), /may not be written/, path)
    }
    assert.deepStrictEqual(["./a", "a/", "a/b"].map(safePath), ["a", "a", "a/b"])
    assert.throws(() => read(changed((header) => void header.write("../../etc/passwd"))), /may not be written/)
    for (const type of ["1", "2", "3", "6", "L", "x", "g"]) {
      assert.throws(() => read(changed((header) => void header.write(type, 156))), /neither a file nor a folder/, type)
    }
    assert.throws(() => read(changed((header) => void header.write("b"), false)), /damaged/)
    assert.throws(() => read(changed((header) => void header.write("99999999999", 124))), /no number/)
    assert.throws(() => read(Buffer.alloc(2_048, "x")), /not a tar archive/)
    assert.throws(() => read(Buffer.concat([archive, archive])), /behind the end/)
  })

  it("refuses to write a file that a header cannot name", () => {
    assert.throws(() => fileHeader({ path: "p".repeat(100), bytes: 0, modifiedMs: 0 }), /too long/)
    assert.throws(() => fileHeader({ path: "p", bytes: 2 ** 33, modifiedMs: 0 }), /too large/)
  })
})
