/**
 * Writes notices down. One statement, as part of the transaction of the event that it tells of: both are there or neither. Whether it is
 * mailed or sent to a webhook is decided afterwards, so that an event never fails or waits for that.
 */
import { DateTime, Effect, Schema } from "effect"
import type { SqlClient, SqlError } from "effect/sql"
import type { UserId } from "../domain/Ids.ts"
import { Row } from "../domain/Row.ts"
import { rowOf } from "../postgres/Rows.ts"
import type { noticeData, NoticeKind } from "./NoticeKinds.ts"

export { mailToOldAddress, spreadAll } from "./DeliveryStore.ts"

export interface NewNotice<K extends NoticeKind> {
  /** Names the event, such as `payment:7`: written down again, it is no second notice. */
  readonly key: string
  readonly kind: K
  /** Null: for root. */
  readonly userId: UserId | null
  readonly data: (typeof noticeData)[K]["Encoded"]
}

export const writeNotice = <K extends NoticeKind>(
  sql: SqlClient.SqlClient,
  { data, key, kind, userId }: NewNotice<K>
): Effect.Effect<void, SqlError.SqlError> =>
  Effect.asVoid(sql`INSERT INTO notices (key, kind, user_id, data)
    VALUES (${key}, ${kind}, ${userId}, ${JSON.stringify(data)}::jsonb) ON CONFLICT (key) DO NOTHING`)

/** Notices of one thing that a user can bring about as often as they like, within a window, at most. */
export const TOLD_MAX = 5

const WINDOW_MS = 600_000

const FreeKey = Row({ key: Schema.String })

/** The first key of this window that no notice of such a thing has; undefined when as many were told as may be. */
export const boundedKey = Effect.fnUntraced(function*(sql: SqlClient.SqlClient, thing: string) {
  const window = Math.floor(DateTime.toEpochMillis(yield* DateTime.now) / WINDOW_MS)
  const keys = Array.from({ length: TOLD_MAX }, (_, at) => `${thing}:${window}:${at}`)
  const found = yield* rowOf(
    FreeKey,
    sql`SELECT k.key FROM unnest(${keys}::text[]) WITH ORDINALITY AS k (key, place)
      WHERE NOT EXISTS (SELECT FROM notices n WHERE n.key = k.key) ORDER BY k.place LIMIT 1`
  )
  return found?.key
})
