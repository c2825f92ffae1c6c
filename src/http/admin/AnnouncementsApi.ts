/**
 * `/api/admin/announcements`: what all users are told. A change names the revision that it was made on.
 */
import { Effect } from "effect"
import { type AnnouncementField, announcementTerms } from "../../domain/Announcement.ts"
import { IdJson, idJson } from "../../domain/Fields.ts"
import { AnnouncementId } from "../../domain/Ids.ts"
import { Json } from "../../domain/Row.ts"
import { AdminAnnouncement, AnnouncementAdmin, type AnnouncementRefused } from "../../settings/AnnouncementAdmin.ts"
import { ANNOUNCEMENTS_MAX } from "../../settings/Announcements.ts"
import { editErrors } from "./ApiError.ts"
import { answersOf, area } from "./ApiHandlers.ts"
import { documented, jsonFields, pageQuery } from "./ApiSchema.ts"
import { refuseFields, rowAnswers, rowEndpoints } from "./RowsApi.ts"
import { describedTerms, rangeText } from "./TermsApi.ts"

const terms = describedTerms(announcementTerms)

const { declared: _, ...shownFields } = AdminAnnouncement.fields

const Announcement = Json({ ...jsonFields(shownFields), ...terms }).pipe(documented("Announcement"))

const NewAnnouncement = Json(terms).pipe(documented("NewAnnouncement"))

const AnnouncementEdit = Json({ revision: IdJson, ...terms }).pipe(documented("AnnouncementEdit"))

export class AnnouncementsApi extends area(
  "announcements",
  "Announcements",
  "What all users are told from one day to another, in the time zone of the books. It has a title in at least one language."
).add(
  ...rowEndpoints({
    one: "Announcement",
    path: "/announcements",
    query: pageQuery,
    id: idJson(AnnouncementId),
    row: Announcement,
    create: NewAnnouncement,
    edit: AnnouncementEdit,
    enableErrors: editErrors
  })
) {}

const ruleOf = (field: AnnouncementField): string => {
  const range = rangeText(announcementTerms.fields[field].kind)
  if (field === "endsOn") return `${range}, not before starts_on`
  return field === "titleEn" || field === "titleZh" ? `${range}; one language has a title` : range
}

const refused = ({ fields }: AnnouncementRefused) =>
  refuseFields(
    fields.length === 0
      ? `At most ${ANNOUNCEMENTS_MAX} announcements are enabled and not over: disable one first.`
      : "The announcement is not what can be shown.",
    fields,
    ruleOf
  )

export const AnnouncementsHandlers = answersOf(AnnouncementsApi)(AnnouncementAdmin, (announcements) => {
  const { create, disable, edit, enable, get, list } = rowAnswers(announcements)
  return {
    listAnnouncements: list,
    getAnnouncement: get,
    createAnnouncement: (request, admin) => Effect.catchTag(create(request, admin), "AnnouncementRefused", refused),
    editAnnouncement: (request, admin) => Effect.catchTag(edit(request, admin), "AnnouncementRefused", refused),
    disableAnnouncement: (request, admin) =>
      Effect.catchTag(disable(request, admin), "AnnouncementRefused", Effect.die),
    enableAnnouncement: (request, admin) => Effect.catchTag(enable(request, admin), "AnnouncementRefused", refused)
  }
})
