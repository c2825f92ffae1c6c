/**
 * `/admin/groups`: groups of users with prices of their own, made, changed and disabled.
 */
import { Effect } from "effect"
import { GroupAdmin } from "../../../../catalog/GroupAdmin.ts"
import { GroupId } from "../../../../domain/Ids.ts"
import { groupTerms } from "../../../../domain/UserGroup.ts"
import { refuse } from "../../Answer.ts"
import { Inputs } from "../../kit/Inputs.tsx"
import { enabledFilter } from "../../kit/List.tsx"
import { type PageContext, sayOf } from "../../PageContext.ts"
import { codeIn, codeInput } from "../RowForms.tsx"
import { rowKind } from "../RowKind.tsx"
import { shownTerms } from "../Terms.tsx"
import { timesText } from "./GroupParts.ts"

const termsOf = (context: PageContext) => {
  const say = sayOf(context, "groups")
  return shownTerms(context, groupTerms, {
    name: { label: say("name"), hint: say("name.hint") },
    multiplierMicros: { label: say("multiplier"), hint: say("multiplier.hint") }
  })
}

export const GroupsRoutes = rowKind({
  path: "/admin/groups",
  id: GroupId,
  texts: "groups",
  admin: GroupAdmin,
  terms: groupTerms,
  shown: termsOf,
  list: ({ context, say }) => {
    const { count } = context.formats
    return Effect.succeed({
      title: context.say("admin.groups"),
      filter: [enabledFilter(context, say)],
      empty: { icon: "users", title: say("empty"), text: say("empty.text") },
      none: say("none"),
      named: say("group"),
      columns: [
        { title: say("multiplier"), number: true, cell: ({ multiplierMicros }) => timesText(multiplierMicros) },
        { title: say("users"), number: true, cell: ({ users }) => count(users) },
        { title: say("redeemed"), number: true, wide: true, cell: ({ redeemed }) => count(redeemed) },
        { title: say("plans"), number: true, wide: true, cell: ({ plans }) => count(plans) }
      ]
    })
  },
  form: ({ context, row, say, state }) => {
    const { multiplierMicros, name } = termsOf(context).inputs()
    const code = row === undefined ? [codeInput(say)] : []
    return Effect.succeed(<Inputs state={state} inputs={[...code, name, [multiplierMicros]]} />)
  },
  made: (terms, fields) => ({ code: codeIn(fields), ...terms }),
  nameOf: ({ row }) => row.name,
  facts: ({ row, say }) => [[say("name"), row.name], [say("multiplier"), timesText(row.multiplierMicros)]],
  stake: ({ row: { plans, redeemed, users }, say }) => ({
    hint: say("kept"),
    counts: [[say("users"), users], [say("redeemed"), redeemed], [say("plans"), plans]]
  }),
  refusal: ({ problems, say }, error) => {
    if (error._tag === "GroupRefused") return refuse(problems(error.fields))
    return error._tag === "GroupExists" ? refuse({ code: say("code.exists") }, 409) : error
  }
})
