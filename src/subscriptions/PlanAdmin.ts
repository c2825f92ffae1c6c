/**
 * Plans as administrators manage them. Plans that are managed in config.yaml are only shown. A change is recorded, counts as a new
 * revision, and concerns later orders only: what was ordered or bought keeps its own terms.
 */
import { Context, Effect, Layer, Schema } from "effect"
import { SqlClient, type SqlError } from "effect/sql"
import { mayName } from "../accounts/UserGroups.ts"
import { isCode } from "../domain/Code.ts"
import { PlanId } from "../domain/Ids.ts"
import { type PlanOffer, planOffer } from "../domain/Plan.ts"
import { Row } from "../domain/Row.ts"
import { type Actor, recordChange } from "../platform/AuditLog.ts"
import { Notifications } from "../platform/Notifications.ts"
import { editRow, refuseUnseen, type RowAt, type RowChanges, switchRow } from "../platform/RowAdmin.ts"
import { type IdPage, rowOf, rowsOf } from "../postgres/Rows.ts"
import { inTransaction } from "../postgres/Transaction.ts"
import { PlanExists, PlanRefused, PlanUnknown } from "./PlanError.ts"

/** A plan with everything there is to know of it. */
export const AdminPlan = Row({
  id: PlanId,
  /** Never changes. */
  code: Schema.String,
  ...planOffer.row,
  /** It is managed in config.yaml. A plan that is gone from the file can be managed here. */
  declared: Schema.Boolean,
  disabledAt: Schema.NullOr(Schema.Date),
  /** Counts the changes of the row. */
  revision: Schema.BigInt,
  /** Subscriptions of it that run or are to run. */
  subscriptions: Schema.Number,
  /** Orders of it that wait for a payment. */
  pendingOrders: Schema.Number,
  createdAt: Schema.Date,
  updatedAt: Schema.Date
}, { declared: "read_only" })
export interface AdminPlan extends Schema.Schema.Type<typeof AdminPlan> {}

const MadePlan = Row({ id: PlanId })

export interface PlanFilter extends IdPage {
  readonly state?: "enabled" | "disabled" | undefined
}

export interface PlanAdminShape extends RowChanges<PlanId, PlanOffer, PlanRefused, PlanUnknown> {
  /** Disabled ones too. */
  list(filter: PlanFilter): Effect.Effect<ReadonlyArray<AdminPlan>, SqlError.SqlError>
  get(id: PlanId): Effect.Effect<AdminPlan, PlanUnknown | SqlError.SqlError>
  /** A code has 1 to 40 of `a-z0-9-`. Answers the id. */
  create(
    actor: Actor,
    plan: PlanOffer & { readonly code: string }
  ): Effect.Effect<PlanId, PlanRefused | PlanExists | SqlError.SqlError>
}

export class PlanAdmin extends Context.Service<PlanAdmin, PlanAdminShape>()("realms/subscriptions/PlanAdmin") {
  static readonly layer = Layer.effect(PlanAdmin)(Effect.gen(function*() {
    const sql = yield* SqlClient.SqlClient
    const notifications = yield* Notifications

    /** A row of the file is disabled only by its absence from the file. */
    const columns = sql`p.*, p.declared AND p.disabled_at IS NULL AS read_only,
    (SELECT count(*)::integer FROM user_subscriptions s WHERE s.plan_id = p.id AND s.status = 'active' AND s.ends_at > now())
      AS subscriptions,
    (SELECT count(*)::integer FROM subscription_orders o WHERE o.plan_id = p.id AND o.state = 'pending') AS pending_orders`

    const list = Effect.fn("PlanAdmin.list")(function*({ before, limit, state }: PlanFilter) {
      return yield* rowsOf(
        AdminPlan,
        sql`SELECT ${columns} FROM subscription_plans p
      WHERE (${state ?? null}::text IS NULL OR (p.disabled_at IS NULL) = (${state ?? null}::text = 'enabled'))
        AND (${before ?? null}::bigint IS NULL OR p.id < ${before ?? null}::bigint)
      ORDER BY p.id DESC LIMIT ${limit}`
      )
    })

    const get = Effect.fn("PlanAdmin.get")(function*(id: PlanId) {
      const plan = yield* rowOf(AdminPlan, sql`SELECT ${columns} FROM subscription_plans p WHERE p.id = ${id}`)
      return plan === undefined ? yield* new PlanUnknown({ id }) : plan
    })

    const create = Effect.fn("PlanAdmin.create")(
      function*(actor: Actor, plan: PlanOffer & { readonly code: string }) {
        const wrong = [...isCode(plan.code) ? [] : ["code" as const], ...planOffer.wrong(plan)]
        if (wrong.length > 0) return yield* new PlanRefused({ fields: wrong })
        return yield* inTransaction(
          sql,
          Effect.gen(function*() {
            if (!(yield* mayName(sql, plan.groupCode))) return yield* new PlanRefused({ fields: ["groupCode"] })
            const made = yield* rowOf(
              MadePlan,
              sql`INSERT INTO subscription_plans ${sql.insert({ code: plan.code, ...planOffer.toRow(plan) })}
          ON CONFLICT (code) DO NOTHING RETURNING id`
            )
            if (made === undefined) return yield* new PlanExists({ code: plan.code })
            yield* recordChange(sql, actor, {
              action: "plan.created",
              target: `plan:${made.id}`,
              before: null,
              after: { code: plan.code, ...planOffer.toRow(plan) }
            })
            yield* notifications.publish("catalog", "edited")
            return made.id
          })
        )
      }
    )

    /** The row as the administrator saw it, locked. */
    const lockAsSeen = Effect.fnUntraced(function*({ id, revision }: RowAt<PlanId>) {
      const plan = yield* rowOf(
        AdminPlan,
        sql`SELECT ${columns} FROM subscription_plans p WHERE p.id = ${id}
      FOR NO KEY UPDATE OF p`
      )
      if (plan === undefined) return yield* new PlanUnknown({ id })
      yield* refuseUnseen(plan, { kind: "plan", name: plan.code, revision })
      return plan
    })

    const edit = Effect.fn("PlanAdmin.edit")(function*(actor: Actor, at: RowAt<PlanId>, terms: PlanOffer) {
      const wrong = planOffer.wrong(terms)
      if (wrong.length > 0) return yield* new PlanRefused({ fields: wrong })
      yield* inTransaction(
        sql,
        Effect.gen(function*() {
          const plan = yield* lockAsSeen(at)
          if (!(yield* mayName(sql, terms.groupCode, plan.groupCode))) {
            return yield* new PlanRefused({ fields: ["groupCode"] })
          }
          const changed = yield* editRow(sql, actor, {
            table: "subscription_plans",
            kind: "plan",
            row: plan,
            was: planOffer.toRow(plan),
            columns: planOffer.toRow(terms)
          })
          if (changed) yield* notifications.publish("catalog", "edited")
        })
      )
    })

    const setEnabled = Effect.fn("PlanAdmin.setEnabled")(function*(actor: Actor, at: RowAt<PlanId>, enabled: boolean) {
      yield* inTransaction(
        sql,
        Effect.gen(function*() {
          const row = yield* lockAsSeen(at)
          const switched = yield* switchRow(sql, actor, { table: "subscription_plans", kind: "plan", row, enabled })
          if (switched) yield* notifications.publish("catalog", "edited")
        })
      )
    })

    return PlanAdmin.of({ list, get, create, edit, setEnabled })
  }))
}
