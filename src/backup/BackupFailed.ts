/** How backups and restores fail: one text that says what happened and what to do next. */
import { Data } from "effect"

export class BackupFailed extends Data.TaggedError("BackupFailed")<{ readonly message: string }> {}

export const failed = (message: string): BackupFailed => new BackupFailed({ message })

/** A failure of the file system, of PostgreSQL or of this code, as one of ours. */
export const failedBy = (what: string) => (cause: unknown): BackupFailed =>
  cause instanceof BackupFailed ? cause : failed(`${what}: ${cause instanceof Error ? cause.message : String(cause)}`)
