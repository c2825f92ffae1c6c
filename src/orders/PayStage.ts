/**
 * How far an order has come on the way to its payment, and so what its page offers.
 */
import { minorOf } from "./Checkout.ts"
import type { Order } from "./Order.ts"
import type { OrderView } from "./Orders.ts"
import type { SettingsValues } from "../settings/Settings.ts"

/** One way of paying that is on. */
export interface PayMethod {
  readonly provider: "epay" | "stripe"
  /** Of EPay; empty for Stripe, which asks itself. */
  readonly method: string
  /** What is charged where that is not the order's amount: in the currency's minor unit. */
  readonly charge: { readonly amountMinor: bigint; readonly currency: string } | undefined
}

/** The ways of paying an order that are on, EPay's first. */
export const methodsOf = (order: Order, { epay, stripe }: SettingsValues["payment"]): ReadonlyArray<PayMethod> => [
  ...(epay.enabled ? epay.types : []).map((method) => ({ provider: "epay" as const, method, charge: undefined })),
  ...(stripe.enabled ? [stripe.currency] : []).map((currency) => ({
    provider: "stripe" as const,
    method: "",
    charge: currency === "cny" ? undefined : { amountMinor: minorOf(order.amountFen, stripe.minorPerFen), currency }
  }))
]

/** Ways of paying with the card first, or else last: who reads English has one, who reads Chinese pays by phone. */
export const likeliestFirst = (methods: ReadonlyArray<PayMethod>, isCardFirst: boolean): ReadonlyArray<PayMethod> => {
  const [cards, others] = [
    methods.filter(({ provider }) => provider === "stripe"),
    methods.filter(({ provider }) => provider !== "stripe")
  ]
  return isCardFirst ? [...cards, ...others] : [...others, ...cards]
}

/** What decides the stage of an order. */
export interface Progress {
  readonly order: Pick<OrderView["order"], "state">
  readonly attempts: ReadonlyArray<Pick<OrderView["attempts"][number], "state">>
  readonly payments: ReadonlyArray<Pick<OrderView["payments"][number], "state">>
  readonly unnamed: ReadonlyArray<unknown>
}

/** What decides how the panel looks: as long as it is the same, an open page need not change. */
export const versionOf = ({ attempts, order, payments, unnamed }: Progress): string => {
  const isProcessing = attempts.some(({ state }) => state === "processing")
  return [
    order.state,
    attempts.length,
    isProcessing ? "processing" : "open",
    ...payments.map(({ state }) => state),
    ...unnamed.map(() => "unnamed")
  ].join("-")
}

export type PayStage =
  /** Nothing was tried yet. */
  | "new"
  /** A payment was started, and the payer may start another. */
  | "started"
  /** The provider has said that a payment is on its way. */
  | "processing"
  /** A payment came in that a person looks at: nobody is asked to pay once more. */
  | "review"
  | "fulfilled"
  /** Ended without a payment: the same can be ordered again. */
  | "ended"
  | "takenBack"

export const stageOf = ({ attempts, order, payments, unnamed }: Progress): PayStage => {
  switch (order.state) {
    case "paid":
    case "active":
      return "fulfilled"
    case "cancelled":
    case "expired":
      return "ended"
    case "refunded":
    case "disputed":
      return "takenBack"
    case "pending":
      if (unnamed.length > 0 || payments.some(({ state }) => state === "in_review")) return "review"
      if (attempts.some(({ state }) => state === "processing")) return "processing"
      return attempts.length > 0 ? "started" : "new"
  }
}
