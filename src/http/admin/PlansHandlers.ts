/**
 * Answers `/api/admin/plans` by the same use cases as the pages.
 */
import { Effect } from "effect"
import { HttpApiBuilder } from "effect/http-api"
import { type AdminPlan, PlanAdmin } from "../../subscriptions/PlanAdmin.ts"
import type { PlanRefused } from "../../subscriptions/PlanError.ts"
import type { PlanField, PlanTerms } from "../../subscriptions/PlanTerms.ts"
import { CurrentAdmin } from "./AdminAccess.ts"
import { AdminApi } from "./AdminApi.ts"
import { ApiConflict, ApiNotFound, ApiRefused, orApiUnavailable } from "./ApiError.ts"
import { momentOf, momentOrNull, PAGE_ITEMS_MAX } from "./ApiSchema.ts"

const planJson = (plan: AdminPlan) => ({
  id: plan.id.toString(),
  code: plan.code,
  name: plan.terms.name,
  price_fen: plan.terms.priceFen.toString(),
  duration_days: plan.terms.durationDays,
  limit_5h_micros: plan.terms.limit5hMicros.toString(),
  limit_1d_micros: plan.terms.limit1dMicros.toString(),
  limit_7d_micros: plan.terms.limit7dMicros.toString(),
  limit_30d_micros: plan.terms.limit30dMicros.toString(),
  multiplier_micros: plan.terms.multiplierMicros.toString(),
  declared: plan.declared,
  disabled_at: momentOrNull(plan.disabledAt),
  revision: plan.revision.toString(),
  subscriptions: plan.subscriptions,
  pending_orders: plan.pendingOrders,
  created_at: momentOf(plan.createdAt),
  updated_at: momentOf(plan.updatedAt)
})

interface TermsPayload {
  readonly name: string
  readonly price_fen: string
  readonly duration_days: number
  readonly limit_5h_micros: string
  readonly limit_1d_micros: string
  readonly limit_7d_micros: string
  readonly limit_30d_micros: string
  readonly multiplier_micros: string
}

const termsOf = (payload: TermsPayload): PlanTerms => ({
  name: payload.name,
  priceFen: BigInt(payload.price_fen),
  durationDays: payload.duration_days,
  limit5hMicros: BigInt(payload.limit_5h_micros),
  limit1dMicros: BigInt(payload.limit_1d_micros),
  limit7dMicros: BigInt(payload.limit_7d_micros),
  limit30dMicros: BigInt(payload.limit_30d_micros),
  multiplierMicros: BigInt(payload.multiplier_micros)
})

const fieldNames: Readonly<Record<PlanField, readonly [name: string, message: string]>> = {
  code: ["code", "has 1 to 40 of a-z, 0-9 and -"],
  name: ["name", "has 1 to 100 characters"],
  price: ["price_fen", "is from 0 to 1000000 CNY"],
  duration_days: ["duration_days", "is a whole number from 1 to 36500"],
  limit_5h: ["limit_5h_micros", "is 0 or more"],
  limit_1d: ["limit_1d_micros", "is 0 or more"],
  limit_7d: ["limit_7d_micros", "is 0 or more"],
  limit_30d: ["limit_30d_micros", "is 0 or more"],
  multiplier: ["multiplier_micros", "is from 0 to 1000 times 1000000"]
}

const refused = ({ fields }: PlanRefused) =>
  Effect.fail(
    new ApiRefused({
      message: "The plan is not what can be sold.",
      problems: Object.fromEntries(fields.map((field) => fieldNames[field]))
    })
  )

const unknown = () => Effect.fail(new ApiNotFound({ message: "There is no such plan." }))

const conflict = ({ message }: { readonly message: string }) => Effect.fail(new ApiConflict({ message }))

const refusals = { PlanUnknown: unknown, PlanDeclared: conflict, ChangedMeanwhile: conflict }

export const PlansHandlers = HttpApiBuilder.group(
  AdminApi,
  "plans",
  Effect.fn(function*(handlers) {
    const plans = yield* PlanAdmin
    const show = (id: bigint) => Effect.map(plans.get(id), planJson)

    const setEnabled = (id: string, revision: string, enabled: boolean) =>
      Effect.gen(function*() {
        const at = { id: BigInt(id), revision: BigInt(revision) }
        yield* plans.setEnabled(yield* CurrentAdmin, at, enabled)
        return yield* show(at.id)
      }).pipe(Effect.catchTags(refusals), orApiUnavailable)

    return handlers.handleAll({
      listPlans: ({ query }) =>
        Effect.map(
          plans.list({
            state: query.state,
            before: query.before === undefined ? undefined : BigInt(query.before),
            limit: query.limit ?? PAGE_ITEMS_MAX
          }),
          (items) => ({ items: items.map(planJson) })
        ).pipe(orApiUnavailable),
      getPlan: ({ params }) => show(BigInt(params.id)).pipe(Effect.catchTag("PlanUnknown", unknown), orApiUnavailable),
      createPlan: Effect.fnUntraced(
        function*({ payload }) {
          return yield* show(yield* plans.create(yield* CurrentAdmin, { code: payload.code, ...termsOf(payload) }))
        },
        Effect.catchTags({ PlanRefused: refused, PlanExists: conflict, PlanUnknown: unknown }),
        orApiUnavailable
      ),
      editPlan: Effect.fnUntraced(
        function*({ params, payload }) {
          const at = { id: BigInt(params.id), revision: BigInt(payload.revision) }
          yield* plans.edit(yield* CurrentAdmin, at, termsOf(payload))
          return yield* show(at.id)
        },
        Effect.catchTags({ ...refusals, PlanRefused: refused }),
        orApiUnavailable
      ),
      disablePlan: ({ params, payload }) => setEnabled(params.id, payload.revision, false),
      enablePlan: ({ params, payload }) => setEnabled(params.id, payload.revision, true)
    })
  })
)
