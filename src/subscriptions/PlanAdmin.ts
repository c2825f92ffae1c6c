/**
 * Plans as administrators manage them. Plans that are managed in config.yaml are only shown. A change is recorded, counts as a new
 * revision, and concerns later orders only: what was ordered or bought keeps its own terms.
 */
import { Context, Effect, Layer, Schema } from "effect"
import { SqlClient } from "effect/sql"
import { mayName } from "../accounts/UserGroups.ts"
import { PlanId } from "../domain/Ids.ts"
import { type PlanOffer, planOffer } from "../domain/Plan.ts"
import { type CodedAdmin, codedRow, codedRows } from "../platform/CodedRows.ts"
import { publish } from "../platform/Notifications.ts"
import { PlanExists, PlanRefused, PlanUnknown } from "./PlanError.ts"

/** A plan with everything there is to know of it. */
export const AdminPlan = codedRow(PlanId, planOffer.row, {
  /** Subscriptions of it that run or are to run. */
  subscriptions: Schema.Number,
  /** Orders of it that wait for a payment. */
  pendingOrders: Schema.Number
})
export interface AdminPlan extends Schema.Schema.Type<typeof AdminPlan> {}

export interface PlanAdminShape
  extends CodedAdmin<PlanId, AdminPlan, PlanOffer, PlanRefused, PlanExists, PlanUnknown>
{}

export class PlanAdmin extends Context.Service<PlanAdmin, PlanAdminShape>()("realms/subscriptions/PlanAdmin") {
  static readonly layer = Layer.effect(PlanAdmin)(Effect.gen(function*() {
    const sql = yield* SqlClient.SqlClient

    const checkGroup = Effect.fnUntraced(function*({ groupCode }: PlanOffer, before: AdminPlan | undefined) {
      if (!(yield* mayName(sql, groupCode, before?.groupCode))) return yield* new PlanRefused({ fields: ["groupCode"] })
    })

    return PlanAdmin.of(codedRows(sql, {
      name: "PlanAdmin",
      table: "subscription_plans",
      kind: "plan",
      id: PlanId,
      row: AdminPlan,
      counts: sql`(SELECT count(*)::integer FROM user_subscriptions s
          WHERE s.plan_id = r.id AND s.status = 'active' AND s.ends_at > now()) AS subscriptions,
        (SELECT count(*)::integer FROM subscription_orders o WHERE o.plan_id = r.id AND o.state = 'pending') AS pending_orders`,
      terms: planOffer,
      refused: (fields) => new PlanRefused({ fields }),
      exists: (code) => new PlanExists({ code }),
      unknown: (id) => new PlanUnknown({ id }),
      check: checkGroup,
      onChange: () => publish(sql, "catalog", "edited")
    }))
  }))
}
