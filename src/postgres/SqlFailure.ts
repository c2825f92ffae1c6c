/**
 * What a database error means for code that may try again: the server is gone, there is a conflict with another transaction,
 * another transaction holds a lock, or the data will be refused each time.
 */
import type { SqlError } from "effect/sql"

/** `connection`: whether a commit took effect is not known. In the other cases nothing was written. */
export type SqlFailure = "connection" | "deadlock" | "lock" | "data"

/** Classes 57P (shutdown, crash), 53 (out of resources), 58 (system error), XX (internal), and no SQLSTATE at all. */
const isServerGone = (cause: unknown): boolean => {
  const code = typeof cause === "object" && cause !== null && "code" in cause ? cause.code : undefined
  return typeof code !== "string" || /^(57P|53|58|XX)/.test(code)
}

export const classifySqlError = (error: SqlError.SqlError): SqlFailure => {
  switch (error.reason._tag) {
    case "ConnectionError":
    case "AuthenticationError":
      return "connection"
    case "DeadlockError":
    case "SerializationError":
      return "deadlock"
    case "LockTimeoutError":
    case "StatementTimeoutError":
      return "lock"
    default:
      return isServerGone(error.reason.cause) ? "connection" : "data"
  }
}
