/**
 * `/admin/plans`: what users can subscribe to, made, changed and taken off sale.
 */
import { Effect, Layer, Result } from "effect"
import { PlanId } from "../../../../domain/Ids.ts"
import { isPlanCode, planTerms } from "../../../../domain/Plan.ts"
import { type AdminPlan, PlanAdmin } from "../../../../subscriptions/PlanAdmin.ts"
import { emptyForm, type FormState, page, PageNotFound, type Problems, redirect, refuse } from "../../Answer.ts"
import { adminForm, adminPage } from "../../ConsoleRoute.ts"
import { actorOf, sayOf, type UserContext } from "../../PageContext.ts"
import { idOf, pathId } from "../../PathId.ts"
import { AdminPlansView } from "./AdminPlansView.tsx"
import { planProblems } from "./PlanForm.ts"
import { DisablePlanView, NewPlanView, PlanView } from "./PlanView.tsx"

const PAGE_SIZE = 50

const listPage = adminPage("/admin/plans", (context) =>
  Effect.gen(function*() {
    const wanted = context.query.get("state")
    const state = wanted === "enabled" || wanted === "disabled" ? wanted : undefined
    const before = idOf(context.query.get("before"))
    const found = yield* (yield* PlanAdmin).list({ state, before, limit: PAGE_SIZE + 1 })
    const view = AdminPlansView({
      context,
      plans: found.slice(0, PAGE_SIZE),
      query: { state, before },
      hasOlder: found.length > PAGE_SIZE
    })
    return page(sayOf(context, "adminPlans")("plans"), view)
  }))

const readTerms = (fields: URLSearchParams) => planTerms.read((input) => fields.get(input) ?? "")

const showNew = (context: UserContext, state: FormState) =>
  Effect.succeed(page(sayOf(context, "adminPlans")("new"), NewPlanView({ context, state })))

const newPage = adminPage("/admin/plans/new", (context) => showNew(context, emptyForm))

const createForm = adminForm("/admin/plans/new", {
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
        PlanRefused: (error) => Effect.fail(refuse(planProblems(context, error.fields))),
        PlanExists: () => Effect.fail(refuse({ code: sayOf(context, "adminPlans")("code.exists") }, 409))
      })
    ),
  again: (context, values, problems) => showNew(context, { values, problems })
})

const planOf = Effect.gen(function*() {
  return yield* (yield* PlanAdmin).get(yield* pathId("id", PlanId))
}).pipe(Effect.catchTag("PlanUnknown", () => Effect.fail(new PageNotFound())))

/** A form that was overtaken goes on from what the row is now; any other from what it was filled in on. */
const revisionOf = (plan: AdminPlan, values: URLSearchParams | undefined, problems: Problems): string =>
  values === undefined || problems["meanwhile"] !== undefined
    ? plan.revision.toString()
    : values.get("revision") ?? ""

const showPlan = (context: UserContext, values?: URLSearchParams, problems: Problems = {}) =>
  Effect.map(planOf, (plan) => {
    const state = { values: values ?? new URLSearchParams(planTerms.texts(plan)), problems }
    return page(plan.name, PlanView({ context, plan, state, revision: revisionOf(plan, values, problems) }))
  })

const planPage = adminPage("/admin/plans/:id", (context) => showPlan(context))

const atOf = (fields: URLSearchParams) =>
  Effect.map(pathId("id", PlanId), (id) => ({ id, revision: idOf(fields.get("revision")) ?? 0n }))

/** Whose plan is not theirs to change is told so. */
const refusals = (context: UserContext) => ({
  PlanUnknown: () => Effect.fail(new PageNotFound()),
  PlanConfigManaged: () => Effect.fail(refuse({ form: sayOf(context, "adminPlans")("declared.text") }, 409))
})

const editForm = adminForm("/admin/plans/:id", {
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
        PlanRefused: (error) => Effect.fail(refuse(planProblems(context, error.fields))),
        ChangedMeanwhile: () =>
          Effect.fail(refuse({ meanwhile: "now", form: sayOf(context, "adminPlans")("meanwhile") }, 409))
      })
    ),
  again: showPlan
})

const showDisable = (context: UserContext, problems: Problems = {}) =>
  Effect.map(planOf, (plan) =>
    plan.disabledAt !== null || plan.declared
      ? redirect(`/admin/plans/${plan.id}`)
      : page(sayOf(context, "adminPlans")("disable.title"), DisablePlanView({ context, plan, problems })))

const setEnabled = (context: UserContext, fields: URLSearchParams, enabled: boolean) =>
  Effect.gen(function*() {
    const at = yield* atOf(fields)
    yield* (yield* PlanAdmin).setEnabled(actorOf(context), at, enabled)
    return redirect(`/admin/plans/${at.id}?done=${enabled ? "enabled" : "disabled"}`)
  }).pipe(
    Effect.catchTags({
      ...refusals(context),
      ChangedMeanwhile: () => Effect.fail(refuse({ form: sayOf(context, "adminPlans")("meanwhile.short") }, 409))
    })
  )

const disablePage = adminPage("/admin/plans/:id/disable", (context) => showDisable(context))

const disableForm = adminForm("/admin/plans/:id/disable", {
  run: (context, fields) => setEnabled(context, fields, false),
  again: (context, _fields, problems) => showDisable(context, problems)
})

const enableForm = adminForm("/admin/plans/:id/enable", {
  run: (context, fields) => setEnabled(context, fields, true),
  again: (context, _fields, problems) => showPlan(context, undefined, problems)
})

export const AdminPlansRoutes = Layer.mergeAll(
  listPage,
  newPage,
  createForm,
  planPage,
  editForm,
  disablePage,
  disableForm,
  enableForm
)
