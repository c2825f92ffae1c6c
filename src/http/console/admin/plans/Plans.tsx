/**
 * `/admin/plans`: what users can subscribe to, made, changed and taken off sale.
 */
import { Effect } from "effect"
import type { GroupChoice } from "../../../../accounts/UserGroups.ts"
import { GroupAdmin } from "../../../../catalog/GroupAdmin.ts"
import { PlanId } from "../../../../domain/Ids.ts"
import { type PlanField, planOffer } from "../../../../domain/Plan.ts"
import { type AdminPlan, PlanAdmin } from "../../../../subscriptions/PlanAdmin.ts"
import type { PlanRefused } from "../../../../subscriptions/PlanError.ts"
import { page, type Problems, redirect, refuse } from "../../Answer.ts"
import { adminFormPage, adminPage, pageForm, routes } from "../../ConsoleRoute.ts"
import { EditPage } from "../../kit/Forms.tsx"
import { type InputEntry, Inputs } from "../../kit/Inputs.tsx"
import { byId, enabledFilter, listPage, readListed } from "../../kit/List.tsx"
import { Badge, Figures, NewLink, RowBadges, Small } from "../../kit/Parts.tsx"
import { actorOf, type PageContext, sayOf, type UserContext } from "../../PageContext.ts"
import { oneOf, pathId } from "../../Params.ts"
import { groupChoice } from "../groups/GroupParts.ts"
import { codeInput, newRowPage, rowPages, rowPaths } from "../RowForms.tsx"
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
    [term.position],
    term.descriptionEn,
    term.descriptionZh,
    term.recommended
  ]
}

/** Says what is wrong beside each field. */
const planProblems = (context: PageContext, fields: ReadonlyArray<PlanField>): Problems => ({
  ...fields.includes("code") ? { code: sayOf(context, "adminPlans")("code.problem") } : {},
  ...planTermsOf(context).problems(fields)
})

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

const PlanBadges = ({ plan, context }: PlanProps) => (
  <>
    {plan.recommended ? <Badge tone="green">{sayOf(context, "adminPlans")("recommended")}</Badge> : null}{" "}
    <RowBadges context={context} row={plan} />
  </>
)

const priceText = (context: PageContext, { priceFen }: AdminPlan): string =>
  priceFen === 0n ? sayOf(context, "adminPlans")("price.zero") : context.formats.cny(priceFen)

const PlanFigures = ({ plan, context }: PlanProps) => {
  const say = sayOf(context, "adminPlans")
  const { count } = context.formats
  return (
    <Figures
      figures={[
        { label: say("subscriptions"), value: count(plan.subscriptions), hint: say("kept") },
        { label: say("orders"), value: count(plan.pendingOrders), hint: say("kept") }
      ]}
    />
  )
}

const PAGE_SIZE = 50

const list = Effect.fnUntraced(function*(context: UserContext) {
  const state = oneOf(["enabled", "disabled"], context.query.get("state"))
  const plans = yield* PlanAdmin
  const found = yield* readListed(context, { size: PAGE_SIZE }, (range) => plans.list({ state, ...range }))
  const say = sayOf(context, "adminPlans")
  const terms = planTermsOf(context)
  const { count } = context.formats
  return listPage<AdminPlan>({
    context,
    path: "/admin/plans",
    title: say("plans"),
    lead: say("lead"),
    actions: <NewLink href="/admin/plans/new" text={say("new")} />,
    filter: [enabledFilter(say, state)],
    ...found,
    cursor: byId,
    empty: { icon: "plan", title: say("noPlansYet"), text: say("empty.text") },
    none: say("none"),
    columns: [
      {
        title: say("plan"),
        cell: (plan) => (
          <>
            <a class="break-anywhere" href={`/admin/plans/${plan.id}`}>{plan.name}</a>{" "}
            <PlanBadges context={context} plan={plan} />
            <Small>
              <code>{plan.code}</code>
            </Small>
          </>
        )
      },
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
})

const refused = (context: UserContext) => ({ fields }: PlanRefused) => refuse(planProblems(context, fields))

const readPlan = (context: UserContext, form: URLSearchParams) =>
  Effect.mapError(Effect.fromResult(planOffer.readForm(form)), (fields) => refuse(planProblems(context, fields)))

const create = pageForm({
  show: Effect.fnUntraced(function*(context, state) {
    const groups = yield* (yield* GroupAdmin).choices(null)
    const say = sayOf(context, "adminPlans")
    return newRowPage({
      context,
      state,
      say,
      list: "/admin/plans",
      lead: say("lead"),
      inputs: [codeInput(say), ...inputsOf(context, groups)]
    })
  }),
  run: (context, fields) =>
    Effect.gen(function*() {
      const code = (fields.get("code") ?? "").trim()
      const id = yield* (yield* PlanAdmin).create(actorOf(context), { code, ...yield* readPlan(context, fields) })
      return redirect(`/admin/plans/${id}?done=created`)
    }).pipe(
      Effect.catchTags({
        PlanRefused: refused(context),
        PlanExists: () => refuse({ code: sayOf(context, "adminPlans")("code.exists") }, 409)
      })
    )
})

const plan = rowPages({
  at: rowPaths("/admin/plans", ":id"),
  find: () =>
    Effect.gen(function*() {
      return yield* (yield* PlanAdmin).get(yield* pathId("id", PlanId))
    }),
  paths: ({ id }: AdminPlan) => rowPaths("/admin/plans", id),
  say: (context) => sayOf(context, "adminPlans"),
  formOf: (row) => new URLSearchParams(planOffer.toForm(row)),
  show: Effect.fnUntraced(function*(edited) {
    const { row, state, context } = edited
    const groups = yield* (yield* GroupAdmin).choices(row.groupCode)
    const say = sayOf(context, "adminPlans")
    return page(
      row.name,
      <EditPage
        {...edited}
        title={row.name}
        lead={
          <>
            <code>{row.code}</code> <PlanBadges context={context} plan={row} />
          </>
        }
        facts={[
          [say("name"), row.name],
          [say("price"), priceText(context, row)],
          [say("duration"), say("days", { count: row.durationDays })],
          [say("limits"), <PlanLimits context={context} plan={row} />],
          ...planTermsOf(context).facts(row, [
            "multiplierMicros",
            "groupCode",
            "position",
            "descriptionEn",
            "descriptionZh",
            "recommended"
          ])
        ]}
        above={<PlanFigures context={context} plan={row} />}
      >
        <Inputs state={state} inputs={inputsOf(context, groups)} />
      </EditPage>
    )
  }),
  disableText: (context, { name }) => sayOf(context, "adminPlans")("disable.text", { name }),
  stake: (context, row) => PlanFigures({ context, plan: row }),
  save: ({ revision, row: { id }, context }, fields) =>
    Effect.gen(function*() {
      yield* (yield* PlanAdmin).edit(actorOf(context), { id, revision }, yield* readPlan(context, fields))
    }).pipe(Effect.catchTag("PlanRefused", refused(context))),
  setEnabled: ({ revision, row: { id }, context }, enabled) =>
    Effect.flatMap(PlanAdmin, (plans) => plans.setEnabled(actorOf(context), { id, revision }, enabled))
})

export const AdminPlansRoutes = routes(
  adminPage("/admin/plans", list),
  adminFormPage("/admin/plans/new", create),
  plan.routes
)
