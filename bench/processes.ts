/**
 * What Linux says of a process and of those it has started: CPU time and resident memory.
 */
import { readdirSync, readFileSync } from "node:fs"

const TICK_US = 10_000
const BYTES_PER_KIB = 1_024

/** The fields of a process behind its name; undefined when it has ended. */
const statOf = (pid: number): ReadonlyArray<string> | undefined => {
  try {
    return readFileSync(`/proc/${pid}/stat`, "utf8").split(") ").at(-1)?.split(" ")
  } catch {
    return undefined
  }
}

/** The CPU time of a process so far, in microseconds: user and system. */
export const cpuMicros = (pid: number): number => {
  const fields = statOf(pid)
  return fields === undefined ? 0 : (Number(fields[11]) + Number(fields[12])) * TICK_US
}

/** The processes below one, at any depth. */
export const descendantsOf = (pid: number): ReadonlyArray<number> => {
  const parents = new Map<number, number>()
  for (const name of readdirSync("/proc")) {
    const parent = /^\d+$/.test(name) ? statOf(Number(name))?.[1] : undefined
    if (parent !== undefined) parents.set(Number(name), Number(parent))
  }
  const found: Array<number> = []
  const add = (of: number): void => {
    for (const [child, parent] of parents) {
      if (parent !== of) continue
      found.push(child)
      add(child)
    }
  }
  add(pid)
  return found
}

/** The CPU time of all processes below one, in microseconds: of a server's database. */
export const descendantsCpuMicros = (pid: number): number =>
  descendantsOf(pid).reduce((sum, one) => sum + cpuMicros(one), 0)

/** The resident memory of a process, in bytes. `peak`: the most it ever was. */
export const residentBytes = (pid: number, peak = false): number => {
  const field = new RegExp(`^${peak ? "VmHWM" : "VmRSS"}:\\s+(\\d+) kB$`, "m")
  return Number(field.exec(readFileSync(`/proc/${pid}/status`, "latin1"))?.[1] ?? NaN) * BYTES_PER_KIB
}
