/**
 * Announcements as root makes them. A change is recorded, counts as a new revision, and is seen on the next page of everybody who has
 * not dismissed the announcement before.
 */
import { Clock, Context, DateTime, Effect, Layer, Schema } from "effect"
import { SqlClient, type SqlError } from "effect/sql"
import { type AnnouncementTerms, announcementTerms, wrongAnnouncement } from "../domain/Announcement.ts"
import { AnnouncementId } from "../domain/Ids.ts"
import { Row } from "../domain/Row.ts"
import { type Actor, recordChange } from "../platform/AuditLog.ts"
import { publish } from "../platform/Notifications.ts"
import {
  editRow,
  managedFields,
  refuseUnseen,
  type RowAt,
  type RowChanges,
  type RowReads,
  switchRow
} from "../platform/RowAdmin.ts"
import { countOf, type IdPage, oneRowOf, rowOf, rowsOf } from "../postgres/Rows.ts"
import { inTransaction } from "../postgres/Transaction.ts"
import { ANNOUNCEMENTS_MAX, dayIn } from "./Announcements.ts"
import { Settings } from "./Settings.ts"

export const AdminAnnouncement = Row({
  id: AnnouncementId,
  ...announcementTerms.row,
  /** Never declared: config.yaml has none. */
  ...managedFields,
  createdAt: Schema.Date,
  updatedAt: Schema.Date
})
export interface AdminAnnouncement extends Schema.Schema.Type<typeof AdminAnnouncement> {}

export class AnnouncementNotFound
  extends Schema.TaggedError<AnnouncementNotFound>()("AnnouncementNotFound", { id: AnnouncementId })
{
  override readonly message = `there is no announcement ${this.id}`
}

/** These fields are wrong; none: too many announcements are enabled and not over. Nothing has changed. */
export class AnnouncementRefused extends Schema.TaggedError<AnnouncementRefused>()("AnnouncementRefused", {
  fields: Schema.Array(Schema.Literals(announcementTerms.names))
}) {}

const Made = Row({ id: AnnouncementId })

const rows = { table: "announcements", kind: "announcement", isDeclarable: false }

/** Of the advisory lock under which announcements are written, one change at a time. */
const ANNOUNCE_LOCK = 7_304_160_541n

interface Shape
  extends
    RowReads<AnnouncementId, AdminAnnouncement, IdPage, AnnouncementNotFound>,
    RowChanges<AnnouncementId, AnnouncementTerms, AnnouncementRefused, AnnouncementNotFound | AnnouncementRefused>
{
  /** Answers the id: of the one that says the same already, where it is enabled, so that a form that is sent twice makes one. */
  create(
    actor: Actor,
    terms: AnnouncementTerms
  ): Effect.Effect<AnnouncementId, AnnouncementRefused | SqlError.SqlError>
}

export class AnnouncementAdmin
  extends Context.Service<AnnouncementAdmin, Shape>()("realms/settings/AnnouncementAdmin")
{
  static readonly layer = Layer.effect(AnnouncementAdmin)(Effect.gen(function*() {
    const sql = yield* SqlClient.SqlClient
    const settings = yield* Settings

    const columns = sql`a.*, false AS declared`

    const list = Effect.fn("AnnouncementAdmin.list")(function*({ before, limit }: IdPage) {
      return yield* rowsOf(
        AdminAnnouncement,
        sql`SELECT ${columns} FROM announcements a
        WHERE ${before ?? null}::bigint IS NULL OR a.id < ${before ?? null}::bigint ORDER BY a.id DESC LIMIT ${limit}`
      )
    })

    const get = Effect.fn("AnnouncementAdmin.get")(function*(id: AnnouncementId) {
      const row = yield* rowOf(AdminAnnouncement, sql`SELECT ${columns} FROM announcements a WHERE a.id = ${id}`)
      return row === undefined ? yield* new AnnouncementNotFound({ id }) : row
    })

    /** Writes under the lock, refuses what makes too many, and tells every server. */
    const change = <A, E>(write: Effect.Effect<A, E>) =>
      inTransaction(
        sql,
        Effect.gen(function*() {
          yield* sql`SELECT pg_advisory_xact_lock(${ANNOUNCE_LOCK})`
          const now = DateTime.toDateUtc(DateTime.makeUnsafe(yield* Clock.currentTimeMillis))
          const today = dayIn(now, settings.current().finance.timeZone)
          const enabled = countOf(
            sql`SELECT count(*) FROM announcements WHERE disabled_at IS NULL AND (ends_on = '' OR ends_on >= ${today})`
          )
          const before = yield* enabled
          const written = yield* write
          const after = yield* enabled
          if (after > before && after > ANNOUNCEMENTS_MAX) return yield* new AnnouncementRefused({ fields: [] })
          yield* publish(sql, "settings", "announcements")
          return written
        })
      )

    const create = Effect.fn("AnnouncementAdmin.create")(function*(actor: Actor, terms: AnnouncementTerms) {
      const fields = wrongAnnouncement(terms)
      if (fields.length > 0) return yield* new AnnouncementRefused({ fields })
      const row = announcementTerms.toRow(terms)
      return yield* change(Effect.gen(function*() {
        const same = yield* rowOf(
          Made,
          sql`SELECT id FROM announcements WHERE disabled_at IS NULL AND ${
            sql.and(
              Object.entries(row).map(([column, value]) => sql`${sql(column)} = ${value}`)
            )
          } ORDER BY id LIMIT 1`
        )
        if (same !== undefined) return same.id
        const { id } = yield* oneRowOf(Made, sql`INSERT INTO announcements ${sql.insert(row)} RETURNING id`)
        yield* recordChange(sql, actor, {
          action: "announcement.created",
          target: `announcement:${id}`,
          before: null,
          after: row
        })
        return id
      }))
    })

    /** The row as root saw it, locked. */
    const lockAsSeen = Effect.fnUntraced(function*({ id, revision }: RowAt<AnnouncementId>) {
      const row = yield* rowOf(
        AdminAnnouncement,
        sql`SELECT ${columns} FROM announcements a WHERE a.id = ${id} FOR NO KEY UPDATE OF a`
      )
      if (row === undefined) return yield* new AnnouncementNotFound({ id })
      yield* refuseUnseen(row, { kind: "announcement", name: String(id), revision })
      return { row, ...rows }
    })

    const edit = Effect.fn("AnnouncementAdmin.edit")(
      function*(actor: Actor, at: RowAt<AnnouncementId>, terms: AnnouncementTerms) {
        const fields = wrongAnnouncement(terms)
        if (fields.length > 0) return yield* new AnnouncementRefused({ fields })
        yield* change(Effect.gen(function*() {
          const locked = yield* lockAsSeen(at)
          const [was, columns] = [announcementTerms.toRow(locked.row), announcementTerms.toRow(terms)]
          yield* editRow(sql, actor, { ...locked, was, columns })
        }))
      }
    )

    const setEnabled = Effect.fn("AnnouncementAdmin.setEnabled")(
      function*(actor: Actor, at: RowAt<AnnouncementId>, enabled: boolean) {
        yield* change(Effect.gen(function*() {
          yield* switchRow(sql, actor, { ...yield* lockAsSeen(at), enabled })
        }))
      }
    )

    return AnnouncementAdmin.of({ list, get, create, edit, setEnabled })
  }))
}
