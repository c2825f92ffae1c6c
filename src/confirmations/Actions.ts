/**
 * How each action is done again when it is confirmed: what was stored is read by a schema and given to the use case that asked.
 * @internal
 */
import { DateTime, Effect, Schema } from "effect"
import { Adjustments } from "../accounts/Adjustments.ts"
import { DebtWaivers } from "../accounts/DebtWaivers.ts"
import { isSettingKey } from "../config/SettingDocument.ts"
import { EventId, idFromText, OrderId, RefundId, UserId } from "../domain/Ids.ts"
import { EventResolutions } from "../events/EventResolutions.ts"
import { ManualPayments } from "../events/ManualPayments.ts"
import { Refunds } from "../orders/Refunds.ts"
import type { Actor } from "../platform/AuditLog.ts"
import { type ConfirmationFacts, ConfirmationRefused, type ConfirmedAction } from "../platform/SecondPerson.ts"
import { RedemptionAdmin } from "../redemption/RedemptionAdmin.ts"
import type { NewBatch } from "../redemption/RedemptionBatch.ts"
import { SettingsAdmin } from "../settings/SettingsAdmin.ts"
import { Grants } from "../subscriptions/Grants.ts"

const Amount = Schema.BigIntFromString
const Adjustment = Schema.Struct({ user_id: idFromText(UserId), amount_micros: Amount, key: Schema.String })
const Grant = Schema.Struct({ user_id: idFromText(UserId), plan: Schema.String, key: Schema.String })
const Codes = Schema.Struct({
  name: Schema.String,
  codes: Schema.Int,
  uses_max: Schema.Int,
  expires_at: Schema.NullOr(Schema.String),
  usd_micros: Schema.optionalKey(Amount),
  plan_code: Schema.optionalKey(Schema.String),
  group_code: Schema.optionalKey(Schema.String),
  key: Schema.optionalKey(Schema.String)
})
const Accept = Schema.Struct({ event_id: idFromText(EventId), in_proportion: Schema.Boolean })
const Credit = Schema.Struct({ event_id: idFromText(EventId), user: Schema.String, amount_micros: Amount })
const PaymentRefund = Schema.Struct({ event_id: idFromText(EventId), key: Schema.String })
const Complete = Schema.Struct({
  order_id: idFromText(OrderId),
  provider: Schema.Literals(["epay", "stripe", "manual"]),
  reference: Schema.String
})
const OrderRefund = Schema.Struct({ order_id: idFromText(OrderId), amount_minor: Amount, key: Schema.String })
const RefundFail = Schema.Struct({ refund_id: idFromText(RefundId) })
const Limits = Schema.Record(Schema.String, Schema.NullOr(Schema.String))

/** What an action fails with: a refusal of its use case, or that the database is away. */
export interface ActionError {
  readonly _tag: string
  readonly message: string
}

type Run = (actor: Actor, asked: ConfirmationFacts, note: string) => Effect.Effect<unknown, ActionError>

/** A request that this version cannot read is refused; somebody has to make a new one. */
const reading = <A, I>(
  schema: Schema.Codec<A, I>,
  run: (actor: Actor, asked: A, note: string) => Effect.Effect<unknown, ActionError>
): Run => {
  const decode = Schema.decodeUnknownEffect(schema)
  return (actor, asked, note) =>
    decode(asked).pipe(
      Effect.mapError(() => new ConfirmationRefused({ reason: "changed" })),
      Effect.flatMap((read) => run(actor, read, note))
    )
}

const batchOf = (asked: typeof Codes.Type, note: string): NewBatch => ({
  name: asked.name,
  note,
  gift: asked.plan_code === undefined
    ? { kind: "balance", usdMicros: asked.usd_micros ?? 0n }
    : { kind: "plan", planCode: asked.plan_code },
  groupCode: asked.group_code ?? null,
  codes: asked.codes,
  usesMax: asked.uses_max,
  expiresAt: asked.expires_at === null ? null : DateTime.toDateUtc(DateTime.makeUnsafe(asked.expires_at)),
  key: asked.key
})

export const makeActions = Effect.gen(function*() {
  const adjustments = yield* Adjustments
  const waivers = yield* DebtWaivers
  const codes = yield* RedemptionAdmin
  const grants = yield* Grants
  const resolutions = yield* EventResolutions
  const manual = yield* ManualPayments
  const refunds = yield* Refunds
  const settings = yield* SettingsAdmin

  const movementOf = (asked: typeof Adjustment.Type, note: string) => ({
    userId: asked.user_id,
    amountMicros: asked.amount_micros,
    key: asked.key,
    note
  })

  return {
    "balance.adjust": reading(Adjustment, (actor, asked, note) => adjustments.adjust(actor, movementOf(asked, note))),
    "debt.waive": reading(Adjustment, (actor, asked, note) => waivers.waive(actor, movementOf(asked, note))),
    "codes.create": reading(Codes, (actor, asked, note) => codes.create(actor, batchOf(asked, note))),
    "plan.grant": reading(
      Grant,
      (actor, { key, plan, user_id }, note) => grants.grant(actor, { userId: user_id, planCode: plan, key, note })
    ),
    "payment.accept": reading(
      Accept,
      (actor, { event_id, in_proportion }, note) =>
        resolutions.resolve(actor, event_id, { resolution: "accepted", note, inProportion: in_proportion })
    ),
    "payment.credit": reading(
      Credit,
      (actor, { amount_micros, event_id, user }, note) =>
        resolutions.resolve(actor, event_id, { resolution: "credited", note, user, amountMicros: amount_micros })
    ),
    "payment.refund": reading(
      PaymentRefund,
      (actor, { event_id, key }, note) => resolutions.refund(actor, event_id, { note, key })
    ),
    "order.complete": reading(
      Complete,
      (actor, { order_id, provider, reference }, note) =>
        manual.complete(actor, { orderId: order_id, provider, reference, note })
    ),
    "order.refund": reading(
      OrderRefund,
      (actor, { amount_minor, key, order_id }, note) =>
        refunds.request(actor, { orderId: order_id, amountMinor: amount_minor, key, note })
    ),
    "refund.fail": reading(
      RefundFail,
      (actor, { refund_id }, note) => refunds.conclude(actor, refund_id, { isDone: false, note })
    ),
    "settings.limits": reading(Limits, (actor, asked) =>
      settings.save(
        actor,
        new Map(Object.entries(asked).flatMap(([key, text]) => isSettingKey(key) ? [[key, text] as const] : []))
      ))
  } satisfies Readonly<Record<ConfirmedAction, Run>>
})
