/**
 * Tells a user that how they sign in has changed, in the transaction of the change: an intruder does not change an account
 * unnoticed. A change that is repeated often makes a few notices only, so that no mailbox and no queue is filled.
 */
import { DateTime, Effect } from "effect"
import type { SqlClient, SqlError } from "effect/sql"
import { randomUUID } from "node:crypto"
import type { UserId } from "../domain/Ids.ts"
import type { AccountChange } from "../notices/NoticeKinds.ts"
import { boundedKey, writeNotice } from "../notices/Notices.ts"

/** Answers the key of the notice; undefined: this change has just been told often enough. A change of the address is always told. */
export const noteAccountChange = (
  sql: SqlClient.SqlClient,
  { address, change, detail = null, userId }: {
    readonly userId: UserId
    readonly change: AccountChange
    /** The new address, the passkey's or admin key's name, the provider's issuer, or how many admin keys a new password has revoked. */
    readonly detail?: string | null
    /** Of the user's browser; null: an administrator did it. */
    readonly address: string | null
  }
): Effect.Effect<string | undefined, SqlError.SqlError> =>
  Effect.gen(function*() {
    const now = yield* DateTime.now
    // A change of the address takes a mail to the new one, and these are limited.
    const key = change === "email"
      ? `account_changed:${randomUUID()}`
      : yield* boundedKey(sql, `account_changed:${userId}:${change}`)
    if (key === undefined) return undefined
    const data = { change, detail, address, at: DateTime.formatIso(now) }
    yield* writeNotice(sql, { key, kind: "account_changed", userId, data })
    return key
  })
