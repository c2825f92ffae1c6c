/**
 * Conditions that last, such as a channel that is down: root gets one notice of each. Every server that sees a condition reports it
 * again and again. A condition that no server has reported for some time is over; if it comes back, root gets another notice. So several
 * servers can watch one thing, and a restart repeats no notice.
 */
import { Effect, Schema } from "effect"
import type { SqlClient, SqlError } from "effect/sql"
import { Row } from "../domain/Row.ts"
import { rowOf } from "../postgres/Rows.ts"
import { inTransaction } from "../postgres/Transaction.ts"
import type { noticeData } from "./NoticeKinds.ts"
import { writeNotice } from "./Notices.ts"

type ConditionKind = "channel_down" | "ledger_drift" | "debt" | "disk_low"

/** One that nobody has seen for so long is over, in seconds: it is told again when it comes back. */
const OVER_SECONDS = 600

/** One that is not seen by so many looks in a row did not last meanwhile. */
const MISSED_LOOKS_MAX = 2
const MS_PER_SECOND = 1_000

const ToldCondition = Row({ since: Schema.String })

export interface Condition<K extends ConditionKind> {
  readonly kind: K
  /** What it is about, such as a channel's id. */
  readonly subject: string
  /** It is told once it has lasted so long, in seconds. */
  readonly afterSeconds: number
  /** Between two looks of those who watch, in milliseconds. */
  readonly everyMs: number
  readonly data: (typeof noticeData)[K]["Encoded"]
}

/** It is so at this moment. */
export const seeCondition = <K extends ConditionKind>(
  sql: SqlClient.SqlClient,
  { afterSeconds, data, everyMs, kind, subject }: Condition<K>
): Effect.Effect<void, SqlError.SqlError> =>
  inTransaction(
    sql,
    Effect.gen(function*() {
      const goneSeconds = (MISSED_LOOKS_MAX + 0.5) * everyMs / MS_PER_SECOND
      yield* sql`INSERT INTO notice_conditions AS c (kind, subject) VALUES (${kind}, ${subject})
        ON CONFLICT (kind, subject) DO UPDATE SET seen_at = now(),
          since = CASE WHEN c.seen_at < now() - make_interval(secs => ${goneSeconds}) THEN now() ELSE c.since END,
          told_at = CASE WHEN c.seen_at < now() - make_interval(secs => ${OVER_SECONDS}) THEN NULL ELSE c.told_at END`
      const told = yield* rowOf(
        ToldCondition,
        sql`UPDATE notice_conditions SET told_at = now()
        WHERE kind = ${kind} AND subject = ${subject} AND told_at IS NULL
          AND since <= now() - make_interval(secs => ${afterSeconds})
        RETURNING extract(epoch FROM since)::text AS since`
      )
      if (told === undefined) return
      yield* writeNotice(sql, { key: `${kind}:${subject}:${told.since}`, kind, userId: null, data })
    })
  )
