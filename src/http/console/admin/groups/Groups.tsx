/**
 * `/admin/groups`: groups of users with prices of their own, made, changed and disabled.
 */
import { Effect } from "effect"
import { type AdminGroup, GroupAdmin } from "../../../../catalog/GroupAdmin.ts"
import type { GroupRefused } from "../../../../catalog/GroupError.ts"
import { GroupId } from "../../../../domain/Ids.ts"
import { type GroupField, groupTerms } from "../../../../domain/UserGroup.ts"
import { page, type Problems, redirect, refuse } from "../../Answer.ts"
import { adminFormPage, adminPage, pageForm, routes } from "../../ConsoleRoute.ts"
import { EditPage } from "../../kit/Forms.tsx"
import { type InputEntry, Inputs } from "../../kit/Inputs.tsx"
import { byId, enabledFilter, listPage, readListed } from "../../kit/List.tsx"
import { Figures, NewLink, RowBadges, Small } from "../../kit/Parts.tsx"
import { actorOf, type PageContext, sayOf, type UserContext } from "../../PageContext.ts"
import { oneOf, pathId } from "../../Params.ts"
import { codeInput, newRowPage, rowPages, rowPaths } from "../RowForms.tsx"
import { shownTerms } from "../Terms.tsx"
import { timesText } from "./GroupParts.ts"

interface GroupProps {
  readonly context: UserContext
  readonly group: AdminGroup
}

const termsOf = (context: PageContext) => {
  const say = sayOf(context, "groups")
  return shownTerms(context, groupTerms, {
    name: { label: say("name"), hint: say("name.hint") },
    multiplierMicros: { label: say("multiplier"), hint: say("multiplier.hint") }
  })
}

const inputsOf = (context: PageContext): ReadonlyArray<InputEntry> => {
  const { multiplierMicros, name } = termsOf(context).inputs()
  return [name, [multiplierMicros]]
}

/** Says what is wrong beside each field. */
const groupProblems = (context: PageContext, fields: ReadonlyArray<GroupField>): Problems => ({
  ...fields.includes("code") ? { code: sayOf(context, "groups")("code.problem") } : {},
  ...termsOf(context).problems(fields)
})

const GroupFigures = ({ group, context }: GroupProps) => {
  const say = sayOf(context, "groups")
  const { count } = context.formats
  return (
    <Figures
      figures={[
        { label: say("users"), value: count(group.users), hint: say("kept") },
        { label: say("redeemed"), value: count(group.redeemed), hint: say("kept") },
        { label: say("plans"), value: count(group.plans), hint: say("kept") }
      ]}
    />
  )
}

const PAGE_SIZE = 50

const list = Effect.fnUntraced(function*(context: UserContext) {
  const state = oneOf(["enabled", "disabled"], context.query.get("state"))
  const groups = yield* GroupAdmin
  const found = yield* readListed(context, { size: PAGE_SIZE }, (range) => groups.list({ state, ...range }))
  const say = sayOf(context, "groups")
  const { count } = context.formats
  return listPage<AdminGroup>({
    context,
    path: "/admin/groups",
    title: context.say("admin.groups"),
    lead: say("lead"),
    actions: <NewLink href="/admin/groups/new" text={say("new")} />,
    filter: [enabledFilter(say, state)],
    ...found,
    cursor: byId,
    empty: { icon: "users", title: say("empty"), text: say("empty.text") },
    none: say("none"),
    columns: [
      {
        title: say("group"),
        cell: (group) => (
          <>
            <a class="break-anywhere" href={`/admin/groups/${group.id}`}>{group.name}</a>{" "}
            <RowBadges context={context} row={group} />
            <Small>
              <code>{group.code}</code>
            </Small>
          </>
        )
      },
      { title: say("multiplier"), number: true, cell: ({ multiplierMicros }) => timesText(multiplierMicros) },
      { title: say("users"), number: true, cell: ({ users }) => count(users) },
      { title: say("redeemed"), number: true, wide: true, cell: ({ redeemed }) => count(redeemed) },
      { title: say("plans"), number: true, wide: true, cell: ({ plans }) => count(plans) }
    ]
  })
})

const refused = (context: UserContext) => ({ fields }: GroupRefused) => refuse(groupProblems(context, fields))

const readGroup = (context: UserContext, form: URLSearchParams) =>
  Effect.mapError(Effect.fromResult(groupTerms.readForm(form)), (fields) => refuse(groupProblems(context, fields)))

const create = pageForm({
  show: (context, state) => {
    const say = sayOf(context, "groups")
    return Effect.succeed(newRowPage({
      context,
      state,
      say,
      list: "/admin/groups",
      lead: say("lead"),
      inputs: [codeInput(say), ...inputsOf(context)]
    }))
  },
  run: (context, fields) =>
    Effect.gen(function*() {
      const code = (fields.get("code") ?? "").trim()
      const id = yield* (yield* GroupAdmin).create(actorOf(context), { code, ...yield* readGroup(context, fields) })
      return redirect(`/admin/groups/${id}?done=created`)
    }).pipe(
      Effect.catchTags({
        GroupRefused: refused(context),
        GroupExists: () => refuse({ code: sayOf(context, "groups")("code.exists") }, 409)
      })
    )
})

const group = rowPages({
  at: rowPaths("/admin/groups", ":id"),
  find: () =>
    Effect.gen(function*() {
      return yield* (yield* GroupAdmin).get(yield* pathId("id", GroupId))
    }),
  paths: ({ id }: AdminGroup) => rowPaths("/admin/groups", id),
  say: (context) => sayOf(context, "groups"),
  formOf: (row) => new URLSearchParams(groupTerms.toForm(row)),
  show: (edited) => {
    const { row, state, context } = edited
    const say = sayOf(context, "groups")
    return Effect.succeed(page(
      row.name,
      <EditPage
        {...edited}
        title={row.name}
        lead={
          <>
            <code>{row.code}</code> <RowBadges context={context} row={row} />
          </>
        }
        facts={[[say("name"), row.name], [say("multiplier"), timesText(row.multiplierMicros)]]}
        above={<GroupFigures context={context} group={row} />}
      >
        <Inputs state={state} inputs={inputsOf(context)} />
      </EditPage>
    ))
  },
  disableText: (context, { name }) => sayOf(context, "groups")("disable.text", { name }),
  stake: (context, row) => GroupFigures({ context, group: row }),
  save: ({ revision, row: { id }, context }, fields) =>
    Effect.gen(function*() {
      yield* (yield* GroupAdmin).edit(actorOf(context), { id, revision }, yield* readGroup(context, fields))
    }).pipe(Effect.catchTag("GroupRefused", refused(context))),
  setEnabled: ({ revision, row: { id }, context }, enabled) =>
    Effect.flatMap(GroupAdmin, (groups) => groups.setEnabled(actorOf(context), { id, revision }, enabled))
})

export const GroupsRoutes = routes(
  adminPage("/admin/groups", list),
  adminFormPage("/admin/groups/new", create),
  group.routes
)
