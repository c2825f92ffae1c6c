/**
 * The plans that can be bought now, as the table says at this moment. What a buyer gets is fixed by their order.
 */
import { Context, Effect, Layer, Schema } from "effect"
import { SqlClient, type SqlError } from "effect/sql"
import { planOffer } from "../domain/Plan.ts"
import { countedMicros } from "../domain/PlanWorth.ts"
import { Row } from "../domain/Row.ts"
import { rowsOf } from "../postgres/Rows.ts"

/** Plans shown, at most. */
const PLANS_MAX = 50

/** Limits in USD micros, 0 for none, in the order of 5 hours, 1, 7 and 30 days; the multiplier is scaled by 10^6. */
export interface PlanForSale {
  readonly code: string
  readonly name: string
  readonly priceFen: bigint
  readonly durationDays: number
  readonly limits: readonly [bigint, bigint, bigint, bigint]
  readonly multiplierMicros: bigint
  /** That of the group that it sets, scaled by 10^6; null: it sets none. */
  readonly groupMultiplier: bigint | null
  /** What calls may count in all over its time, in USD micros; undefined: as much as they like. */
  readonly countedMicros: bigint | undefined
  /** Empty where nothing is said in that language. */
  readonly description: { readonly en: string; readonly zh: string }
  readonly recommended: boolean
}

export class PlansForSale extends Context.Service<PlansForSale, {
  /** In the order that root has given them; of one place the cheapest first. */
  readonly list: Effect.Effect<ReadonlyArray<PlanForSale>, SqlError.SqlError>
}>()("realms/subscriptions/PlansForSale") {
  static readonly layer = Layer.effect(PlansForSale)(Effect.gen(function*() {
    const sql = yield* SqlClient.SqlClient
    return PlansForSale.of({
      list: Effect.map(
        rowsOf(
          Plan,
          sql`SELECT p.*, g.multiplier_micros AS group_multiplier FROM subscription_plans p
            LEFT JOIN user_groups g ON g.code = p.group_code
            WHERE p.disabled_at IS NULL AND p.price_fen > 0 ORDER BY p.position, p.price_fen, p.id LIMIT ${PLANS_MAX}`
        ),
        (plans) => plans.map(forSale)
      )
    })
  }))
}

const Plan = Row({ code: Schema.String, ...planOffer.row, groupMultiplier: Schema.NullOr(Schema.BigInt) })

const forSale = (plan: typeof Plan.Type): PlanForSale => ({
  code: plan.code,
  name: plan.name,
  priceFen: plan.priceFen,
  durationDays: plan.durationDays,
  limits: [plan.limit5hMicros, plan.limit1dMicros, plan.limit7dMicros, plan.limit30dMicros],
  multiplierMicros: plan.multiplierMicros,
  groupMultiplier: plan.groupMultiplier,
  countedMicros: countedMicros(plan),
  description: { en: plan.descriptionEn, zh: plan.descriptionZh },
  recommended: plan.recommended
})
