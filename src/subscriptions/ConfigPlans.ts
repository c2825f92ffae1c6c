/**
 * Writes the plans of the configuration to their table at the start. Orders and subscriptions keep the terms that they were made on.
 */
import { Effect } from "effect"
import { AppConfig, type PlanConfig } from "../config/Config.ts"
import { planOffer } from "../domain/Plan.ts"
import { writeCatalogTable } from "../settings/ConfigRows.ts"

const rowOf = (plan: PlanConfig) => ({ code: plan.code, ...planOffer.toRow(plan) })

export const writeConfigPlans = Effect.flatMap(AppConfig, ({ plans }) =>
  writeCatalogTable({
    table: "subscription_plans",
    key: "code",
    columns: planOffer.columnNames,
    rows: plans.map(rowOf)
  }))
