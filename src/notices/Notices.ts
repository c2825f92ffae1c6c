/**
 * Writes notices down. One statement, as part of the transaction of the event that it tells of: both are there or neither. Whether it is
 * mailed or sent to a webhook is decided afterwards, so that an event never fails or waits for that.
 */
import { Effect } from "effect"
import type { SqlClient, SqlError } from "effect/sql"
import type { UserId } from "../domain/Ids.ts"
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
