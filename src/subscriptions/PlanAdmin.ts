/**
 * Plans as administrators manage them. What is declared in config.yaml is shown and left alone. A change is recorded, counts as
 * a new revision, and concerns later orders only: what was ordered or bought keeps its own terms.
 */
import { Context, Effect, Layer } from "effect"
import { SqlClient, type SqlError } from "effect/sql"
import { type Actor, changesBetween, recordChange } from "../platform/AuditLog.ts"
import { ChangedMeanwhile } from "../platform/ChangedMeanwhile.ts"
import { Notifications } from "../platform/Notifications.ts"
import { inTransaction } from "../postgres/Transaction.ts"
import { PlanDeclared, PlanExists, PlanRefused, PlanUnknown } from "./PlanError.ts"
import { isPlanCode, planFacts, type PlanTerms, planTermsOf, type PlanTermsRow, wrongPlanFields } from "./PlanTerms.ts"

/** A plan with everything there is to know of it. */
export interface AdminPlan {
  readonly id: bigint
  /** Never changes. */
  readonly code: string
  readonly terms: PlanTerms
  /** It stands in config.yaml and is changed there. One that is gone from the file is nobody's, and can be taken over. */
  readonly declared: boolean
  readonly disabledAt: Date | null
  /** Counts the changes of the row. */
  readonly revision: bigint
  readonly createdAt: Date
  readonly updatedAt: Date
  /** Subscriptions of it that run or are to run. */
  readonly subscriptions: number
  /** Orders of it that wait for a payment. */
  readonly pendingOrders: number
}

export interface PlanFilter {
  readonly state?: "enabled" | "disabled" | undefined
  /** Only ids below this one. */
  readonly before?: bigint | undefined
  readonly limit: number
}

/** The id, and the revision that the change was made on. */
export interface PlanAt {
  readonly id: bigint
  readonly revision: bigint
}

type EditError = PlanUnknown | PlanDeclared | ChangedMeanwhile | SqlError.SqlError

export class PlanAdmin extends Context.Service<PlanAdmin, {
  /** Newest first, disabled ones too. */
  list(filter: PlanFilter): Effect.Effect<ReadonlyArray<AdminPlan>, SqlError.SqlError>
  get(id: bigint): Effect.Effect<AdminPlan, PlanUnknown | SqlError.SqlError>
  /** A code has 1 to 40 of `a-z0-9-`. Answers the id. */
  create(
    actor: Actor,
    plan: PlanTerms & { readonly code: string }
  ): Effect.Effect<bigint, PlanRefused | PlanExists | SqlError.SqlError>
  edit(actor: Actor, at: PlanAt, terms: PlanTerms): Effect.Effect<void, PlanRefused | EditError>
  /** A disabled plan cannot be ordered; its orders and subscriptions go on. Doing what is done already changes nothing. */
  setEnabled(actor: Actor, at: PlanAt, enabled: boolean): Effect.Effect<void, EditError>
}>()("realms/subscriptions/PlanAdmin") {
  static readonly layer = Layer.effect(
    PlanAdmin,
    Effect.gen(function*() {
      const sql = yield* SqlClient.SqlClient
      const notifications = yield* Notifications

      /** A declared row is disabled only by its absence from the file. */
      const columns = sql`p.id, p.code, p.name, p.price_fen, p.duration_days, p.limit_5h_micros, p.limit_1d_micros,
    p.limit_7d_micros, p.limit_30d_micros, p.multiplier_micros, p.declared AND p.disabled_at IS NULL AS read_only,
    p.disabled_at, p.revision, p.created_at, p.updated_at,
    (SELECT count(*) FROM user_subscriptions s WHERE s.plan_id = p.id AND s.status = 'active' AND s.ends_at > now())
      AS subscriptions,
    (SELECT count(*) FROM subscription_orders o WHERE o.plan_id = p.id AND o.state = 'pending') AS pending_orders`

      const list = Effect.fn("PlanAdmin.list")(function*({ before, limit, state }: PlanFilter) {
        const rows = yield* sql<PlanRow>`SELECT ${columns} FROM subscription_plans p
      WHERE (${state ?? null}::text IS NULL OR (p.disabled_at IS NULL) = (${state ?? null}::text = 'enabled'))
        AND (${before ?? null}::bigint IS NULL OR p.id < ${before ?? null}::bigint)
      ORDER BY p.id DESC LIMIT ${limit}`
        return rows.map(toPlan)
      })

      const get = Effect.fn("PlanAdmin.get")(function*(id: bigint) {
        const [row] = yield* sql<PlanRow>`SELECT ${columns} FROM subscription_plans p WHERE p.id = ${id}`
        return row === undefined ? yield* new PlanUnknown({ id }) : toPlan(row)
      })

      const create = Effect.fn("PlanAdmin.create")(
        function*(actor: Actor, plan: PlanTerms & { readonly code: string }) {
          const wrong = [...isPlanCode(plan.code) ? [] : ["code" as const], ...wrongPlanFields(plan)]
          if (wrong.length > 0) return yield* new PlanRefused({ fields: wrong })
          return yield* inTransaction(
            sql,
            Effect.gen(function*() {
              const [made] = yield* sql<
                { id: bigint }
              >`INSERT INTO subscription_plans (code, name, price_fen, duration_days,
            limit_5h_micros, limit_1d_micros, limit_7d_micros, limit_30d_micros, multiplier_micros)
          VALUES (${plan.code}, ${plan.name}, ${plan.priceFen}, ${plan.durationDays}, ${plan.limit5hMicros},
            ${plan.limit1dMicros}, ${plan.limit7dMicros}, ${plan.limit30dMicros}, ${plan.multiplierMicros})
          ON CONFLICT (code) DO NOTHING RETURNING id`
              if (made === undefined) return yield* new PlanExists({ code: plan.code })
              yield* recordChange(sql, actor, {
                action: "plan.created",
                target: `plan:${made.id}`,
                before: null,
                after: { code: plan.code, ...planFacts(plan) }
              })
              yield* notifications.publish("catalog", "edited")
              return made.id
            })
          )
        }
      )

      /** The row as the administrator saw it, locked. */
      const lockAsSeen = Effect.fnUntraced(function*({ id, revision }: PlanAt) {
        const [row] = yield* sql<PlanRow>`SELECT ${columns} FROM subscription_plans p WHERE p.id = ${id}
      FOR NO KEY UPDATE OF p`
        if (row === undefined) return yield* new PlanUnknown({ id })
        if (row.read_only) return yield* new PlanDeclared({ code: row.code })
        if (row.revision !== revision) return yield* new ChangedMeanwhile({ target: `plan:${id}` })
        return toPlan(row)
      })

      const edit = Effect.fn("PlanAdmin.edit")(function*(actor: Actor, at: PlanAt, terms: PlanTerms) {
        const wrong = wrongPlanFields(terms)
        if (wrong.length > 0) return yield* new PlanRefused({ fields: wrong })
        yield* inTransaction(
          sql,
          Effect.gen(function*() {
            const plan = yield* lockAsSeen(at)
            const { after, before } = changesBetween(planFacts(plan.terms), planFacts(terms))
            if (Object.keys(after).length === 0) return
            yield* sql`UPDATE subscription_plans SET name = ${terms.name}, price_fen = ${terms.priceFen},
            duration_days = ${terms.durationDays}, limit_5h_micros = ${terms.limit5hMicros},
            limit_1d_micros = ${terms.limit1dMicros}, limit_7d_micros = ${terms.limit7dMicros},
            limit_30d_micros = ${terms.limit30dMicros}, multiplier_micros = ${terms.multiplierMicros},
            declared = false, updated_at = now()
          WHERE id = ${at.id}`
            yield* recordChange(sql, actor, { action: "plan.changed", target: `plan:${at.id}`, before, after })
            yield* notifications.publish("catalog", "edited")
          })
        )
      })

      const setEnabled = Effect.fn("PlanAdmin.setEnabled")(function*(actor: Actor, at: PlanAt, enabled: boolean) {
        yield* inTransaction(
          sql,
          Effect.gen(function*() {
            const plan = yield* lockAsSeen(at)
            if (enabled === (plan.disabledAt === null)) return
            yield* sql`UPDATE subscription_plans
          SET disabled_at = CASE WHEN ${enabled}::boolean THEN NULL ELSE now() END, declared = false, updated_at = now()
          WHERE id = ${at.id}`
            yield* recordChange(sql, actor, {
              action: enabled ? "plan.enabled" : "plan.disabled",
              target: `plan:${at.id}`,
              before: { enabled: !enabled },
              after: { enabled }
            })
            yield* notifications.publish("catalog", "edited")
          })
        )
      })

      return PlanAdmin.of({ list, get, create, edit, setEnabled })
    })
  )
}

interface PlanRow extends PlanTermsRow {
  readonly id: bigint
  readonly code: string
  readonly read_only: boolean
  readonly disabled_at: Date | null
  readonly revision: bigint
  readonly created_at: Date
  readonly updated_at: Date
  readonly subscriptions: bigint
  readonly pending_orders: bigint
}

const toPlan = (row: PlanRow): AdminPlan => ({
  id: row.id,
  code: row.code,
  terms: planTermsOf(row),
  declared: row.read_only,
  disabledAt: row.disabled_at,
  revision: row.revision,
  createdAt: row.created_at,
  updatedAt: row.updated_at,
  subscriptions: Number(row.subscriptions),
  pendingOrders: Number(row.pending_orders)
})
