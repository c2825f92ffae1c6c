/**
 * What users are told: the announcements that run today, but for those that a user has dismissed, which stay away for good. All that
 * are enabled are in memory, so that a page asks the database only where there is something to say.
 */
import { Context, DateTime, Effect, Layer } from "effect"
import { SqlClient, type SqlError } from "effect/sql"
import { announcementState, announcementTerms } from "../domain/Announcement.ts"
import { AnnouncementId, type UserId } from "../domain/Ids.ts"
import { Row } from "../domain/Row.ts"
import type { DatabaseUnavailable } from "../postgres/DatabaseUnavailable.ts"
import { rowsOf } from "../postgres/Rows.ts"
import { Settings } from "./Settings.ts"
import { makeSnapshot } from "./Snapshot.ts"

/** Enabled and not over at once, at most. */
export const ANNOUNCEMENTS_MAX = 20

export const Announcement = Row({ id: AnnouncementId, ...announcementTerms.row })
export type Announcement = typeof Announcement.Type

const Dismissed = Row({ announcementId: AnnouncementId })

/** The day that a moment is in, in a zone that is known. */
export const dayIn = (at: Date, timeZone: string): string =>
  DateTime.formatIsoDate(DateTime.makeZonedUnsafe(at, { timeZone }))

export class Announcements extends Context.Service<Announcements, {
  /** Those that run at this moment, the latest first. */
  running(at: Date): Effect.Effect<ReadonlyArray<Announcement>, DatabaseUnavailable>
  /** The same without those that the user has dismissed. */
  forUser(
    userId: UserId,
    at: Date
  ): Effect.Effect<ReadonlyArray<Announcement>, DatabaseUnavailable | SqlError.SqlError>
  /** For good. What is dismissed already, or is not there, stays so. */
  dismiss(userId: UserId, id: AnnouncementId): Effect.Effect<void, SqlError.SqlError>
}>()("realms/settings/Announcements") {
  static readonly layer = Layer.effect(Announcements)(Effect.gen(function*() {
    const sql = yield* SqlClient.SqlClient
    const settings = yield* Settings

    const snapshot = yield* makeSnapshot<ReadonlyArray<Announcement>>({
      topics: ["settings"],
      load: rowsOf(
        Announcement,
        // No zone is two days behind.
        sql`SELECT id, ${sql.literal(announcementTerms.columnNames.join(", "))} FROM announcements
        WHERE disabled_at IS NULL AND (ends_on = '' OR ends_on >= (current_date - 2)::text)
        ORDER BY starts_on DESC, id DESC LIMIT ${2 * ANNOUNCEMENTS_MAX}`
      )
    })

    const running = Effect.fnUntraced(function*(at: Date) {
      const today = dayIn(at, settings.current().finance.timeZone)
      const all = yield* snapshot.get
      return all.filter((announcement) => announcementState(announcement, today) === "running")
    })

    const forUser = Effect.fn("Announcements.forUser")(function*(userId: UserId, at: Date) {
      const all = yield* running(at)
      if (all.length === 0) return all
      const ids = JSON.stringify(all.map(({ id }) => id.toString()))
      const rows = yield* rowsOf(
        Dismissed,
        sql`SELECT announcement_id FROM announcement_dismissals WHERE user_id = ${userId}
        AND announcement_id IN (SELECT jsonb_array_elements_text(${ids}::jsonb)::bigint)`
      )
      const dismissed = new Set<bigint>(rows.map(({ announcementId }) => announcementId))
      return all.filter(({ id }) => !dismissed.has(id))
    })

    const dismiss = Effect.fn("Announcements.dismiss")(function*(userId: UserId, id: AnnouncementId) {
      yield* sql`INSERT INTO announcement_dismissals (user_id, announcement_id)
        SELECT ${userId}::bigint, a.id FROM announcements a WHERE a.id = ${id} ON CONFLICT DO NOTHING`
    })

    return Announcements.of({ running, forUser, dismiss })
  }))
}
