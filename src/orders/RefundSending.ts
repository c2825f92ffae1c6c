/**
 * Asks providers for refunds that are on record here, once or again, and sorts their answers.
 *
 * @internal
 */
import { Effect, Redacted } from "effect"
import { EpayClient } from "../payments/EpayClient.ts"
import type { PaymentFact, Provider, RefundState } from "../payments/PaymentFact.ts"
import { MISSING, NOT_ALLOWED, StripeClient } from "../payments/StripeClient.ts"
import type { DatabaseUnavailable } from "../postgres/DatabaseUnavailable.ts"
import { Settings } from "../settings/Settings.ts"
import { isCounted } from "./Clawback.ts"
import type { Attempt } from "./Order.ts"
import type { Payment } from "./Payments.ts"
import type { Refund } from "./RefundStore.ts"

/** What became of a refund, and at whose word. */
export interface Result {
  /** `unanswered`: the provider said nothing. */
  readonly state: RefundState | "unanswered"
  readonly providerRefund?: string | null
  readonly problem?: string
  /** Of who looked it up; absent where the provider says it. */
  readonly note?: string
}

/** A payment that came by a provider. */
export interface ProviderPayment extends Payment {
  readonly provider: Provider
  readonly currency: string
}

export const isOfProvider = (payment: Payment): payment is ProviderPayment =>
  payment.provider !== "manual" && payment.currency !== null

/** A refund with the payment that it is of. */
export interface Sent {
  readonly refund: Refund
  readonly payment: ProviderPayment
  /** The attempt that the payment was made through, where that is known. */
  readonly attempt: Attempt | undefined
}

export const makeRefundSending = Effect.gen(function*() {
  const settings = yield* Settings
  const stripe = yield* StripeClient
  const epay = yield* EpayClient

  /** Asks the provider. */
  const send = Effect.fnUntraced(
    function*(
      { attempt, payment, refund }: Sent
    ): Effect.fn.Return<Result, Effect.Error<ReturnType<typeof stripe.refund>> | DatabaseUnavailable> {
      const config = (yield* settings.fresh).payment
      if (payment.provider === "epay") {
        yield* epay.refund(config.epay, { trade: payment.payment, amountFen: refund.amountMinor })
        return { state: "succeeded" }
      }
      const made = yield* stripe.refund(config.stripe, {
        payment: payment.payment,
        amountMinor: refund.amountMinor,
        key: `realms-refund-${refund.isNamed ? payment.payment : attempt?.reference ?? payment.payment}-${refund.id}`,
        row: refund.isNamed ? refund.id : null
      })
      const { refund: providerRefund, state } = made
      return isCounted(state)
        ? { state, providerRefund }
        : { state, providerRefund, problem: "the refund failed at once" }
    },
    Effect.catchTags({
      ProviderRefused: ({ why }) => Effect.succeed<Result>({ state: "failed", problem: why }),
      ProviderOff: (error) => Effect.succeed<Result>({ state: "failed", problem: error.message }),
      ProviderUnavailable: ({ why }) => Effect.succeed<Result>({ state: "unanswered", problem: why })
    })
  )

  /** Asks once more. An account that does not know the payment, or no key, says nothing of what was asked before. */
  const sendAgain = (sent: Sent) =>
    Effect.flatMap(settings.fresh, ({ payment }) =>
      Effect.map(
        send(sent),
        (result): Result =>
          result.state === "failed" &&
            (Redacted.value(payment.stripe.secretKey) === "" || result.problem === NOT_ALLOWED ||
              result.problem?.startsWith(MISSING) === true)
            ? { state: "unanswered", ...(result.problem === undefined ? {} : { problem: result.problem }) }
            : result
      ))

  return { send, sendAgain }
})

/** What we tell of a refund. */
export const factOf = (
  { attempt, payment, refund }: Sent,
  state: RefundState,
  providerRefund: string | null,
  nowMs: number
) => {
  const [gateway, account] = payment.provider === "epay" ? payment.scope.split("|") : []
  return {
    _tag: "Refund",
    provider: payment.provider,
    // What the provider answers is another event than the request, whose state may be the same.
    eventKey: `root:refund:${refund.id}:${state === "pending" && providerRefund === null ? "requested" : state}`,
    kind: `refund.${state}`,
    payment: payment.payment,
    ...(gateway === undefined || account === undefined ? {} : { gateway, account }),
    reference: attempt?.reference ?? null,
    atSeconds: Math.floor(nowMs / 1_000),
    refund: providerRefund,
    own: refund.id,
    state,
    amountMinor: refund.amountMinor,
    currency: refund.currency
  } satisfies PaymentFact
}
