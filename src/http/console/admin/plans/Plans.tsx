/**
 * `/admin/plans`: what users can subscribe to, made, changed and taken off sale.
 */
import { Effect } from "effect"
import type { GroupChoice } from "../../../../accounts/UserGroups.ts"
import { GroupAdmin } from "../../../../catalog/GroupAdmin.ts"
import { PlanId } from "../../../../domain/Ids.ts"
import { planOffer } from "../../../../domain/Plan.ts"
import { type AdminPlan, PlanAdmin } from "../../../../subscriptions/PlanAdmin.ts"
import { refuse } from "../../Answer.ts"
import { type InputEntry, Inputs } from "../../kit/Inputs.tsx"
import { enabledFilter } from "../../kit/List.tsx"
import { Badge } from "../../kit/Parts.tsx"
import { type PageContext, sayOf, type UserContext } from "../../PageContext.ts"
import { groupChoice } from "../groups/GroupParts.ts"
import { codeIn, codeInput } from "../RowForms.tsx"
import { rowKind } from "../RowKind.tsx"
import { planTermsOf } from "./PlanTexts.ts"

interface PlanProps {
  readonly context: UserContext
  readonly plan: AdminPlan
}

const limitNames = ["limit5hMicros", "limit1dMicros", "limit7dMicros", "limit30dMicros"] as const

const inputsOf = (context: PageContext, groups: ReadonlyArray<GroupChoice>): ReadonlyArray<InputEntry> => {
  const say = sayOf(context, "adminPlans")
  const term = planTermsOf(context).inputs()
  return [
    term.name,
    [term.priceFen, term.durationDays],
    {
      name: "limits",
      legend: say("limits"),
      hint: `${say("limits.hint")} ${say("limits.all")}`,
      inputs: limitNames.map((name) => term[name])
    },
    [
      term.multiplierMicros,
      ...groups.length === 0
        ? []
        : [groupChoice(groups, { label: say("group"), hint: say("group.hint"), none: say("group.none") })]
    ],
    [term.requestsPerMinute, term.tokensPerMinute],
    [term.concurrentCalls, term.position],
    term.descriptionEn,
    term.descriptionZh,
    term.recommended
  ]
}

/** The limits that there are, each with its window. */
const PlanLimits = ({ plan, context }: PlanProps) => {
  const set = limitNames.filter((name) => plan[name] > 0n)
  return set.length === 0 ? <>{sayOf(context, "adminPlans")("limits.none")}</> : (
    <ul class="list-inline mb-0">
      {planTermsOf(context).facts(plan, set).map(([label, limit]) => (
        <li key={label} class="list-inline-item me-3 nowrap">
          <span class="text-secondary">{label}</span> {limit}
        </li>
      ))}
    </ul>
  )
}

const priceText = (context: PageContext, { priceFen }: AdminPlan): string =>
  priceFen === 0n ? sayOf(context, "adminPlans")("price.zero") : context.formats.cny(priceFen)

export const AdminPlansRoutes = rowKind({
  path: "/admin/plans",
  id: PlanId,
  texts: "adminPlans",
  admin: PlanAdmin,
  terms: planOffer,
  shown: planTermsOf,
  list: ({ context, say }) => {
    const terms = planTermsOf(context)
    const { count } = context.formats
    return Effect.succeed({
      title: say("plans"),
      filter: [enabledFilter(context, say)],
      empty: { icon: "plan", title: say("noPlansYet"), text: say("empty.text") },
      none: say("none"),
      named: say("plan"),
      columns: [
        { title: say("price"), number: true, cell: (plan) => priceText(context, plan) },
        {
          title: say("duration"),
          number: true,
          wide: true,
          cell: ({ durationDays }) => say("days", { count: durationDays })
        },
        { title: say("limits"), wide: true, cell: (plan) => <PlanLimits context={context} plan={plan} /> },
        { title: say("multiplier"), number: true, wide: true, cell: (plan) => terms.text("multiplierMicros", plan) },
        { title: say("position"), number: true, wide: true, cell: ({ position }) => count(position) },
        { title: say("subscriptions"), number: true, cell: ({ subscriptions }) => count(subscriptions) },
        { title: say("orders"), number: true, wide: true, cell: ({ pendingOrders }) => count(pendingOrders) }
      ]
    })
  },
  form: Effect.fnUntraced(function*({ context, row, say, state }) {
    const groups = yield* (yield* GroupAdmin).choices(row?.groupCode ?? null)
    const code = row === undefined ? [codeInput(say)] : []
    return <Inputs state={state} inputs={[...code, ...inputsOf(context, groups)]} />
  }),
  made: (terms, fields) => ({ code: codeIn(fields), ...terms }),
  nameOf: ({ row }) => row.name,
  badges: ({ row, say }) => row.recommended ? <Badge tone="green">{say("recommended")}</Badge> : null,
  facts: ({ context, row, say }) => [
    [say("name"), row.name],
    [say("price"), priceText(context, row)],
    [say("duration"), say("days", { count: row.durationDays })],
    [say("limits"), <PlanLimits context={context} plan={row} />],
    ...planTermsOf(context).facts(row, [
      "multiplierMicros",
      "groupCode",
      "requestsPerMinute",
      "tokensPerMinute",
      "concurrentCalls",
      "position",
      "descriptionEn",
      "descriptionZh",
      "recommended"
    ])
  ],
  stake: ({ row, say }) => ({
    hint: say("kept"),
    counts: [[say("subscriptions"), row.subscriptions], [say("orders"), row.pendingOrders]]
  }),
  refusal: ({ problems, say }, error) => {
    if (error._tag === "PlanRefused") return refuse(problems(error.fields))
    return error._tag === "PlanExists" ? refuse({ code: say("code.exists") }, 409) : error
  }
})
