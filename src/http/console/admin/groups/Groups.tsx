/**
 * `/admin/groups`: groups of users with prices of their own, made, changed and disabled.
 */
import { Effect } from "effect"
import { type AdminGroup, GroupAdmin } from "../../../../catalog/GroupAdmin.ts"
import { GroupId } from "../../../../domain/Ids.ts"
import { groupTerms } from "../../../../domain/UserGroup.ts"
import { type Problems, refuse } from "../../Answer.ts"
import { Inputs } from "../../kit/Inputs.tsx"
import { enabledFilter } from "../../kit/List.tsx"
import { Figures, RowBadges, Small } from "../../kit/Parts.tsx"
import { type PageContext, sayOf, type UserContext } from "../../PageContext.ts"
import { codeIn, codeInput, codeProblem } from "../RowForms.tsx"
import { rowKind } from "../RowKind.tsx"
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

/** Says what is wrong beside each field. */
const problems = (context: PageContext, fields: ReadonlyArray<string>): Problems => ({
  ...codeProblem(sayOf(context, "groups"), fields),
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

export const GroupsRoutes = rowKind({
  path: "/admin/groups",
  id: GroupId,
  admin: GroupAdmin,
  terms: groupTerms,
  say: (context) => sayOf(context, "groups"),
  list: (context) => {
    const say = sayOf(context, "groups")
    const { count } = context.formats
    return Effect.succeed({
      title: context.say("admin.groups"),
      filter: [enabledFilter(context, say)],
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
  },
  form: ({ context, row, state }) => {
    const { multiplierMicros, name } = termsOf(context).inputs()
    const code = row === undefined ? [codeInput(sayOf(context, "groups"))] : []
    return Effect.succeed(<Inputs state={state} inputs={[...code, name, [multiplierMicros]]} />)
  },
  made: (terms, fields) => ({ code: codeIn(fields), ...terms }),
  nameOf: ({ row }) => row.name,
  lead: ({ context, row }) => (
    <>
      <code>{row.code}</code> <RowBadges context={context} row={row} />
    </>
  ),
  facts: ({ context, row }) => {
    const say = sayOf(context, "groups")
    return [[say("name"), row.name], [say("multiplier"), timesText(row.multiplierMicros)]]
  },
  stake: ({ context, row }) => <GroupFigures context={context} group={row} />,
  problems,
  refusal: (context, error) => {
    if (error._tag === "GroupRefused") return refuse(problems(context, error.fields))
    return error._tag === "GroupExists" ? refuse({ code: sayOf(context, "groups")("code.exists") }, 409) : error
  }
})
