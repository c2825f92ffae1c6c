/**
 * `/admin/announcements`: what all users are told, made, changed and taken away.
 */
import { Effect } from "effect"
import {
  announcementIn,
  type AnnouncementState,
  announcementState,
  announcementTerms
} from "../../../../domain/Announcement.ts"
import { AnnouncementId } from "../../../../domain/Ids.ts"
import { AnnouncementAdmin } from "../../../../settings/AnnouncementAdmin.ts"
import { ANNOUNCEMENTS_MAX, dayIn } from "../../../../settings/Announcements.ts"
import { Settings } from "../../../../settings/Settings.ts"
import { refuse } from "../../Answer.ts"
import { Group, Inputs } from "../../kit/Inputs.tsx"
import { StateBadge, type States } from "../../kit/Parts.tsx"
import { type PageContext, sayOf } from "../../PageContext.ts"
import { rowKind } from "../RowKind.tsx"
import { shownTerms } from "../Terms.tsx"

const states: States<AnnouncementState, "coming" | "running" | "over"> = {
  coming: ["blue", "coming"],
  running: ["green", "running"],
  over: ["secondary", "over"]
}

/** The day in the zone by which announcements begin and end. */
const todayOf = (context: PageContext) =>
  Effect.map(Settings, (settings) => dayIn(context.now, settings.current().finance.timeZone))

/** Its terms with their words. */
export const announcementTermsOf = (context: PageContext, today = "") => {
  const say = sayOf(context, "adminAnnouncements")
  return shownTerms(context, announcementTerms, {
    startsOn: { label: say("from"), hint: say("day.hint"), initial: today },
    endsOn: { label: say("until"), hint: say("until.hint"), problem: say("until.problem") },
    titleEn: { label: say("subject"), problem: say("subject.problem") },
    textEn: { label: say("text"), hint: say("text.hint") },
    titleZh: { label: say("subject"), problem: say("subject.problem") },
    textZh: { label: say("text"), hint: say("text.hint") }
  })
}

export const AdminAnnouncementsRoutes = rowKind({
  path: "/admin/announcements",
  id: AnnouncementId,
  texts: "adminAnnouncements",
  admin: AnnouncementAdmin,
  terms: announcementTerms,
  shown: announcementTermsOf,
  list: Effect.fnUntraced(function*({ context, say }) {
    const today = yield* todayOf(context)
    return {
      title: say("announcements"),
      empty: { icon: "info", title: say("empty"), text: say("empty.text") },
      named: say("subject"),
      columns: [
        {
          title: say("state"),
          cell: (row) =>
            row.disabledAt === null
              ? <StateBadge say={say} states={states} state={announcementState(row, today)} />
              : null
        },
        { title: say("from"), cell: ({ startsOn }) => <span class="nowrap">{startsOn}</span> },
        {
          title: say("until"),
          wide: true,
          cell: ({ endsOn }) => <span class="nowrap">{endsOn === "" ? "–" : endsOn}</span>
        }
      ]
    }
  }),
  form: Effect.fnUntraced(function*({ context, row, say, state }) {
    const term = announcementTermsOf(context, row === undefined ? yield* todayOf(context) : "").inputs()
    return (
      <>
        <Inputs state={state} inputs={[[term.startsOn, term.endsOn]]} />
        <Group title={say("english")} hint={say("language.hint")}>
          <Inputs state={state} inputs={[term.titleEn, term.textEn]} />
        </Group>
        <Group title={say("chinese")}>
          <Inputs state={state} inputs={[term.titleZh, term.textZh]} />
        </Group>
      </>
    )
  }),
  made: (terms) => terms,
  nameOf: ({ context, row }) => announcementIn(row, context.language).title,
  refusal: ({ problems, say }, error) => {
    if (error._tag === "AnnouncementNotFound") return error
    return refuse(
      error.fields.length === 0 ? { form: say("many", { count: ANNOUNCEMENTS_MAX }) } : problems(error.fields)
    )
  }
})
