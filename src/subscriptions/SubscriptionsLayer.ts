/**
 * The folder's layer: plans and subscriptions. The plans of the configuration are written before anything reads.
 */
import { Layer } from "effect"
import { Grants } from "./Grants.ts"
import { PlanAdmin } from "./PlanAdmin.ts"
import { writeConfigPlans } from "./ConfigPlans.ts"
import { PlansForSale } from "./PlansForSale.ts"
import { SubscriptionList } from "./SubscriptionList.ts"

export const SubscriptionsLayer = Layer.mergeAll(
  Grants.layer,
  PlanAdmin.layer,
  PlansForSale.layer,
  SubscriptionList.layer
).pipe(
  Layer.provideMerge(Layer.effectDiscard(writeConfigPlans))
)
