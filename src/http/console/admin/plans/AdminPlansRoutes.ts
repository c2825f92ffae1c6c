/**
 * `/admin/plans`: what users can subscribe to, made, changed and taken off sale.
 */
import { Effect, Result } from "effect"
import { PlanId } from "../../../../domain/Ids.ts"
import { isPlanCode, planTerms } from "../../../../domain/Plan.ts"
import { PlanAdmin } from "../../../../subscriptions/PlanAdmin.ts"
import type { PlanConfigManaged, PlanRefused } from "../../../../subscriptions/PlanError.ts"
import { emptyForm, type FormState, redirect, refuse } from "../../Answer.ts"
import { adminForm, adminPage, routes } from "../../ConsoleRoute.ts"
import { readListed } from "../../kit/Listed.ts"
import { actorOf, sayOf, type UserContext } from "../../PageContext.ts"
import { editState, pageForm } from "../../PageForm.ts"
import { idOf, pathId } from "../../PathId.ts"
import { oneOf } from "../../QueryText.ts"
import { plansPage } from "./AdminPlansView.tsx"
import { planProblems } from "./PlanForm.ts"
import { disablePlanPage, newPlanPage, planPage } from "./PlanView.tsx"

const PAGE_SIZE = 50

const list = Effect.fnUntraced(function*(context: UserContext) {
  const state = oneOf(["enabled", "disabled"], context.query.get("state"))
  const plans = yield* PlanAdmin
  const found = yield* readListed(context, { size: PAGE_SIZE }, (range) => plans.list({ state, ...range }))
  return plansPage(context, state, found)
})

const readTerms = (fields: URLSearchParams) => planTerms.read((input) => fields.get(input) ?? "")

/** What is wrong with what was typed; a plan of config.yaml is not changed here. */
const refusals = (context: UserContext) => ({
  PlanRefused: ({ fields }: PlanRefused) => refuse(planProblems(context, fields)),
  PlanConfigManaged: (_: PlanConfigManaged) => refuse({ form: sayOf(context, "adminPlans")("declared.text") }, 409)
})

const create = pageForm({
  show: (context, state) => Effect.succeed(newPlanPage(context, state)),
  run: (context, fields) =>
    Effect.gen(function*() {
      const code = (fields.get("code") ?? "").trim()
      const terms = readTerms(fields)
      const wrong = [...isPlanCode(code) ? [] : ["code" as const], ...Result.isFailure(terms) ? terms.failure : []]
      if (Result.isFailure(terms) || wrong.length > 0) return yield* refuse(planProblems(context, wrong))
      const id = yield* (yield* PlanAdmin).create(actorOf(context), { code, ...terms.success })
      return redirect(`/admin/plans/${id}?done=created`)
    }).pipe(
      Effect.catchTags({
        PlanRefused: refusals(context).PlanRefused,
        PlanExists: () => refuse({ code: sayOf(context, "adminPlans")("code.exists") }, 409)
      })
    )
})

/** The plan of the `:id` in the route of the request at hand. */
const thePlan = Effect.gen(function*() {
  return yield* (yield* PlanAdmin).get(yield* pathId("id", PlanId))
})

/** The plan that a form is about, as it was shown. */
const atOf = (fields: URLSearchParams) =>
  Effect.map(pathId("id", PlanId), (id) => ({ id, revision: idOf(fields.get("revision")) ?? 0n }))

const show = (context: UserContext, state: FormState) =>
  Effect.map(thePlan, (plan) => planPage({ context, plan, ...editState(plan, state, planTerms.texts(plan)) }))

const edit = pageForm({
  show,
  run: (context, fields) =>
    Effect.gen(function*() {
      const terms = readTerms(fields)
      if (Result.isFailure(terms)) return yield* refuse(planProblems(context, terms.failure))
      const at = yield* atOf(fields)
      yield* (yield* PlanAdmin).edit(actorOf(context), at, terms.success)
      return redirect(`/admin/plans/${at.id}?done=changed`)
    }).pipe(
      Effect.catchTags({
        ...refusals(context),
        ChangedMeanwhile: () => refuse({ meanwhile: "now", form: sayOf(context, "adminPlans")("meanwhile") }, 409)
      })
    )
})

const setEnabled = (enabled: boolean) => (context: UserContext, fields: URLSearchParams) =>
  Effect.gen(function*() {
    const at = yield* atOf(fields)
    yield* (yield* PlanAdmin).setEnabled(actorOf(context), at, enabled)
    return redirect(`/admin/plans/${at.id}?done=${enabled ? "enabled" : "disabled"}`)
  }).pipe(
    Effect.catchTags({
      PlanConfigManaged: refusals(context).PlanConfigManaged,
      ChangedMeanwhile: () => refuse({ form: sayOf(context, "adminPlans")("meanwhile.short") }, 409)
    })
  )

const disable = pageForm({
  show: (context, { problems }) =>
    Effect.map(thePlan, (plan) =>
      plan.disabledAt !== null || plan.declared
        ? redirect(`/admin/plans/${plan.id}`)
        : disablePlanPage({ context, plan, problems })),
  run: setEnabled(false)
})

/** Where it is refused, the plan is shown as it is now. */
const enable = pageForm({
  show: (context, { problems }) => show(context, { ...emptyForm, problems }),
  run: setEnabled(true)
})

export const AdminPlansRoutes = routes(
  adminPage("/admin/plans", list),
  adminPage("/admin/plans/new", create.page),
  adminForm("/admin/plans/new", create.form),
  adminPage("/admin/plans/:id", edit.page),
  adminForm("/admin/plans/:id", edit.form),
  adminPage("/admin/plans/:id/disable", disable.page),
  adminForm("/admin/plans/:id/disable", disable.form),
  adminForm("/admin/plans/:id/enable", enable.form)
)
