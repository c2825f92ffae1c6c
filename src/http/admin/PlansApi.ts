/**
 * `/api/admin/plans`: what users can subscribe to. A change names the revision that it was made on, and concerns later orders.
 */
import { Schema } from "effect"
import { HttpApiEndpoint, HttpApiGroup, HttpApiSchema, OpenApi } from "effect/http-api"
import { IdJson, idJson } from "../../domain/Fields.ts"
import { PlanId } from "../../domain/Ids.ts"
import { planTerms } from "../../domain/Plan.ts"
import { Json } from "../../domain/Row.ts"
import { AdminPlanJson } from "../../subscriptions/PlanAdmin.ts"
import { ApiConflict, ApiNotFound, ApiRefused, ApiUnavailable } from "./ApiError.ts"
import { documented, pageQuery } from "./ApiSchema.ts"
import { ApiRevision, stateQuery } from "./ModelsApi.ts"

const Plan = AdminPlanJson.pipe(documented({ identifier: "Plan" }))

const NewPlan = Json({ code: Schema.String, ...planTerms.json }).pipe(documented({ identifier: "NewPlan" }))

const PlanEdit = Json({ revision: IdJson, ...planTerms.json }).pipe(documented({ identifier: "PlanEdit" }))

const params = { id: idJson(PlanId) }

export class PlansApi extends HttpApiGroup.make("plans").add(
  HttpApiEndpoint.get("listPlans", "/plans", {
    query: { ...pageQuery, ...stateQuery },
    success: Schema.Struct({ items: Schema.Array(Plan) }),
    error: ApiUnavailable
  }),
  HttpApiEndpoint.get("getPlan", "/plans/:id", { params, success: Plan, error: [ApiNotFound, ApiUnavailable] }),
  HttpApiEndpoint.post("createPlan", "/plans", {
    payload: NewPlan,
    success: Plan.pipe(HttpApiSchema.status(201)),
    error: [ApiRefused, ApiConflict, ApiNotFound, ApiUnavailable]
  }),
  HttpApiEndpoint.put("editPlan", "/plans/:id", {
    params,
    payload: PlanEdit,
    success: Plan,
    error: [ApiRefused, ApiConflict, ApiNotFound, ApiUnavailable]
  }),
  HttpApiEndpoint.post("disablePlan", "/plans/:id/disable", {
    params,
    payload: ApiRevision,
    success: Plan,
    error: [ApiConflict, ApiNotFound, ApiUnavailable]
  }),
  HttpApiEndpoint.post("enablePlan", "/plans/:id/enable", {
    params,
    payload: ApiRevision,
    success: Plan,
    error: [ApiConflict, ApiNotFound, ApiUnavailable]
  })
).annotateMerge(OpenApi.annotations({
  title: "Plans",
  description:
    "What users can subscribe to. A limit of 0 is none; a price of 0 is not for sale; multiplier_micros is the multiplier times 1000000. What was ordered or bought keeps its own terms."
})) {}
