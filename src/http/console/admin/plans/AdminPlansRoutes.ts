/**
 * `/admin/plans`: what users can subscribe to, made, changed and taken off sale.
 */
import { Effect, Result } from "effect"
import { PlanId } from "../../../../domain/Ids.ts"
import { isPlanCode, planTerms } from "../../../../domain/Plan.ts"
import type { ConfigManaged } from "../../../../platform/ChangedMeanwhile.ts"
import { type AdminPlan, PlanAdmin } from "../../../../subscriptions/PlanAdmin.ts"
import type { PlanRefused } from "../../../../subscriptions/PlanError.ts"
import { type FormState, orNotFound, redirect, refuse, refusing } from "../../Answer.ts"
import { adminForm, adminFormPage, adminPage, pageForm, routes } from "../../ConsoleRoute.ts"
import { readListed } from "../../kit/List.tsx"
import { actorOf, sayOf, type UserContext } from "../../PageContext.ts"
import { oneOf, pathId } from "../../Params.ts"
import { changedMeanwhile, editOf, revisionIn, switchForms } from "../RowForms.tsx"
import { plansPage } from "./AdminPlansView.tsx"
import { planProblems } from "./PlanForm.ts"
import { newPlanPage, PlanFigures, planPage } from "./PlanView.tsx"

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
  ConfigManaged: (_: ConfigManaged) => refuse({ form: sayOf(context, "adminPlans")("declared.text") }, 409)
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

const showPlan = (context: UserContext, sent?: Partial<FormState>) =>
  orNotFound(Effect.map(thePlan, (plan) => {
    const own = new URLSearchParams(planTerms.texts(plan))
    return planPage({ context, plan, ...editOf(plan, own, sent) })
  }))

const edit = {
  page: (context: UserContext) => showPlan(context),
  form: {
    run: (context: UserContext, fields: URLSearchParams) =>
      Effect.gen(function*() {
        const terms = readTerms(fields)
        if (Result.isFailure(terms)) return yield* refuse(planProblems(context, terms.failure))
        const id = yield* pathId("id", PlanId)
        yield* (yield* PlanAdmin).edit(actorOf(context), { id, revision: revisionIn(fields) }, terms.success)
        return redirect(`/admin/plans/${id}?done=changed`)
      }).pipe(
        Effect.catchTags({ ...refusals(context), ChangedMeanwhile: changedMeanwhile(context) }),
        orNotFound
      ),
    again: showPlan
  }
}

const turn = switchForms({
  find: () => orNotFound(thePlan),
  hrefOf: ({ id }: AdminPlan, at, done) =>
    `/admin/plans/${id}${at === "disable" ? "/disable" : done === undefined ? "" : `?done=${done}`}`,
  show: (context, problems) => showPlan(context, { problems }),
  say: (context) => sayOf(context, "adminPlans"),
  textOf: (context, { name }) => sayOf(context, "adminPlans")("disable.text", { name }),
  stakeOf: (context, plan) => PlanFigures({ context, plan }),
  setEnabled: (context, { enabled, revision, row: { id } }) =>
    Effect.flatMap(PlanAdmin, (plans) => plans.setEnabled(actorOf(context), { id, revision }, enabled)).pipe(
      Effect.catchTags({
        ConfigManaged: refusals(context).ConfigManaged,
        ChangedMeanwhile: refusing({ form: context.say("meanwhile.short") }, 409)
      }),
      orNotFound
    )
})

export const AdminPlansRoutes = routes(
  adminPage("/admin/plans", list),
  adminFormPage("/admin/plans/new", create),
  adminFormPage("/admin/plans/:id", edit),
  adminFormPage("/admin/plans/:id/disable", { page: turn.ask, form: turn.disable }),
  adminForm("/admin/plans/:id/enable", turn.enable)
)
