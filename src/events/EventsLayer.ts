/** The folder's layer: provider events, and what administrators decide about them. */
import { Layer } from "effect"
import { Callbacks } from "./Callbacks.ts"
import { Corrections } from "./Corrections.ts"
import { EventResolutions } from "./EventResolutions.ts"
import { ManualPayments } from "./ManualPayments.ts"
import { OrderHistory } from "./OrderHistory.ts"
import { PaymentEvents } from "./PaymentEvents.ts"
import { PaymentReviews } from "./PaymentReviews.ts"
import { PaymentSearch } from "./PaymentSearch.ts"
import { Reconciliation } from "./Reconciliation.ts"

export const EventsLayer = Layer.mergeAll(
  Callbacks.layer,
  Corrections.layer,
  EventResolutions.layer,
  ManualPayments.layer,
  OrderHistory.layer,
  PaymentEvents.layer,
  PaymentReviews.layer.pipe(Layer.provide(PaymentEvents.layer)),
  PaymentSearch.layer,
  Reconciliation.layer
)
