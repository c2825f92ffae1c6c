/** `realms plan list`: what users can subscribe to. */
import { Effect, type Layer } from "effect"
import { planTerms } from "../domain/Plan.ts"
import { type AdminPlan, PlanAdmin } from "../subscriptions/PlanAdmin.ts"
import { listCommand } from "./ListCommand.ts"
import { counted, dollars, type Printable, table, yuan } from "./Output.ts"

/** Plans that are listed, at most. */
const PLANS_LISTED_MAX = 1_000

const planFields = (plan: AdminPlan): Printable => ({
  id: plan.id,
  code: plan.code,
  ...planTerms.toRow(plan),
  declared: plan.declared,
  disabled_at: plan.disabledAt,
  subscriptions: plan.subscriptions
})

const limitsOf = (plan: AdminPlan): string =>
  ([
    ["5h", plan.limit5hMicros],
    ["1d", plan.limit1dMicros],
    ["7d", plan.limit7dMicros],
    ["30d", plan.limit30dMicros]
  ] as const).filter(([, micros]) => micros > 0n).map(([window, micros]) => `${dollars(micros)}/${window}`).join(" ")

const describePlans = (plans: ReadonlyArray<AdminPlan>): string =>
  plans.length === 0
    ? "there are no plans yet: add them in the console, at /admin/plans, or in config.yaml"
    : table(
      ["CODE", "NAME", "PRICE", "LASTS", "LIMITS", "SUBSCRIPTIONS", "STATE"],
      plans.map((plan) => [
        plan.code,
        plan.name,
        yuan(plan.priceFen),
        counted(plan.durationDays, "day"),
        limitsOf(plan) || "none",
        String(plan.subscriptions),
        plan.disabledAt === null ? "on sale" : "disabled"
      ])
    )

export const planCommand = <E, R>(services: Layer.Layer<PlanAdmin, E, R>) =>
  listCommand({
    name: "plan",
    description: "List plans with their price, their limits and how many have them",
    listed: Effect.flatMap(PlanAdmin, ({ list }) => list({ limit: PLANS_LISTED_MAX })),
    fields: planFields,
    describe: describePlans,
    services
  })
