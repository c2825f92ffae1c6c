/**
 * `/api/admin/plans`: what users can subscribe to. A change names the revision that it was made on, and concerns later orders.
 */
import { idJson } from "../../domain/Fields.ts"
import { PlanId } from "../../domain/Ids.ts"
import { planOffer } from "../../domain/Plan.ts"
import { AdminPlan, PlanAdmin } from "../../subscriptions/PlanAdmin.ts"
import { answersOf, area } from "./ApiHandlers.ts"
import { jsonFields } from "./ApiSchema.ts"
import { codedEndpoints, rowAnswers } from "./RowsApi.ts"

export class PlansApi extends area(
  "plans",
  "Plans",
  "What users can subscribe to. A limit of 0 means no limit; a plan with a price of 0 is not for sale; multiplier_micros is the multiplier times 1000000. What was ordered or bought keeps its own terms. description_en, description_zh, recommended and position say how it is shown to buyers; position 0 comes first."
).add(
  ...codedEndpoints({ one: "Plan", id: idJson(PlanId), shown: jsonFields(AdminPlan.fields), terms: planOffer.json })
) {}

export const PlansHandlers = answersOf(PlansApi)(PlanAdmin, rowAnswers("Plan"))
