/** How far work is, on standard error: a bar on a terminal, and elsewhere a line now and then. */
import { Effect, Stdio } from "effect"

const BAR_WIDTH = 30

export const ERASE_LINE = "\r\u001B[K"

/** A bar at `done` of `total`, as wide at the start as at the end. */
export const bar = (done: number, total: number): string => {
  const share = total === 0 ? 1 : Math.min(done / total, 1)
  const filled = Math.floor(share * BAR_WIDTH)
  return `[${"#".repeat(filled)}${".".repeat(BAR_WIDTH - filled)}] ${`${Math.floor(share * 100)}%`.padStart(4)}`
}

const UNITS = ["B", "KiB", "MiB", "GiB", "TiB"]

/** Bytes for people: `512 B`, `1.4 GiB`. */
export const bytesText = (bytes: number): string => {
  const power = bytes < 1 ? 0 : Math.min(Math.floor(Math.log2(bytes) / 10), UNITS.length - 1)
  return power === 0 ? `${bytes} B` : `${(bytes / 2 ** (10 * power)).toFixed(1)} ${UNITS[power]}`
}

/** Without a terminal a line is written each time so many percent more are done, of so many bytes at least. */
const LINE_PERCENT = 10
const LINE_BYTES_MIN = 268_435_456

/** Says how many bytes of how many are done. */
export const byteProgress = Effect.fnUntraced(function*(what: string) {
  const { stderrIsTerminal } = yield* Stdio.Stdio
  const isTerminal = yield* stderrIsTerminal
  let shown = -1
  return (done: number, total: number): void => {
    if (!isTerminal && total < LINE_BYTES_MIN) return
    const percent = total === 0 ? 100 : Math.floor(Math.min(done / total, 1) * 100)
    const step = isTerminal ? 1 : LINE_PERCENT
    const now = Math.floor(percent / step)
    if (now === shown) return
    shown = now
    const text = `${what} ${bar(done, total)} ${bytesText(done)} of ${bytesText(total)}`
    process.stderr.write(isTerminal ? `${ERASE_LINE}${text}${percent === 100 ? "\n" : ""}` : `${text}\n`)
  }
})
