/**
 * `/api/admin/announcements`: what all users are told. A change names the revision that it was made on.
 */
import { Effect } from "effect"
import { HttpApiEndpoint } from "effect/http-api"
import { type AnnouncementField, announcementTerms } from "../../domain/Announcement.ts"
import { IdJson, idJson } from "../../domain/Fields.ts"
import { AnnouncementId } from "../../domain/Ids.ts"
import { columnOf, Json } from "../../domain/Row.ts"
import { AdminAnnouncement, AnnouncementAdmin, type AnnouncementRefused } from "../../settings/AnnouncementAdmin.ts"
import { ANNOUNCEMENTS_MAX } from "../../settings/Announcements.ts"
import type { Administrator } from "./AdminAccess.ts"
import { ApiNotFound, ApiRefused, changeErrors, editErrors } from "./ApiError.ts"
import { answersOf, area, listed } from "./ApiHandlers.ts"
import { created, documented, itemsOf, jsonFields, PAGE_ITEMS_MAX, pageQuery } from "./ApiSchema.ts"
import { ApiRevision } from "./ModelsApi.ts"
import { describedTerms, rangeText } from "./TermsApi.ts"

const terms = describedTerms(announcementTerms)

const { declared: _, ...shownFields } = AdminAnnouncement.fields

const Announcement = Json({ ...jsonFields(shownFields), ...terms }).pipe(documented("Announcement"))

const NewAnnouncement = Json(terms).pipe(documented("NewAnnouncement"))

const AnnouncementEdit = Json({ revision: IdJson, ...terms }).pipe(documented("AnnouncementEdit"))

const params = { id: idJson(AnnouncementId) }

const { get, post, put } = HttpApiEndpoint

export class AnnouncementsApi extends area(
  "announcements",
  "Announcements",
  "What all users are told from one day to another, in the time zone of the books. It has a title in at least one language."
).add(
  get("listAnnouncements", "/announcements", { query: pageQuery, success: itemsOf(Announcement) }),
  get("getAnnouncement", "/announcements/:id", { params, success: Announcement, error: ApiNotFound }),
  post("createAnnouncement", "/announcements", {
    payload: NewAnnouncement,
    success: Announcement.pipe(created),
    error: editErrors
  }),
  put("editAnnouncement", "/announcements/:id", {
    params,
    payload: AnnouncementEdit,
    success: Announcement,
    error: editErrors
  }),
  post("disableAnnouncement", "/announcements/:id/disable", {
    params,
    payload: ApiRevision,
    success: Announcement,
    error: changeErrors
  }),
  post("enableAnnouncement", "/announcements/:id/enable", {
    params,
    payload: ApiRevision,
    success: Announcement,
    error: editErrors
  })
) {}

const ruleOf = (field: AnnouncementField): string => {
  const range = rangeText(announcementTerms.fields[field].kind)
  if (field === "endsOn") return `${range}, not before starts_on`
  return field === "titleEn" || field === "titleZh" ? `${range}; one language has a title` : range
}

const refused = ({ fields }: AnnouncementRefused) =>
  Effect.fail(
    new ApiRefused({
      message: fields.length === 0
        ? `At most ${ANNOUNCEMENTS_MAX} announcements are enabled and not over: disable one first.`
        : "The announcement is not what can be shown.",
      problems: Object.fromEntries(fields.map((field) => [columnOf(field), ruleOf(field)]))
    })
  )

export const AnnouncementsHandlers = answersOf(AnnouncementsApi)(AnnouncementAdmin, (announcements) => {
  const setEnabled = (admin: Administrator, id: AnnouncementId, revision: bigint, enabled: boolean) =>
    Effect.andThen(announcements.setEnabled(admin, { id, revision }, enabled), announcements.get(id))

  return {
    listAnnouncements: ({ query: { before, limit = PAGE_ITEMS_MAX } }) => listed(announcements.list({ before, limit })),
    getAnnouncement: ({ params }) => announcements.get(params.id),
    createAnnouncement: ({ payload }, admin) =>
      announcements.create(admin, payload).pipe(
        Effect.flatMap(announcements.get),
        Effect.catchTag("AnnouncementRefused", refused)
      ),
    editAnnouncement: ({ params: { id }, payload: { revision, ...asked } }, admin) =>
      announcements.edit(admin, { id, revision }, asked).pipe(
        Effect.andThen(announcements.get(id)),
        Effect.catchTag("AnnouncementRefused", refused)
      ),
    disableAnnouncement: ({ params, payload }, admin) =>
      setEnabled(admin, params.id, payload.revision, false).pipe(Effect.catchTag("AnnouncementRefused", Effect.die)),
    enableAnnouncement: ({ params, payload }, admin) =>
      setEnabled(admin, params.id, payload.revision, true).pipe(Effect.catchTag("AnnouncementRefused", refused))
  }
})
