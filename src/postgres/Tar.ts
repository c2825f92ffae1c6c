/**
 * Tar archives (POSIX ustar) as PostgreSQL writes them: a reader that takes bytes as they come and refuses everything but plain files
 * and folders at safe relative paths, and the pieces that a writer needs.
 */
import { Data } from "effect"
import { posix } from "node:path"

export const BLOCK_BYTES = 512

/** The end of an archive: two blocks of zeros. */
export const END = new Uint8Array(2 * BLOCK_BYTES)

/** The largest file that the field for the size can name in octal digits, in bytes: 8 GiB less one. */
export const FILE_BYTES_MAX = 0o77777777777

/** The archive is not one that this program reads: damaged, cut short, or with entries that have no place in it. */
export class TarRefused extends Data.TaggedError("TarRefused")<{ readonly message: string }> {}

/** A file or a folder of an archive. */
export interface TarEntry {
  /** Relative, with `/` between its parts, and none of them `.` or `..`; a folder has no `/` at the end. */
  readonly path: string
  readonly kind: "file" | "folder"
  readonly bytes: number
  readonly mode: number
}

export type TarEvent =
  | { readonly _tag: "Entry"; readonly entry: TarEntry; readonly header: Uint8Array }
  | { readonly _tag: "Data"; readonly bytes: Uint8Array }
  /** The entry's last byte has been seen. */
  | { readonly _tag: "Closed"; readonly entry: TarEntry }
  /** The two blocks that end the archive have been seen. */
  | { readonly _tag: "End" }

const refuse = (message: string): never => {
  throw new TarRefused({ message })
}

const textOf = (block: Uint8Array, { from, length }: { readonly from: number; readonly length: number }): string => {
  const field = block.subarray(from, from + length)
  const end = field.indexOf(0)
  return Buffer.from(end === -1 ? field : field.subarray(0, end)).toString("utf8")
}

const octalOf = (block: Uint8Array, field: { readonly from: number; readonly length: number }): number => {
  const text = textOf(block, field).trim()
  return /^[0-7]{1,12}$/.test(text) ? Number.parseInt(text, 8) : refuse("a header of the archive has no number")
}

const NAME = { from: 0, length: 100 }
const MODE = { from: 100, length: 8 }
const SIZE = { from: 124, length: 12 }
const CHECKSUM = { from: 148, length: 8 }
const TYPE_AT = 156
const MAGIC = { from: 257, length: 5 }
const USTAR = "ustar"
const VERSION_AT = 263
const PREFIX = { from: 345, length: 155 }

const checksumOf = (block: Uint8Array): number =>
  block.reduce(
    (sum, byte, at) => sum + (at >= CHECKSUM.from && at < CHECKSUM.from + CHECKSUM.length ? 0x20 : byte),
    0
  )

/** The path as it may be written below a folder; anything that could lead elsewhere is refused. */
export const safePath = (path: string): string => {
  const plain = path.replace(/^\.\//, "").replace(/\/$/, "")
  const parts = plain.split("/")
  const isSafe = plain !== "" && !plain.includes("\0") && !plain.includes("\\") && !posix.isAbsolute(plain) &&
    parts.every((part) => part !== "" && part !== "." && part !== "..")
  return isSafe ? plain : refuse(`the archive names the path ${JSON.stringify(path)}, which may not be written`)
}

const entryOf = (block: Uint8Array): TarEntry => {
  if (textOf(block, MAGIC) !== USTAR) refuse("this is not a tar archive")
  if (octalOf(block, CHECKSUM) !== checksumOf(block)) refuse("a header of the archive is damaged")
  const prefix = textOf(block, PREFIX)
  const name = textOf(block, NAME)
  const path = safePath(prefix === "" ? name : `${prefix}/${name}`)
  const mode = octalOf(block, MODE) & 0o777
  const type = String.fromCharCode(block[TYPE_AT] ?? 0)
  if (type === "5") return { path, kind: "folder", bytes: 0, mode }
  if (type !== "0" && type !== "\0") refuse(`${path} is neither a file nor a folder in the archive`)
  return { path, kind: "file", bytes: octalOf(block, SIZE), mode }
}

/** The zeros after a file of so many bytes, up to a whole block. */
export const paddingOf = (bytes: number): number => (BLOCK_BYTES - bytes % BLOCK_BYTES) % BLOCK_BYTES

const isZero = (block: Uint8Array): boolean => block.every((byte) => byte === 0)

/** Reads an archive, whose bytes are pushed in pieces of any size. Throws {@link TarRefused}. */
export class TarReader {
  private held: Uint8Array = new Uint8Array(0)
  private entry: TarEntry | undefined
  /** Bytes of the entry, then of its padding, that are still to come. */
  private data = 0
  private padding = 0
  private zeroBlocks = 0

  /** What the bytes say, in their order. `bytes` of an event are a view into what was pushed. */
  push(chunk: Uint8Array): ReadonlyArray<TarEvent> {
    const events: Array<TarEvent> = []
    const bytes = this.held.length === 0 ? chunk : Buffer.concat([this.held, chunk])
    let at = 0
    while (at < bytes.length) {
      if (this.zeroBlocks === 2) {
        // Tapes were written in records of many blocks: there may be more zeros.
        if (!isZero(bytes.subarray(at))) refuse("there is something behind the end of the archive")
        at = bytes.length
      } else if (this.data > 0) {
        const piece = bytes.subarray(at, at + this.data)
        this.data -= piece.length
        at += piece.length
        events.push({ _tag: "Data", bytes: piece })
        this.closeWhenRead(events)
      } else if (this.padding > 0) {
        const skipped = Math.min(this.padding, bytes.length - at)
        this.padding -= skipped
        at += skipped
      } else {
        if (bytes.length - at < BLOCK_BYTES) break
        this.header(bytes.subarray(at, at + BLOCK_BYTES), events)
        at += BLOCK_BYTES
      }
    }
    this.held = at < bytes.length ? Uint8Array.from(bytes.subarray(at)) : new Uint8Array(0)
    return events
  }

  /** To be called when no more bytes come: an archive that was cut short is refused. */
  finish(): void {
    if (this.zeroBlocks < 2 || this.held.length > 0) refuse("the archive is cut short")
  }

  private header(block: Uint8Array, events: Array<TarEvent>): void {
    if (isZero(block)) {
      this.zeroBlocks++
      if (this.zeroBlocks === 2) events.push({ _tag: "End" })
      return
    }
    if (this.zeroBlocks > 0) refuse("the archive is damaged: it ends and goes on")
    const entry = entryOf(block)
    this.entry = entry
    this.data = entry.bytes
    this.padding = paddingOf(entry.bytes)
    events.push({ _tag: "Entry", entry, header: Uint8Array.from(block) })
    this.closeWhenRead(events)
  }

  private closeWhenRead(events: Array<TarEvent>): void {
    if (this.entry === undefined || this.data > 0) return
    events.push({ _tag: "Closed", entry: this.entry })
    this.entry = undefined
  }
}

const octal = (value: number, digits: number): string => `${value.toString(8).padStart(digits, "0")}\0`

/** The header of a file of ours: mode 0600, owned by nobody in particular. */
export const fileHeader = (
  { bytes, modifiedMs, path }: { readonly path: string; readonly bytes: number; readonly modifiedMs: number }
): Uint8Array => {
  if (Buffer.byteLength(path) >= NAME.length) refuse(`${path} is too long a path for an archive`)
  if (bytes > FILE_BYTES_MAX) refuse(`${path} is too large for an archive`)
  const block = Buffer.alloc(BLOCK_BYTES)
  block.write(path, NAME.from)
  block.write(octal(0o600, 7), MODE.from)
  block.write(octal(0, 7), 108)
  block.write(octal(0, 7), 116)
  block.write(octal(bytes, 11), SIZE.from)
  block.write(octal(Math.floor(modifiedMs / 1000), 11), 136)
  block.write("0", TYPE_AT)
  block.write(`${USTAR}\0`, MAGIC.from)
  block.write("00", VERSION_AT)
  block.write(`${checksumOf(block).toString(8).padStart(6, "0")}\0 `, CHECKSUM.from)
  return block
}
