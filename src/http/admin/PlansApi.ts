/**
 * `/api/admin/plans`: what users can subscribe to. A change names the revision that it was made on, and concerns later orders.
 */
import { Effect, Schema } from "effect"
import { HttpApiEndpoint } from "effect/http-api"
import { MULTIPLIER_MAX } from "../../domain/Bounds.ts"
import { IdJson, idJson } from "../../domain/Fields.ts"
import { PlanId } from "../../domain/Ids.ts"
import { type PlanField, planOffer } from "../../domain/Plan.ts"
import { columnOf, Json } from "../../domain/Row.ts"
import { AdminPlan, PlanAdmin } from "../../subscriptions/PlanAdmin.ts"
import type { PlanRefused } from "../../subscriptions/PlanError.ts"
import type { Administrator } from "./AdminAccess.ts"
import { ApiNotFound, ApiRefused, changeErrors, editErrors } from "./ApiError.ts"
import { answersOf, area, listed } from "./ApiHandlers.ts"
import { created, documented, itemsOf, jsonFields, PAGE_ITEMS_MAX, pageQuery } from "./ApiSchema.ts"
import { ApiRevision, stateQuery } from "./ModelsApi.ts"
import { rangeText } from "./TermsApi.ts"

const Plan = Json({ ...jsonFields(AdminPlan.fields), ...planOffer.json }).pipe(documented("Plan"))

const NewPlan = Json({ code: Schema.String, ...planOffer.json }).pipe(documented("NewPlan"))

const PlanEdit = Json({ revision: IdJson, ...planOffer.json }).pipe(documented("PlanEdit"))

const params = { id: idJson(PlanId) }

const { get, post, put } = HttpApiEndpoint

export class PlansApi extends area(
  "plans",
  "Plans",
  "What users can subscribe to. A limit of 0 means no limit; a plan with a price of 0 is not for sale; multiplier_micros is the multiplier times 1000000. What was ordered or bought keeps its own terms. description_en, description_zh, recommended and position say how it is shown to buyers; position 0 comes first."
).add(
  get("listPlans", "/plans", { query: { ...pageQuery, ...stateQuery }, success: itemsOf(Plan) }),
  get("getPlan", "/plans/:id", { params, success: Plan, error: ApiNotFound }),
  post("createPlan", "/plans", { payload: NewPlan, success: Plan.pipe(created), error: editErrors }),
  put("editPlan", "/plans/:id", { params, payload: PlanEdit, success: Plan, error: editErrors }),
  post("disablePlan", "/plans/:id/disable", { params, payload: ApiRevision, success: Plan, error: changeErrors }),
  post("enablePlan", "/plans/:id/enable", { params, payload: ApiRevision, success: Plan, error: changeErrors })
) {}

const ruleOf = (field: PlanField): string => {
  if (field === "code") return "has 1 to 40 of a-z, 0-9 and -"
  if (field === "groupCode") return "is the code of a group that is not disabled, or null"
  return field === "multiplierMicros"
    ? `is from 0 to ${MULTIPLIER_MAX} times 1000000`
    : rangeText(planOffer.fields[field].kind)
}

const refused = ({ fields }: PlanRefused) =>
  Effect.fail(
    new ApiRefused({
      message: "The plan is not what can be sold.",
      problems: Object.fromEntries(fields.map((field) => [columnOf(field), ruleOf(field)]))
    })
  )

export const PlansHandlers = answersOf(PlansApi)(PlanAdmin, (plans) => {
  const setEnabled = (admin: Administrator, id: PlanId, revision: bigint, enabled: boolean) =>
    Effect.andThen(plans.setEnabled(admin, { id, revision }, enabled), plans.get(id))

  return {
    listPlans: ({ query: { before, limit = PAGE_ITEMS_MAX, state } }) => listed(plans.list({ state, before, limit })),
    getPlan: ({ params }) => plans.get(params.id),
    createPlan: ({ payload }, admin) =>
      plans.create(admin, payload).pipe(Effect.flatMap(plans.get), Effect.catchTag("PlanRefused", refused)),
    editPlan: ({ params: { id }, payload: { revision, ...terms } }, admin) =>
      plans.edit(admin, { id, revision }, terms).pipe(
        Effect.andThen(plans.get(id)),
        Effect.catchTag("PlanRefused", refused)
      ),
    disablePlan: ({ params, payload }, admin) => setEnabled(admin, params.id, payload.revision, false),
    enablePlan: ({ params, payload }, admin) => setEnabled(admin, params.id, payload.revision, true)
  }
})
