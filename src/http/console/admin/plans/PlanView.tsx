/**
 * The form of a plan, new or not, and the question before one is disabled.
 */
import { PLAN_NAME_CHARACTERS_MAX } from "../../../../domain/Bounds.ts"
import type { AdminPlan } from "../../../../subscriptions/PlanAdmin.ts"
import { type FormState, type Page, page } from "../../Answer.ts"
import { askPage, EditPage } from "../../kit/Forms.tsx"
import { type InputEntry, Inputs } from "../../kit/Inputs.tsx"
import { Facts, Figures } from "../../kit/Parts.tsx"
import { type PageContext, sayOf, type UserContext } from "../../PageContext.ts"
import { multiplierText, PlanBadges, PlanLimits, planPrice } from "./AdminPlansView.tsx"

const CODE_LENGTH_MAX = 40

const termInputs = (context: PageContext): ReadonlyArray<InputEntry> => {
  const say = sayOf(context, "adminPlans")
  const limit = { is: "usd", initial: "0.00" } as const
  const [days, factor] = [{ is: "integer", initial: "30" } as const, { is: "decimal", initial: "1" } as const]
  const required = true
  return [
    { name: "name", label: say("name"), hint: say("name.hint"), maxlength: PLAN_NAME_CHARACTERS_MAX, required },
    [
      { is: "cny", name: "price", label: say("price"), hint: say("price.hint"), required },
      { ...days, name: "duration_days", label: say("duration"), hint: say("duration.hint"), required }
    ],
    {
      name: "limits",
      legend: say("limits"),
      hint: `${say("limits.hint")} ${say("limits.all")}`,
      inputs: [
        { ...limit, name: "limit_5h", label: say("limit.5h") },
        { ...limit, name: "limit_1d", label: say("limit.1d") },
        { ...limit, name: "limit_7d", label: say("limit.7d") },
        { ...limit, name: "limit_30d", label: say("limit.30d") }
      ]
    },
    [{ ...factor, name: "multiplier", label: say("multiplier"), hint: say("multiplier.hint"), required }]
  ]
}

export const newPlanPage = (context: PageContext, state: FormState): Page => {
  const say = sayOf(context, "adminPlans")
  const code = { name: "code", label: say("code"), hint: say("code.hint"), maxlength: CODE_LENGTH_MAX }
  return askPage({
    context,
    state,
    title: say("new"),
    lead: say("lead"),
    action: "/admin/plans/new",
    submit: say("create"),
    back: "/admin/plans",
    inputs: [{ ...code, required: true, autofocus: true }, ...termInputs(context)]
  })
}

interface PlanProps {
  readonly context: UserContext
  readonly plan: AdminPlan
}

/** What a plan is, to be read. */
const PlanFacts = ({ plan, context }: PlanProps) => {
  const say = sayOf(context, "adminPlans")
  return (
    <div class="card-body">
      <Facts
        facts={[
          [say("name"), plan.name],
          [say("price"), planPrice({ plan, context })],
          [say("duration"), say("days", { count: plan.durationDays })],
          [say("limits"), <PlanLimits context={context} plan={plan} />],
          [say("multiplier"), multiplierText(plan)]
        ]}
      />
    </div>
  )
}

export const PlanFigures = ({ plan, context }: PlanProps) => {
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

/** One plan: its form, or what it is when config.yaml has it. `revision` is the one that the form is filled in on. */
export const planPage = (
  { plan, revision, state, context }: PlanProps & { readonly state: FormState; readonly revision: string }
): Page => {
  const path = `/admin/plans/${plan.id}`
  return page(
    plan.name,
    <EditPage
      context={context}
      state={state}
      title={plan.name}
      lead={
        <>
          <code>{plan.code}</code> <PlanBadges context={context} plan={plan} />
        </>
      }
      row={plan}
      revision={revision}
      paths={{ list: "/admin/plans", edit: path, disable: `${path}/disable`, enable: `${path}/enable` }}
      say={sayOf(context, "adminPlans")}
      facts={<PlanFacts context={context} plan={plan} />}
      above={<PlanFigures context={context} plan={plan} />}
    >
      <Inputs state={state} inputs={termInputs(context)} />
    </EditPage>
  )
}
