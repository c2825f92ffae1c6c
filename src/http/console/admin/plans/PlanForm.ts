/**
 * What is wrong with a plan that somebody typed, in their words.
 */
import { type PlanField, planTerms } from "../../../../domain/Plan.ts"
import type { Problems } from "../../Answer.ts"
import { type PageContext, sayOf } from "../../PageContext.ts"

const inputOf = (field: PlanField): string => field === "code" ? field : planTerms.inputOf(field)

/** Says what is wrong beside each field. */
export const planProblems = (context: PageContext, fields: ReadonlyArray<PlanField>): Problems => {
  const say = sayOf(context, "adminPlans")
  const mostOf = (field: Exclude<PlanField, "code">) => context.formats.count(Number(planTerms.fields[field].max))
  const textOf = (field: PlanField) => {
    switch (field) {
      case "code":
        return say("code.problem")
      case "name":
        return say("problem.name")
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
