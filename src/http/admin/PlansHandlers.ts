/**
 * Answers `/api/admin/plans` by the same use cases as the pages.
 */
import { Effect } from "effect"
import { HttpApiBuilder } from "effect/http-api"
import type { PlanId } from "../../domain/Ids.ts"
import { type PlanField, planTerms } from "../../domain/Plan.ts"
import { columnOf } from "../../domain/Row.ts"
import { PlanAdmin } from "../../subscriptions/PlanAdmin.ts"
import type { PlanRefused } from "../../subscriptions/PlanError.ts"
import { CurrentAdmin } from "./AdminAccess.ts"
import { AdminApi } from "./AdminApi.ts"
import { ApiConflict, ApiNotFound, ApiRefused, orApiUnavailable } from "./ApiError.ts"
import { PAGE_ITEMS_MAX } from "./ApiSchema.ts"

const ruleOf = (field: PlanField): string => {
  switch (field) {
    case "code":
      return "has 1 to 40 of a-z, 0-9 and -"
    case "name":
      return `has 1 to ${planTerms.fields.name.max} characters`
    case "priceFen":
      return `is from 0 to ${planTerms.fields.priceFen.max} CNY`
    case "durationDays":
      return `is a whole number from 1 to ${planTerms.fields.durationDays.max}`
    case "multiplierMicros":
      return `is from 0 to ${planTerms.fields.multiplierMicros.max} times 1000000`
    default:
      return "is 0 or more"
  }
}

const refused = ({ fields }: PlanRefused) =>
  Effect.fail(
    new ApiRefused({
      message: "The plan is not what can be sold.",
      problems: Object.fromEntries(fields.map((field) => [columnOf(field), ruleOf(field)]))
    })
  )

const unknown = () => Effect.fail(new ApiNotFound({ message: "There is no such plan." }))

const conflict = ({ message }: { readonly message: string }) => Effect.fail(new ApiConflict({ message }))

const refusals = { PlanUnknown: unknown, PlanConfigManaged: conflict, ChangedMeanwhile: conflict }

export const PlansHandlers = HttpApiBuilder.group(
  AdminApi,
  "plans",
  Effect.fn(function*(handlers) {
    const plans = yield* PlanAdmin

    const setEnabled = (id: PlanId, revision: string, enabled: boolean) =>
      Effect.gen(function*() {
        const at = { id, revision: BigInt(revision) }
        yield* plans.setEnabled(yield* CurrentAdmin, at, enabled)
        return yield* plans.get(at.id)
      }).pipe(Effect.catchTags(refusals), orApiUnavailable)

    return handlers.handleAll({
      listPlans: ({ query }) =>
        Effect.map(
          plans.list({
            state: query.state,
            before: query.before,
            limit: query.limit ?? PAGE_ITEMS_MAX
          }),
          (items) => ({ items })
        ).pipe(orApiUnavailable),
      getPlan: ({ params }) => plans.get(params.id).pipe(Effect.catchTag("PlanUnknown", unknown), orApiUnavailable),
      createPlan: Effect.fnUntraced(
        function*({ payload }) {
          return yield* plans.get(yield* plans.create(yield* CurrentAdmin, payload))
        },
        Effect.catchTags({ PlanRefused: refused, PlanExists: conflict, PlanUnknown: unknown }),
        orApiUnavailable
      ),
      editPlan: Effect.fnUntraced(
        function*({ params, payload }) {
          const { revision, ...terms } = payload
          const at = { id: params.id, revision }
          yield* plans.edit(yield* CurrentAdmin, at, terms)
          return yield* plans.get(at.id)
        },
        Effect.catchTags({ ...refusals, PlanRefused: refused }),
        orApiUnavailable
      ),
      disablePlan: ({ params, payload }) => setEnabled(params.id, payload.revision, false),
      enablePlan: ({ params, payload }) => setEnabled(params.id, payload.revision, true)
    })
  })
)
