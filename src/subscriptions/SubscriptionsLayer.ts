/**
 * The folder's layer: plans and subscriptions. The declared plans are written before anything reads.
 */
import { Layer } from "effect"
import { Grants } from "./Grants.ts"
import { PlanAdmin } from "./PlanAdmin.ts"
import { declarePlans } from "./Plans.ts"
import { PlansForSale } from "./PlansForSale.ts"
import { SubscriptionList } from "./SubscriptionList.ts"

export const SubscriptionsLayer = Layer.mergeAll(
  Grants.layer,
  PlanAdmin.layer,
  PlansForSale.layer,
  SubscriptionList.layer
).pipe(
  Layer.provideMerge(Layer.effectDiscard(declarePlans))
)
