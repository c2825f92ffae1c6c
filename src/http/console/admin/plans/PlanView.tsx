/**
 * The form of a plan, new or not, and the question before one is disabled.
 */
import { PLAN_NAME_CHARACTERS_MAX } from "../../../../domain/Bounds.ts"
import { formatDecimal, MICROS_SCALE } from "../../../../domain/Money.ts"
import type { AdminPlan } from "../../../../subscriptions/PlanAdmin.ts"
import type { FormState, Problems } from "../../Answer.ts"
import { ConfirmPage } from "../../kit/ConfirmPage.tsx"
import { EditPage } from "../../kit/EditPage.tsx"
import { FormPage } from "../../kit/FormPage.tsx"
import { Inputs } from "../../kit/Inputs.tsx"
import { sayOf, type UserContext } from "../../PageContext.ts"
import { Figure } from "../../ui/Parts.tsx"
import { PlanBadges, PlanLimits, planPrice } from "./AdminPlansView.tsx"

const CODE_LENGTH_MAX = 40

interface FieldsProps {
  readonly context: UserContext
  readonly state: FormState
}

const LimitInputs = ({ state, context }: FieldsProps) => {
  const say = sayOf(context, "adminPlans")
  const limit = { is: "usd", initial: "0.00" } as const
  return (
    <fieldset class="mb-3" aria-describedby="limits-hint">
      <legend class="form-label">{say("limits")}</legend>
      <Inputs
        state={state}
        inputs={[
          [
            { ...limit, name: "limit_5h", label: say("limit.5h") },
            { ...limit, name: "limit_1d", label: say("limit.1d") },
            { ...limit, name: "limit_7d", label: say("limit.7d") },
            { ...limit, name: "limit_30d", label: say("limit.30d") }
          ]
        ]}
      />
      <div id="limits-hint" class="form-hint">{say("limits.hint")} {say("limits.all")}</div>
    </fieldset>
  )
}

const TermsInputs = ({ state, context }: FieldsProps) => {
  const say = sayOf(context, "adminPlans")
  return (
    <>
      <Inputs
        state={state}
        inputs={[
          {
            name: "name",
            label: say("name"),
            hint: say("name.hint"),
            maxlength: PLAN_NAME_CHARACTERS_MAX,
            required: true
          },
          [
            { is: "cny", name: "price", label: say("price"), hint: say("price.hint"), required: true },
            {
              is: "integer",
              name: "duration_days",
              label: say("duration"),
              hint: say("duration.hint"),
              initial: "30",
              required: true
            }
          ]
        ]}
      />
      <LimitInputs context={context} state={state} />
      <Inputs
        state={state}
        inputs={[[{
          is: "decimal",
          name: "multiplier",
          label: say("multiplier"),
          hint: say("multiplier.hint"),
          initial: "1",
          required: true
        }]]}
      />
    </>
  )
}

export const NewPlanView = ({ state, context }: FieldsProps) => {
  const say = sayOf(context, "adminPlans")
  return (
    <FormPage
      context={context}
      state={state}
      title={say("new")}
      lead={say("lead")}
      action="/admin/plans/new"
      submit={say("create")}
      back="/admin/plans"
    >
      <Inputs
        state={state}
        inputs={[{
          name: "code",
          label: say("code"),
          hint: say("code.hint"),
          maxlength: CODE_LENGTH_MAX,
          required: true,
          autofocus: true
        }]}
      />
      <TermsInputs context={context} state={state} />
    </FormPage>
  )
}

interface PlanProps {
  readonly context: UserContext
  readonly plan: AdminPlan
}

/** What a plan is, to be read. */
const PlanFacts = ({ plan, context }: PlanProps) => {
  const say = sayOf(context, "adminPlans")
  return (
    <dl class="facts">
      <dt>{say("name")}</dt>
      <dd>{plan.name}</dd>
      <dt>{say("price")}</dt>
      <dd>{planPrice({ plan, context })}</dd>
      <dt>{say("duration")}</dt>
      <dd>{say("days", { count: plan.durationDays })}</dd>
      <dt>{say("limits")}</dt>
      <dd>
        <PlanLimits context={context} plan={plan} />
      </dd>
      <dt>{say("multiplier")}</dt>
      <dd>{formatDecimal(plan.multiplierMicros, MICROS_SCALE, 0)}</dd>
    </dl>
  )
}

const PlanFigures = ({ plan, context }: PlanProps) => {
  const say = sayOf(context, "adminPlans")
  const { count } = context.formats
  return (
    <div class="row g-3 mb-3">
      <div class="col-6">
        <Figure label={say("subscriptions")} value={count(plan.subscriptions)} hint={say("kept")} />
      </div>
      <div class="col-6">
        <Figure label={say("orders")} value={count(plan.pendingOrders)} hint={say("kept")} />
      </div>
    </div>
  )
}

/** One plan: its form, or what it is when config.yaml has it. `revision` is the one that the form is filled in on. */
export const PlanView = (
  { plan, revision, state, context }: FieldsProps & { readonly plan: AdminPlan; readonly revision: string }
) => {
  const say = sayOf(context, "adminPlans")
  const path = `/admin/plans/${plan.id}`
  return (
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
      say={say}
      facts={
        <div class="card-body">
          <PlanFacts context={context} plan={plan} />
        </div>
      }
      above={<PlanFigures context={context} plan={plan} />}
    >
      <TermsInputs context={context} state={state} />
    </EditPage>
  )
}

export const DisablePlanView = ({ plan, problems, context }: PlanProps & { readonly problems: Problems }) => {
  const say = sayOf(context, "adminPlans")
  return (
    <ConfirmPage
      context={context}
      title={say("disable.title")}
      text={say("disable.text", { name: plan.name })}
      submit={say("disable.submit")}
      cancel={say("disable.cancel")}
      action={`/admin/plans/${plan.id}/disable`}
      back={`/admin/plans/${plan.id}`}
      revision={plan.revision}
      problems={problems}
    >
      <PlanFigures context={context} plan={plan} />
    </ConfirmPage>
  )
}
