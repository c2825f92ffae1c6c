/**
 * `/admin/plans`: what users can subscribe to, made, changed and taken off sale.
 */
import { Effect, Layer, Result } from "effect"
import { PlanId } from "../../../../domain/Ids.ts"
import { isPlanCode, planTerms } from "../../../../domain/Plan.ts"
import { type AdminPlan, PlanAdmin } from "../../../../subscriptions/PlanAdmin.ts"
import { emptyForm, type FormState, page, PageNotFound, type Problems, redirect, refuse } from "../../Answer.ts"
import { adminForm, adminPage } from "../../ConsoleRoute.ts"
import { idOf, pathId } from "../../PathId.ts"
import { actorOf, sayOf, type UserVisit } from "../../Visit.ts"
import { adminPlansText } from "./AdminPlansText.ts"
import { AdminPlansView } from "./AdminPlansView.tsx"
import { planProblems } from "./PlanForm.ts"
import { DisablePlanView, NewPlanView, PlanView } from "./PlanView.tsx"

const PAGE_SIZE = 50

const listPage = adminPage("/admin/plans", (visit) =>
  Effect.gen(function*() {
    const wanted = visit.query.get("state")
    const state = wanted === "enabled" || wanted === "disabled" ? wanted : undefined
    const before = idOf(visit.query.get("before"))
    const found = yield* (yield* PlanAdmin).list({ state, before, limit: PAGE_SIZE + 1 })
    const view = AdminPlansView({
      visit,
      plans: found.slice(0, PAGE_SIZE),
      query: { state, before },
      hasOlder: found.length > PAGE_SIZE
    })
    return page(sayOf(visit, adminPlansText)("title"), view)
  }))

const readTerms = (fields: URLSearchParams) => planTerms.read((input) => fields.get(input) ?? "")

const showNew = (visit: UserVisit, state: FormState) =>
  Effect.succeed(page(sayOf(visit, adminPlansText)("new"), NewPlanView({ visit, state })))

const newPage = adminPage("/admin/plans/new", (visit) => showNew(visit, emptyForm))

const createForm = adminForm("/admin/plans/new", {
  run: (visit, fields) =>
    Effect.gen(function*() {
      const code = (fields.get("code") ?? "").trim()
      const terms = readTerms(fields)
      const wrong = [...isPlanCode(code) ? [] : ["code" as const], ...Result.isFailure(terms) ? terms.failure : []]
      if (Result.isFailure(terms) || wrong.length > 0) return yield* refuse(planProblems(visit, wrong))
      const id = yield* (yield* PlanAdmin).create(actorOf(visit), { code, ...terms.success })
      return redirect(`/admin/plans/${id}?done=created`)
    }).pipe(
      Effect.catchTags({
        PlanRefused: (error) => Effect.fail(refuse(planProblems(visit, error.fields))),
        PlanExists: () => Effect.fail(refuse({ code: sayOf(visit, adminPlansText)("code.exists") }, 409))
      })
    ),
  again: (visit, values, problems) => showNew(visit, { values, problems })
})

const planOf = Effect.gen(function*() {
  return yield* (yield* PlanAdmin).get(yield* pathId("id", PlanId))
}).pipe(Effect.catchTag("PlanUnknown", () => Effect.fail(new PageNotFound())))

/** A form that was overtaken goes on from what the row is now; any other from what it was filled in on. */
const revisionOf = (plan: AdminPlan, values: URLSearchParams | undefined, problems: Problems): string =>
  values === undefined || problems["meanwhile"] !== undefined
    ? plan.revision.toString()
    : values.get("revision") ?? ""

const showPlan = (visit: UserVisit, values?: URLSearchParams, problems: Problems = {}) =>
  Effect.map(planOf, (plan) => {
    const state = { values: values ?? new URLSearchParams(planTerms.texts(plan)), problems }
    return page(plan.name, PlanView({ visit, plan, state, revision: revisionOf(plan, values, problems) }))
  })

const planPage = adminPage("/admin/plans/:id", (visit) => showPlan(visit))

const atOf = (fields: URLSearchParams) =>
  Effect.map(pathId("id", PlanId), (id) => ({ id, revision: idOf(fields.get("revision")) ?? 0n }))

/** Whose plan is not theirs to change is told so. */
const refusals = (visit: UserVisit) => ({
  PlanUnknown: () => Effect.fail(new PageNotFound()),
  PlanDeclared: () => Effect.fail(refuse({ form: sayOf(visit, adminPlansText)("declared.text") }, 409))
})

const editForm = adminForm("/admin/plans/:id", {
  run: (visit, fields) =>
    Effect.gen(function*() {
      const terms = readTerms(fields)
      if (Result.isFailure(terms)) return yield* refuse(planProblems(visit, terms.failure))
      const at = yield* atOf(fields)
      yield* (yield* PlanAdmin).edit(actorOf(visit), at, terms.success)
      return redirect(`/admin/plans/${at.id}?done=changed`)
    }).pipe(
      Effect.catchTags({
        ...refusals(visit),
        PlanRefused: (error) => Effect.fail(refuse(planProblems(visit, error.fields))),
        ChangedMeanwhile: () =>
          Effect.fail(refuse({ meanwhile: "now", form: sayOf(visit, adminPlansText)("meanwhile") }, 409))
      })
    ),
  again: showPlan
})

const showDisable = (visit: UserVisit, problems: Problems = {}) =>
  Effect.map(planOf, (plan) =>
    plan.disabledAt !== null || plan.declared
      ? redirect(`/admin/plans/${plan.id}`)
      : page(sayOf(visit, adminPlansText)("disable.title"), DisablePlanView({ visit, plan, problems })))

const setEnabled = (visit: UserVisit, fields: URLSearchParams, enabled: boolean) =>
  Effect.gen(function*() {
    const at = yield* atOf(fields)
    yield* (yield* PlanAdmin).setEnabled(actorOf(visit), at, enabled)
    return redirect(`/admin/plans/${at.id}?done=${enabled ? "enabled" : "disabled"}`)
  }).pipe(
    Effect.catchTags({
      ...refusals(visit),
      ChangedMeanwhile: () => Effect.fail(refuse({ form: sayOf(visit, adminPlansText)("meanwhile.short") }, 409))
    })
  )

const disablePage = adminPage("/admin/plans/:id/disable", (visit) => showDisable(visit))

const disableForm = adminForm("/admin/plans/:id/disable", {
  run: (visit, fields) => setEnabled(visit, fields, false),
  again: (visit, _fields, problems) => showDisable(visit, problems)
})

const enableForm = adminForm("/admin/plans/:id/enable", {
  run: (visit, fields) => setEnabled(visit, fields, true),
  again: (visit, _fields, problems) => showPlan(visit, undefined, problems)
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
