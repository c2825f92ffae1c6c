/** The content encoding `deflate` as it is sent: in a zlib wrapping, as its standard has it, or bare, as many senders write it. */
import type { Transform } from "node:stream"
import { createInflate, createInflateRaw, type ZlibOptions } from "node:zlib"

/** A zlib header begins with the compression method 8. */
const hasZlibHeader = (firstByte: number): boolean => (firstByte & 0x8f) === 0x08

/** Undoes a body that begins with this byte. */
export const inflateOf = (firstByte: number, options?: ZlibOptions): Transform =>
  hasZlibHeader(firstByte) ? createInflate(options) : createInflateRaw(options)
