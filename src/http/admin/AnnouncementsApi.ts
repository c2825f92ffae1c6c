/**
 * `/api/admin/announcements`: what all users are told. A change names the revision that it was made on.
 */
import { Effect, Struct } from "effect"
import { announcementTerms } from "../../domain/Announcement.ts"
import { idJson } from "../../domain/Fields.ts"
import { AnnouncementId } from "../../domain/Ids.ts"
import { AdminAnnouncement, AnnouncementAdmin } from "../../settings/AnnouncementAdmin.ts"
import { editErrors } from "./ApiError.ts"
import { answersOf, area } from "./ApiHandlers.ts"
import { jsonFields, pageQuery } from "./ApiSchema.ts"
import { rowAnswers, rowEndpoints } from "./RowsApi.ts"
import { describedTerms } from "./TermsApi.ts"

export class AnnouncementsApi extends area(
  "announcements",
  "Announcements",
  "What all users are told from one day to another, in the time zone of the books. It has a title in at least one language."
).add(
  ...rowEndpoints({
    one: "Announcement",
    query: pageQuery,
    id: idJson(AnnouncementId),
    shown: jsonFields(Struct.omit(AdminAnnouncement.fields, ["declared"])),
    terms: describedTerms(announcementTerms),
    code: {},
    enableErrors: editErrors
  })
) {}

export const AnnouncementsHandlers = answersOf(AnnouncementsApi)(AnnouncementAdmin, (announcements) => {
  const answers = rowAnswers("Announcement")(announcements)
  return {
    ...answers,
    // There are never too many for one to be disabled.
    disableAnnouncement: (request, admin) =>
      Effect.catchTag(answers.disableAnnouncement(request, admin), "AnnouncementRefused", Effect.die)
  }
})
