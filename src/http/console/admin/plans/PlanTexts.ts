/**
 * What the terms of a plan are called on its pages, and in the record of its changes.
 */
import { planOffer } from "../../../../domain/Plan.ts"
import { type PageContext, sayOf } from "../../PageContext.ts"
import { shownTerms } from "../Terms.tsx"

export const planTermsOf = (context: PageContext) => {
  const say = sayOf(context, "adminPlans")
  const limits = sayOf(context, "limits")
  return shownTerms(context, planOffer, {
    name: { label: say("name"), hint: say("name.hint") },
    priceFen: { label: say("price"), hint: say("price.hint") },
    durationDays: { label: say("duration"), hint: say("duration.hint"), initial: "30" },
    limit5hMicros: { label: say("limit.5h") },
    limit1dMicros: { label: say("limit.1d") },
    limit7dMicros: { label: say("limit.7d") },
    limit30dMicros: { label: say("limit.30d") },
    multiplierMicros: { label: say("multiplier"), hint: say("multiplier.hint") },
    groupCode: { label: say("group"), hint: say("group.hint"), problem: say("problem.choice"), unset: say("none") },
    requestsPerMinute: { label: limits("requestsPerMinute"), hint: say("rates.hint") },
    tokensPerMinute: { label: limits("tokensPerMinute") },
    concurrentCalls: { label: limits("concurrentCalls") },
    descriptionEn: { label: say("description.en"), hint: say("description.hint") },
    descriptionZh: { label: say("description.zh") },
    recommended: { label: say("recommended"), hint: say("recommended.hint") },
    position: { label: say("position"), hint: say("position.hint") }
  })
}
