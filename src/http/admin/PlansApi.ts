/**
 * `/api/admin/plans`: what users can subscribe to. A change names the revision that it was made on, and concerns later orders.
 */
import { Effect, Schema } from "effect"
import { MULTIPLIER_MAX } from "../../domain/Bounds.ts"
import { IdJson, idJson } from "../../domain/Fields.ts"
import { PlanId } from "../../domain/Ids.ts"
import { type PlanField, planOffer } from "../../domain/Plan.ts"
import { Json } from "../../domain/Row.ts"
import { AdminPlan, PlanAdmin } from "../../subscriptions/PlanAdmin.ts"
import type { PlanRefused } from "../../subscriptions/PlanError.ts"
import { changeErrors } from "./ApiError.ts"
import { answersOf, area } from "./ApiHandlers.ts"
import { documented, jsonFields, pageQuery } from "./ApiSchema.ts"
import { refuseFields, rowAnswers, rowEndpoints, stateQuery } from "./RowsApi.ts"
import { rangeText } from "./TermsApi.ts"

const Plan = Json({ ...jsonFields(AdminPlan.fields), ...planOffer.json }).pipe(documented("Plan"))

const NewPlan = Json({ code: Schema.String, ...planOffer.json }).pipe(documented("NewPlan"))

const PlanEdit = Json({ revision: IdJson, ...planOffer.json }).pipe(documented("PlanEdit"))

export class PlansApi extends area(
  "plans",
  "Plans",
  "What users can subscribe to. A limit of 0 means no limit; a plan with a price of 0 is not for sale; multiplier_micros is the multiplier times 1000000. What was ordered or bought keeps its own terms. description_en, description_zh, recommended and position say how it is shown to buyers; position 0 comes first."
).add(
  ...rowEndpoints({
    one: "Plan",
    path: "/plans",
    query: { ...pageQuery, ...stateQuery },
    id: idJson(PlanId),
    row: Plan,
    create: NewPlan,
    edit: PlanEdit,
    enableErrors: changeErrors
  })
) {}

const ruleOf = (field: PlanField): string => {
  if (field === "code") return "has 1 to 40 of a-z, 0-9 and -"
  if (field === "groupCode") return "is the code of a group that is not disabled, or null"
  return field === "multiplierMicros"
    ? `is from 0 to ${MULTIPLIER_MAX} times 1000000`
    : rangeText(planOffer.fields[field].kind)
}

const refused = ({ fields }: PlanRefused) => refuseFields("The plan is not what can be sold.", fields, ruleOf)

export const PlansHandlers = answersOf(PlansApi)(PlanAdmin, (plans) => {
  const { create, disable, edit, enable, get, list } = rowAnswers(plans)
  return {
    listPlans: list,
    getPlan: get,
    createPlan: (request, admin) => Effect.catchTag(create(request, admin), "PlanRefused", refused),
    editPlan: (request, admin) => Effect.catchTag(edit(request, admin), "PlanRefused", refused),
    disablePlan: disable,
    enablePlan: enable
  }
})
