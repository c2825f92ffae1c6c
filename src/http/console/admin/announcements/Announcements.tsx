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
import {
  type AdminAnnouncement,
  AnnouncementAdmin,
  type AnnouncementRefused
} from "../../../../settings/AnnouncementAdmin.ts"
import { ANNOUNCEMENTS_MAX, dayIn } from "../../../../settings/Announcements.ts"
import { Settings } from "../../../../settings/Settings.ts"
import { page, redirect, refuse } from "../../Answer.ts"
import { adminFormPage, adminPage, pageForm, routes } from "../../ConsoleRoute.ts"
import { EditPage } from "../../kit/Forms.tsx"
import { Group, type InputEntry, Inputs } from "../../kit/Inputs.tsx"
import { byId, listPage, readListed } from "../../kit/List.tsx"
import { NewLink, RowBadges, StateBadge, type States } from "../../kit/Parts.tsx"
import type { FormState } from "../../Answer.ts"
import { actorOf, type PageContext, sayOf, type UserContext } from "../../PageContext.ts"
import { pathId } from "../../Params.ts"
import { newRowPage, rowPages, rowPaths } from "../RowForms.tsx"
import { shownTerms } from "../Terms.tsx"

const PAGE_SIZE = 50

const states: States<AnnouncementState, "coming" | "running" | "over"> = {
  coming: ["blue", "coming"],
  running: ["green", "running"],
  over: ["secondary", "over"]
}

/** The day in the zone by which announcements begin and end. */
const todayOf = (context: PageContext) =>
  Effect.map(Settings, (settings) => dayIn(context.now, settings.current().finance.timeZone))

const termsOf = (context: PageContext, today = "") => {
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
  readonly today?: string
}

const Fields = ({ state, today, context }: FieldsProps) => {
  const say = sayOf(context, "adminAnnouncements")
  const term = termsOf(context, today).inputs()
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

const refused = (context: UserContext) => ({ fields }: AnnouncementRefused) =>
  refuse(
    fields.length === 0
      ? { form: sayOf(context, "adminAnnouncements")("many", { count: ANNOUNCEMENTS_MAX }) }
      : termsOf(context).problems(fields)
  )

const readTerms = (context: UserContext, form: URLSearchParams) =>
  Effect.mapError(
    Effect.fromResult(announcementTerms.readForm(form)),
    (fields) => refuse(termsOf(context).problems(fields))
  )

const list = Effect.fnUntraced(function*(context: UserContext) {
  const announcements = yield* AnnouncementAdmin
  const found = yield* readListed(context, { size: PAGE_SIZE }, announcements.list)
  const today = yield* todayOf(context)
  const say = sayOf(context, "adminAnnouncements")
  return listPage<AdminAnnouncement>({
    context,
    path: "/admin/announcements",
    title: say("announcements"),
    lead: say("lead"),
    actions: <NewLink href="/admin/announcements/new" text={say("new")} />,
    ...found,
    cursor: byId,
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
  })
})

const create = pageForm({
  show: Effect.fnUntraced(function*(context: UserContext, state: FormState) {
    const say = sayOf(context, "adminAnnouncements")
    const today = yield* todayOf(context)
    return newRowPage({
      context,
      state,
      say,
      list: "/admin/announcements",
      lead: say("lead"),
      children: <Fields context={context} state={state} today={today} />
    })
  }),
  run: (context, fields) =>
    Effect.gen(function*() {
      const id = yield* (yield* AnnouncementAdmin).create(actorOf(context), yield* readTerms(context, fields))
      return redirect(`/admin/announcements/${id}?done=created`)
    }).pipe(Effect.catchTag("AnnouncementRefused", refused(context)))
})

const titleOf = (context: PageContext, row: AdminAnnouncement): string => announcementIn(row, context.language).title

const announcement = rowPages({
  at: rowPaths("/admin/announcements", ":id"),
  find: () =>
    Effect.gen(function*() {
      return yield* (yield* AnnouncementAdmin).get(yield* pathId("id", AnnouncementId))
    }),
  paths: ({ id }: AdminAnnouncement) => rowPaths("/admin/announcements", id),
  say: (context) => sayOf(context, "adminAnnouncements"),
  formOf: (row) => new URLSearchParams(announcementTerms.toForm(row)),
  show: (edited) => {
    const { row, state, context } = edited
    return Effect.succeed(page(
      titleOf(context, row),
      <EditPage
        {...edited}
        title={titleOf(context, row)}
        lead={<RowBadges context={context} row={row} />}
        facts={termsOf(context).facts(row)}
      >
        <Fields context={context} state={state} />
      </EditPage>
    ))
  },
  disableText: (context, row) => sayOf(context, "adminAnnouncements")("disable.text", { title: titleOf(context, row) }),
  save: ({ revision, row: { id }, context }, fields) =>
    Effect.gen(function*() {
      yield* (yield* AnnouncementAdmin).edit(actorOf(context), { id, revision }, yield* readTerms(context, fields))
    }).pipe(Effect.catchTag("AnnouncementRefused", refused(context))),
  setEnabled: ({ revision, row: { id }, context }, enabled) =>
    Effect.gen(function*() {
      yield* (yield* AnnouncementAdmin).setEnabled(actorOf(context), { id, revision }, enabled)
    }).pipe(Effect.catchTag("AnnouncementRefused", refused(context)))
})

export const AdminAnnouncementsRoutes = routes(
  adminPage("/admin/announcements", list),
  adminFormPage("/admin/announcements/new", create),
  announcement.routes
)
