/**
 * Tells a user that how they sign in has changed, in the transaction of the change: whoever has got into an account does not change it
 * unnoticed. Who repeats a change is told of some only, so that it fills no mailbox and no queue.
 */
import { DateTime, Effect, Schema } from "effect"
import type { SqlClient, SqlError } from "effect/sql"
import { randomUUID } from "node:crypto"
import type { UserId } from "../domain/Ids.ts"
import { Row } from "../domain/Row.ts"
import type { AccountChange } from "../notices/NoticeKinds.ts"
import { writeNotice } from "../notices/Notices.ts"
import { rowOf } from "../postgres/Rows.ts"

/** Notices of one kind of change that a user gets within a window, at most. */
export const CHANGES_TOLD_MAX = 5

const WINDOW_MS = 600_000

const FreeKey = Row({ key: Schema.String })

/** The first key of this window that no notice has; undefined when as many were told as may be. */
const freeKey = Effect.fnUntraced(function*(sql: SqlClient.SqlClient, prefix: string) {
  const keys = Array.from({ length: CHANGES_TOLD_MAX }, (_, at) => `${prefix}:${at}`)
  const found = yield* rowOf(
    FreeKey,
    sql`SELECT k.key FROM unnest(${keys}::text[]) WITH ORDINALITY AS k (key, place)
      WHERE NOT EXISTS (SELECT FROM notices n WHERE n.key = k.key) ORDER BY k.place LIMIT 1`
  )
  return found?.key
})

/** Answers the key of the notice; undefined: of such changes enough was told just now. Each change of the address is told. */
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
    const window = Math.floor(DateTime.toEpochMillis(now) / WINDOW_MS)
    // A change of the address takes a mail to the new one, and these are limited.
    const key = change === "email"
      ? `account_changed:${randomUUID()}`
      : yield* freeKey(sql, `account_changed:${userId}:${change}:${window}`)
    if (key === undefined) return undefined
    const data = { change, detail, address, at: DateTime.formatIso(now) }
    yield* writeNotice(sql, { key, kind: "account_changed", userId, data })
    return key
  })
