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
import { type FormState, refuse } from "../../Answer.ts"
import { Group, type InputEntry, Inputs } from "../../kit/Inputs.tsx"
import { RowBadges, StateBadge, type States } from "../../kit/Parts.tsx"
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

interface FieldsProps {
  readonly context: PageContext
  readonly state: FormState
  readonly today: string
}

const Fields = ({ state, today, context }: FieldsProps) => {
  const say = sayOf(context, "adminAnnouncements")
  const term = announcementTermsOf(context, today).inputs()
  const days: InputEntry = [term.startsOn, term.endsOn]
  return (
    <>
      <Inputs state={state} inputs={[days]} />
      <Group title={say("english")} hint={say("language.hint")}>
        <Inputs state={state} inputs={[term.titleEn, term.textEn]} />
      </Group>
      <Group title={say("chinese")}>
        <Inputs state={state} inputs={[term.titleZh, term.textZh]} />
      </Group>
    </>
  )
}

export const AdminAnnouncementsRoutes = rowKind({
  path: "/admin/announcements",
  id: AnnouncementId,
  admin: AnnouncementAdmin,
  terms: announcementTerms,
  say: (context) => sayOf(context, "adminAnnouncements"),
  list: Effect.fnUntraced(function*(context) {
    const today = yield* todayOf(context)
    const say = sayOf(context, "adminAnnouncements")
    return {
      title: say("announcements"),
      empty: { icon: "info", title: say("empty"), text: say("empty.text") },
      columns: [
        {
          title: say("subject"),
          cell: (row) => (
            <>
              <a class="break-anywhere" href={`/admin/announcements/${row.id}`}>
                {announcementIn(row, context.language).title}
              </a>{" "}
              <RowBadges context={context} row={row} />
            </>
          )
        },
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
  form: Effect.fnUntraced(function*({ context, row, state }) {
    return <Fields context={context} state={state} today={row === undefined ? yield* todayOf(context) : ""} />
  }),
  made: (terms) => terms,
  nameOf: ({ context, row }) => announcementIn(row, context.language).title,
  lead: ({ context, row }) => <RowBadges context={context} row={row} />,
  facts: ({ context, row }) => announcementTermsOf(context).facts(row),
  problems: (context, fields) => announcementTermsOf(context).problems(fields),
  refusal: (context, error) => {
    if (error._tag === "AnnouncementNotFound") return error
    return refuse(
      error.fields.length === 0
        ? { form: sayOf(context, "adminAnnouncements")("many", { count: ANNOUNCEMENTS_MAX }) }
        : announcementTermsOf(context).problems(error.fields)
    )
  }
})
