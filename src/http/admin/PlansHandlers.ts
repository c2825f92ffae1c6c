/**
 * Answers `/api/admin/plans` by the same use cases as the pages.
 */
import { Effect } from "effect"
import { MULTIPLIER_MAX } from "../../domain/Bounds.ts"
import type { PlanId } from "../../domain/Ids.ts"
import { type PlanField, planTerms } from "../../domain/Plan.ts"
import { columnOf } from "../../domain/Row.ts"
import { PlanAdmin } from "../../subscriptions/PlanAdmin.ts"
import type { PlanRefused } from "../../subscriptions/PlanError.ts"
import { CurrentAdmin } from "./AdminAccess.ts"
import { ApiRefused } from "./ApiError.ts"
import { answersOf, listed } from "./ApiHandlers.ts"
import { PAGE_ITEMS_MAX } from "./ApiSchema.ts"
import { rangeText } from "./TermsApi.ts"

const ruleOf = (field: PlanField): string => {
  if (field === "code") return "has 1 to 40 of a-z, 0-9 and -"
  return field === "multiplierMicros"
    ? `is from 0 to ${MULTIPLIER_MAX} times 1000000`
    : rangeText(planTerms.fields[field].kind)
}

const refused = ({ fields }: PlanRefused) =>
  Effect.fail(
    new ApiRefused({
      message: "The plan is not what can be sold.",
      problems: Object.fromEntries(fields.map((field) => [columnOf(field), ruleOf(field)]))
    })
  )

export const PlansHandlers = answersOf(
  "plans",
  Effect.gen(function*() {
    const plans = yield* PlanAdmin

    const setEnabled = Effect.fnUntraced(function*(id: PlanId, revision: bigint, enabled: boolean) {
      yield* plans.setEnabled(yield* CurrentAdmin, { id, revision }, enabled)
      return yield* plans.get(id)
    })

    return {
      listPlans: ({ query: { before, limit = PAGE_ITEMS_MAX, state } }) => listed(plans.list({ state, before, limit })),
      getPlan: ({ params }) => plans.get(params.id),
      createPlan: Effect.fnUntraced(
        function*({ payload }) {
          return yield* plans.get(yield* plans.create(yield* CurrentAdmin, payload))
        },
        Effect.catchTag("PlanRefused", refused)
      ),
      editPlan: Effect.fnUntraced(
        function*({ params: { id }, payload: { revision, ...terms } }) {
          yield* plans.edit(yield* CurrentAdmin, { id, revision }, terms)
          return yield* plans.get(id)
        },
        Effect.catchTag("PlanRefused", refused)
      ),
      disablePlan: ({ params, payload }) => setEnabled(params.id, payload.revision, false),
      enablePlan: ({ params, payload }) => setEnabled(params.id, payload.revision, true)
    }
  })
)
