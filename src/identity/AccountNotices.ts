/**
 * Tells a user that how they sign in has changed, in the transaction of the change: whoever has got into an account does not change it
 * unnoticed.
 */
import { DateTime, Effect } from "effect"
import type { SqlClient, SqlError } from "effect/sql"
import { randomUUID } from "node:crypto"
import type { UserId } from "../domain/Ids.ts"
import type { AccountChange } from "../notices/NoticeKinds.ts"
import { writeNotice } from "../notices/Notices.ts"

/** Answers the key of the notice. */
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
): Effect.Effect<string, SqlError.SqlError> =>
  Effect.flatMap(DateTime.now, (now) => {
    const key = `account_changed:${randomUUID()}`
    const written = writeNotice(sql, {
      key,
      kind: "account_changed",
      userId,
      data: { change, detail, address, at: DateTime.formatIso(now) }
    })
    return Effect.as(written, key)
  })
