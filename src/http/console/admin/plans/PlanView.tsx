/**
 * The form of a plan, new or not, and the question before one is disabled.
 */
import { PLAN_NAME_CHARACTERS_MAX } from "../../../../domain/Bounds.ts"
import { formatDecimal, MICROS_SCALE } from "../../../../domain/Money.ts"
import type { AdminPlan } from "../../../../subscriptions/PlanAdmin.ts"
import type { FormState, Problems } from "../../Answer.ts"
import { ConfirmPage } from "../../kit/ConfirmPage.tsx"
import { FormPage } from "../../kit/FormPage.tsx"
import { Field, FormAlert, Notice, PostForm } from "../../ui/Forms.tsx"
import { Card, Figure, PageHeading } from "../../ui/Parts.tsx"
import { sayOf, type UserVisit } from "../../Visit.ts"
import { adminPlansText } from "./AdminPlansText.ts"
import { PlanBadges, PlanLimits, planPrice } from "./AdminPlansView.tsx"

const CODE_LENGTH_MAX = 40

interface FieldsProps {
  readonly visit: UserVisit
  readonly state: FormState
}

const LimitFields = ({ state, visit }: FieldsProps) => {
  const say = sayOf(visit, adminPlansText)
  const limit = { state, inputmode: "decimal", autocomplete: "off", prefix: "$", initial: "0.00" } as const
  return (
    <fieldset class="mb-3" aria-describedby="limits-hint">
      <legend class="form-label">{say("limits")}</legend>
      <div class="row g-3">
        <div class="col-6 col-lg-3">
          <Field {...limit} name="limit_5h" label={say("limit.5h")} />
        </div>
        <div class="col-6 col-lg-3">
          <Field {...limit} name="limit_1d" label={say("limit.1d")} />
        </div>
        <div class="col-6 col-lg-3">
          <Field {...limit} name="limit_7d" label={say("limit.7d")} />
        </div>
        <div class="col-6 col-lg-3">
          <Field {...limit} name="limit_30d" label={say("limit.30d")} />
        </div>
      </div>
      <div id="limits-hint" class="form-hint">{say("limits.hint")} {say("limits.all")}</div>
    </fieldset>
  )
}

const TermsFields = ({ state, visit }: FieldsProps) => {
  const say = sayOf(visit, adminPlansText)
  return (
    <>
      <Field
        state={state}
        name="name"
        label={say("name")}
        hint={say("name.hint")}
        autocomplete="off"
        maxlength={PLAN_NAME_CHARACTERS_MAX}
        required
      />
      <div class="row g-3">
        <div class="col-md-6">
          <Field
            state={state}
            name="price"
            label={say("price")}
            hint={say("price.hint")}
            inputmode="decimal"
            autocomplete="off"
            prefix="¥"
            required
          />
        </div>
        <div class="col-md-6">
          <Field
            state={state}
            name="duration_days"
            label={say("duration")}
            hint={say("duration.hint")}
            inputmode="numeric"
            autocomplete="off"
            initial="30"
            required
          />
        </div>
      </div>
      <LimitFields visit={visit} state={state} />
      <div class="row g-3">
        <div class="col-md-6">
          <Field
            state={state}
            name="multiplier"
            label={say("multiplier")}
            hint={say("multiplier.hint")}
            inputmode="decimal"
            autocomplete="off"
            initial="1"
            required
          />
        </div>
      </div>
    </>
  )
}

export const NewPlanView = ({ state, visit }: FieldsProps) => {
  const say = sayOf(visit, adminPlansText)
  return (
    <FormPage
      visit={visit}
      state={state}
      title={say("new")}
      lead={say("lead")}
      action="/admin/plans/new"
      submit={say("create")}
      back={{ href: "/admin/plans", text: visit.say("action.back") }}
    >
      <Field
        state={state}
        name="code"
        label={say("code")}
        hint={say("code.hint")}
        autocomplete="off"
        maxlength={CODE_LENGTH_MAX}
        required
        autofocus
      />
      <TermsFields visit={visit} state={state} />
    </FormPage>
  )
}

interface PlanProps {
  readonly visit: UserVisit
  readonly plan: AdminPlan
}

/** What a plan is, to be read. */
const PlanFacts = ({ plan, visit }: PlanProps) => {
  const say = sayOf(visit, adminPlansText)
  return (
    <dl class="facts">
      <dt>{say("name")}</dt>
      <dd>{plan.name}</dd>
      <dt>{say("price")}</dt>
      <dd>{planPrice({ plan, visit })}</dd>
      <dt>{say("duration")}</dt>
      <dd>{say("days", { count: visit.formats.count(plan.durationDays) })}</dd>
      <dt>{say("limits")}</dt>
      <dd>
        <PlanLimits visit={visit} plan={plan} />
      </dd>
      <dt>{say("multiplier")}</dt>
      <dd>{formatDecimal(plan.multiplierMicros, MICROS_SCALE, 0)}</dd>
    </dl>
  )
}

const DoneNotice = ({ visit }: { readonly visit: UserVisit }) => {
  const say = sayOf(visit, adminPlansText)
  switch (visit.query.get("done")) {
    case "created":
      return <Notice kind="success">{say("done.created")}</Notice>
    case "changed":
      return <Notice kind="success">{say("done.changed")}</Notice>
    case "enabled":
      return <Notice kind="success">{say("done.enabled")}</Notice>
    case "disabled":
      return <Notice kind="success">{say("done.disabled")}</Notice>
    default:
      return null
  }
}

/** Enabling is done at once; disabling is asked for. */
const EnabledAction = ({ plan, visit }: PlanProps) => {
  const say = sayOf(visit, adminPlansText)
  return plan.disabledAt === null
    ? <a class="btn" href={`/admin/plans/${plan.id}/disable`}>{say("disable")}</a>
    : (
      <PostForm visit={visit} action={`/admin/plans/${plan.id}/enable`}>
        <input type="hidden" name="revision" value={plan.revision.toString()} />
        <button type="submit" class="btn">{say("enable")}</button>
      </PostForm>
    )
}

const PlanFigures = ({ plan, visit }: PlanProps) => {
  const say = sayOf(visit, adminPlansText)
  const { count } = visit.formats
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
  { plan, revision, state, visit }: FieldsProps & { readonly plan: AdminPlan; readonly revision: string }
) => {
  const say = sayOf(visit, adminPlansText)
  const isOvertaken = state.problems["meanwhile"] !== undefined
  return (
    <>
      <PageHeading
        title={plan.name}
        lead={
          <>
            <code>{plan.code}</code> <PlanBadges visit={visit} plan={plan} />
          </>
        }
      >
        {plan.declared ? undefined : <EnabledAction visit={visit} plan={plan} />}
      </PageHeading>
      {visit.isForm ? null : <DoneNotice visit={visit} />}
      <FormAlert state={state} />
      {plan.declared && state.problems["form"] === undefined
        ? <Notice kind="info">{say("declared.text")}</Notice>
        : null}
      <PlanFigures visit={visit} plan={plan} />
      {plan.declared || isOvertaken
        ? (
          <Card class="mb-3" {...isOvertaken ? { title: say("now") } : {}}>
            <div class="card-body">
              <PlanFacts visit={visit} plan={plan} />
            </div>
          </Card>
        )
        : null}
      {plan.declared
        ? <a class="btn" href="/admin/plans">{visit.say("action.back")}</a>
        : (
          <Card>
            <PostForm visit={visit} action={`/admin/plans/${plan.id}`} class="card-body">
              <input type="hidden" name="revision" value={revision} />
              <TermsFields visit={visit} state={state} />
              <div class="btn-list mt-4">
                <button type="submit" class="btn btn-primary">{visit.say("action.save")}</button>
                <a class="btn btn-ghost-secondary" href="/admin/plans">{visit.say("action.back")}</a>
              </div>
            </PostForm>
          </Card>
        )}
    </>
  )
}

export const DisablePlanView = ({ plan, problems, visit }: PlanProps & { readonly problems: Problems }) => {
  const say = sayOf(visit, adminPlansText)
  return (
    <ConfirmPage
      visit={visit}
      title={say("disable.title")}
      text={say("disable.text", { name: plan.name })}
      submit={say("disable.submit")}
      cancel={say("disable.cancel")}
      action={`/admin/plans/${plan.id}/disable`}
      back={`/admin/plans/${plan.id}`}
      revision={plan.revision}
      problems={problems}
    >
      <PlanFigures visit={visit} plan={plan} />
    </ConfirmPage>
  )
}
