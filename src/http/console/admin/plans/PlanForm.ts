/**
 * What is wrong with a plan that somebody typed, in their words.
 */
import { type PlanField, planTerms } from "../../../../domain/Plan.ts"
import type { Problems } from "../../Answer.ts"
import { sayOf, type Visit } from "../../Visit.ts"
import { adminPlansText } from "./AdminPlansText.ts"

const inputOf = (field: PlanField): string => field === "code" ? field : planTerms.inputOf(field)

/** Says what is wrong beside each field. */
export const planProblems = (visit: Visit, fields: ReadonlyArray<PlanField>): Problems => {
  const say = sayOf(visit, adminPlansText)
  const mostOf = (field: Exclude<PlanField, "code">) => visit.formats.count(Number(planTerms.fields[field].max))
  const textOf = (field: PlanField) => {
    switch (field) {
      case "code":
        return say("code.problem")
      case "name":
        return say("name.problem")
      case "priceFen":
        return say("price.problem", { max: mostOf(field) })
      case "durationDays":
        return say("duration.problem", { max: mostOf(field) })
      case "multiplierMicros":
        return say("multiplier.problem", { max: mostOf(field) })
      default:
        return say("limit.problem")
    }
  }
  return Object.fromEntries(fields.map((field) => [inputOf(field), textOf(field)]))
}
