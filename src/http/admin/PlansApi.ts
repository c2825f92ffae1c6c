/**
 * `/api/admin/plans`: what users can subscribe to. A change names the revision that it was made on, and concerns later orders.
 */
import { Schema } from "effect"
import { HttpApiEndpoint, HttpApiGroup, OpenApi } from "effect/http-api"
import { IdJson, idJson } from "../../domain/Fields.ts"
import { PlanId } from "../../domain/Ids.ts"
import { planTerms } from "../../domain/Plan.ts"
import { Json } from "../../domain/Row.ts"
import { AdminPlanJson } from "../../subscriptions/PlanAdmin.ts"
import { ApiNotFound, changeErrors, editErrors } from "./ApiError.ts"
import { created, documented, itemsOf, pageQuery } from "./ApiSchema.ts"
import { ApiRevision, stateQuery } from "./ModelsApi.ts"

const Plan = AdminPlanJson.pipe(documented("Plan"))

const NewPlan = Json({ code: Schema.String, ...planTerms.json }).pipe(documented("NewPlan"))

const PlanEdit = Json({ revision: IdJson, ...planTerms.json }).pipe(documented("PlanEdit"))

const params = { id: idJson(PlanId) }

const { get, post, put } = HttpApiEndpoint

export class PlansApi extends HttpApiGroup.make("plans").add(
  get("listPlans", "/plans", { query: { ...pageQuery, ...stateQuery }, success: itemsOf(Plan) }),
  get("getPlan", "/plans/:id", { params, success: Plan, error: ApiNotFound }),
  post("createPlan", "/plans", { payload: NewPlan, success: Plan.pipe(created), error: editErrors }),
  put("editPlan", "/plans/:id", { params, payload: PlanEdit, success: Plan, error: editErrors }),
  post("disablePlan", "/plans/:id/disable", { params, payload: ApiRevision, success: Plan, error: changeErrors }),
  post("enablePlan", "/plans/:id/enable", { params, payload: ApiRevision, success: Plan, error: changeErrors })
).annotateMerge(OpenApi.annotations({
  title: "Plans",
  description:
    "What users can subscribe to. A limit of 0 is none; a price of 0 is not for sale; multiplier_micros is the multiplier times 1000000. What was ordered or bought keeps its own terms."
})) {}
