/**
 * Asks providers about attempts whose outcome is not known, so that a lost callback still settles, and closes what has to be
 * closed. What they answer goes the way of a callback: the same settlement, the same identities.
 */
import { Context, Effect, Layer } from "effect"
import { SqlClient } from "effect/sql"
import { claimDue, type DueAttempt, giveUpOld } from "../orders/AttemptStore.ts"
import { Orders } from "../orders/Orders.ts"
import { CheckoutSessions } from "../orders/CheckoutSessions.ts"
import { Settlement } from "../orders/Settlement.ts"
import { EpayClient } from "../payments/EpayClient.ts"
import { hostOf } from "../payments/EpayGateway.ts"
import { ProviderUnavailable } from "../payments/PaymentError.ts"
import { StripeClient } from "../payments/StripeClient.ts"
import { inRounds } from "../platform/Rounds.ts"
import { Singletons } from "../platform/Singletons.ts"
import { type DatabaseUnavailable, orUnavailable } from "../postgres/DatabaseUnavailable.ts"
import { countOf } from "../postgres/Rows.ts"
import { Settings } from "../settings/Settings.ts"
import { endOverdue } from "../subscriptions/Subscriptions.ts"

/** What one round did. */
export interface ReconcileReport {
  /** Attempts asked about. */
  readonly asked: number
  /** Payments that were settled by it. */
  readonly settled: number
  /** Attempts about which the provider gave no usable answer; they are asked about again. */
  readonly failed: number
}

export class Reconciliation extends Context.Service<Reconciliation, {
  /** One round over the attempts that are due. */
  readonly round: Effect.Effect<ReconcileReport, DatabaseUnavailable>
  /** Asks about every attempt whose outcome is not known, due or not. */
  all(onProgress: (done: number, total: number) => void): Effect.Effect<ReconcileReport, DatabaseUnavailable>
  /** Expires orders whose time is over, and ends subscriptions whose time is. */
  readonly tidy: Effect.Effect<void, DatabaseUnavailable>
}>()("realms/events/Reconciliation") {
  static readonly layer = Layer.effect(Reconciliation)(Effect.gen(function*() {
    const sql = yield* SqlClient.SqlClient
    const settings = yield* Settings
    const epay = yield* EpayClient
    const stripe = yield* StripeClient
    const settlement = yield* Settlement
    const sessions = yield* CheckoutSessions
    const orders = yield* Orders

    /** What the provider says now; undefined when that is nothing new. */
    const ask = Effect.fnUntraced(function*(attempt: DueAttempt) {
      const { payment } = yield* settings.fresh
      if (attempt.provider === "epay") {
        if (payment.epay.partnerId !== attempt.merchant) {
          return yield* new ProviderUnavailable({ provider: "epay", why: "the payment is another merchant's" })
        }
        if (attempt.gateway !== "" && attempt.gateway !== hostOf(payment.epay)) {
          return yield* new ProviderUnavailable({ provider: "epay", why: "the payment is another gateway's" })
        }
        return yield* epay.query(payment.epay, { reference: attempt.reference })
      }
      if (attempt.session === null) return undefined
      // The current key: it may have been replaced since. A key of another account does not find the session; the log says so.
      const session = yield* stripe.retrieve(payment.stripe, attempt.session)
      // "On its way" is no news of an attempt that is known to be so.
      return attempt.state === "processing" && session.state === "processing" ? undefined : session.fact
    })

    const check = Effect.fnUntraced(function*(attempt: DueAttempt) {
      const fact = yield* ask(attempt)
      if (fact === undefined) {
        if (attempt.orderState !== "pending" || attempt.state === "closed") yield* sessions.closeOf(attempt.orderId)
        return { asked: 1, settled: 0, failed: 0 }
      }
      const settled = yield* settlement.settle(fact)
      const isNew = fact._tag === "Paid" && settled.outcome === "applied" && !settled.repeated
      return { asked: 1, settled: isNew ? 1 : 0, failed: 0 }
    }, (effect, attempt) =>
      effect.pipe(
        Effect.catchCause((cause) =>
          Effect.as(
            Effect.logWarning("a payment could not be asked about; it is asked about again", cause).pipe(
              Effect.annotateLogs({ provider: attempt.provider, reference: attempt.reference })
            ),
            { asked: 1, settled: 0, failed: 1 }
          )
        )
      ))

    const checkAll = (rows: ReadonlyArray<DueAttempt>) =>
      Effect.map(
        Effect.forEach(rows, check, { concurrency: CONCURRENCY }),
        (reports) => reports.reduce(add, nothing)
      )

    const claim = (onlyDue: boolean, after: bigint) => claimDue(sql, { onlyDue, after, limit: ROUND_MAX })

    const round = Effect.flatMap(claim(true, 0n), checkAll).pipe(orUnavailable)

    const all = Effect.fn("Reconciliation.all")(function*(onProgress: (done: number, total: number) => void) {
      const total = yield* countOf(
        sql`SELECT count(*) FROM payment_attempts WHERE state IN ('open', 'processing') OR payable`
      )
      let report = nothing
      let after = 0n
      while (true) {
        onProgress(report.asked, total)
        const rows = yield* claim(false, after)
        if (rows.length === 0) break
        report = add(report, yield* checkAll(rows))
        after = rows.reduce((highest, row) => row.id > highest ? row.id : highest, after)
      }
      onProgress(total, total)
      return report
    }, orUnavailable)

    const tidy = Effect.gen(function*() {
      yield* orders.expireDue
      yield* giveUpOld(sql)
      yield* endOverdue(sql)
    }).pipe(orUnavailable)

    return Reconciliation.of({ round, all, tidy })
  }))
}

/** Attempts asked about in one round, at most. */
const ROUND_MAX = 100

/** Questions under way at once. */
const CONCURRENCY = 4

const nothing: ReconcileReport = { asked: 0, settled: 0, failed: 0 }

const add = (a: ReconcileReport, b: ReconcileReport): ReconcileReport => ({
  asked: a.asked + b.asked,
  settled: a.settled + b.settled,
  failed: a.failed + b.failed
})

/** Between two rounds of a server, in milliseconds. */
const ROUND_MS = 15_000

/** What a server does about payments in the background. */
export const ReconcilerLayer = Layer.effectDiscard(Effect.gen(function*() {
  const reconciliation = yield* Reconciliation
  const reconcile = reconciliation.tidy.pipe(
    Effect.andThen(reconciliation.round),
    Effect.tap((report) =>
      report.settled > 0 ? Effect.logInfo("payments without a callback were settled", report) : Effect.void
    )
  )
  const run = yield* Singletons
  yield* run("reconciler", inRounds(reconcile, { failure: "payments could not be reconciled", everyMs: ROUND_MS }))
}))
