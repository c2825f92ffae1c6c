/** The one way in which a base backup fails: PostgreSQL refused it, or the connection to it ended. */
import { Data } from "effect"

export class BaseBackupFailed extends Data.TaggedError("BaseBackupFailed")<{ readonly message: string }> {}
