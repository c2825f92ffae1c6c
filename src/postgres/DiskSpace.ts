/**
 * Whether the disk still takes what has to be written: by the space that is free in a folder, and by writes that PostgreSQL refused
 * for want of it, which may lie on another machine.
 */
import { Context, Effect, Option } from "effect"
import type { SqlError } from "effect/sql"
import { statfs } from "node:fs/promises"

/** Bounds on free space. Replaced in tests. */
export interface DiskLimits {
  /** With less free in `data_dir` the disk counts as full, in bytes: a few of PostgreSQL's log files have to fit. */
  readonly freeBytesMin: number
  /** So long after a write was refused the disk counts as full, in ms. */
  readonly refusedMs: number
}

export const DiskLimits = Context.Reference<DiskLimits>("realms/postgres/DiskLimits", {
  defaultValue: () => ({ freeBytesMin: 67_108_864, refusedMs: 30_000 })
})

/** PostgreSQL's SQLSTATE `disk_full`. */
const DISK_FULL = "53100"

/** True when PostgreSQL refused a statement because its disk is full. */
export const isDiskFull = ({ reason }: SqlError.SqlError): boolean => {
  const { cause } = reason
  if (typeof cause !== "object" || cause === null) return false
  if ("code" in cause && cause.code === DISK_FULL) return true
  return "message" in cause && typeof cause.message === "string" && cause.message.includes("No space left on device")
}

/** How the free space of a folder is read: in bytes; undefined where the system does not say. Replaced in tests. */
export const DiskReader = Context.Reference<(folder: string) => Promise<number | undefined>>(
  "realms/postgres/DiskReader",
  { defaultValue: () => (folder) => statfs(folder).then(({ bavail, bsize }) => bavail * bsize, () => undefined) }
)

/** A disk is waited for no longer, in ms: one of a network may hang. */
const DISK_MS_MAX = 500

/** Bytes that may still be written in a folder; undefined where the system does not say, or not in time. */
export const freeBytes = (folder: string): Effect.Effect<number | undefined> =>
  Effect.flatMap(DiskReader, (read) => Effect.promise(() => read(folder))).pipe(
    Effect.timeoutOption(DISK_MS_MAX),
    Effect.map(Option.getOrUndefined)
  )
