/**
 * How much memory a process has in use, as Linux sees it: for bounds that have to hold of the whole server.
 */
import { readFileSync } from "node:fs"

const BYTES_PER_KIB = 1_024

const residentBytes = (pid: number): number => {
  const kib = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "latin1"))?.[1]
  return Number(kib ?? NaN) * BYTES_PER_KIB
}

/** Watches a process from now on; every look takes the largest value seen along. */
export class ResidentMemory {
  private readonly pid: number
  private readonly startBytes: number
  private largestBytes: number

  constructor(pid: number) {
    this.pid = pid
    this.startBytes = residentBytes(pid)
    this.largestBytes = this.startBytes
  }

  look(): void {
    this.largestBytes = Math.max(this.largestBytes, residentBytes(this.pid))
  }

  /** Bytes that the process has grown by, at most, as far as it was looked at. */
  get grownBytes(): number {
    return this.largestBytes - this.startBytes
  }
}
