/**
 * What notices there are, for users and for root, and what each has to say. Amounts and ids are decimal texts and times ISO 8601, as
 * webhooks are sent them.
 */
import { Schema } from "effect"
import { MomentJson } from "../domain/Fields.ts"

export const userNoticeKinds = [
  "low_balance",
  "plan_ending",
  "payment_received",
  "refund",
  "refund_failed",
  "new_network",
  "account_changed"
] as const

/** Those that users may do without: an intruder cannot hide from the owner of an account that it has changed. */
export const mutableMailKinds = userNoticeKinds.filter((kind) => kind !== "account_changed")

/** What of how somebody signs in may change. */
export const accountChanges = [
  "password",
  "email",
  "second_factor_added",
  "second_factor_removed",
  "recovery_codes",
  "passkey_added",
  "passkey_removed",
  "identity_added",
  "identity_removed",
  "admin_key_added"
] as const
export type AccountChange = typeof accountChanges[number]

export const rootNoticeKinds = [
  "review_needed",
  "dispute",
  "dispute_due",
  "channel_down",
  "ledger_drift",
  "debt",
  "disk_low"
] as const

/** Asked for by the button of a webhook: nobody chooses it. */
export const TEST_KIND = "webhook_test"

export const noticeKinds = [...userNoticeKinds, ...rootNoticeKinds, TEST_KIND] as const
export type NoticeKind = typeof noticeKinds[number]

const Amount = Schema.BigIntFromString
const OptionalText = Schema.NullOr(Schema.String)
const OptionalAmount = Schema.NullOr(Amount)

/** The order that a payment was for; absent where root credited somebody. */
const order = {
  order_id: Schema.optionalKey(OptionalText),
  order_kind: Schema.optionalKey(OptionalText),
  plan: Schema.optionalKey(OptionalText)
}

/** In the minor unit of the currency. */
const amount = { amount_minor: Amount, currency: Schema.String }

const refund = { refund_id: Schema.String, payment_id: Schema.String, ...amount, ...order }

const dispute = {
  dispute_id: Schema.String,
  provider: Schema.String,
  reason: Schema.String,
  due_at: Schema.NullOr(MomentJson),
  ...amount
}

/** What a notice of each kind says. */
export const noticeData = {
  low_balance: Schema.Struct({ balance_micros: Amount, threshold_micros: Amount }),
  plan_ending: Schema.Struct({ subscription_id: Schema.String, plan: Schema.String, ends_at: MomentJson }),
  payment_received: Schema.Struct({
    payment_id: Schema.String,
    paid_minor: OptionalAmount,
    currency: OptionalText,
    credit_micros: OptionalAmount,
    ...order
  }),
  refund: Schema.Struct(refund),
  refund_failed: Schema.Struct(refund),
  new_network: Schema.Struct({ address: Schema.String, device: OptionalText, at: MomentJson }),
  account_changed: Schema.Struct({
    change: Schema.Literals(accountChanges),
    detail: OptionalText,
    address: OptionalText,
    at: MomentJson
  }),
  review_needed: Schema.Struct({
    event_id: Schema.String,
    provider: Schema.String,
    event: Schema.String,
    amount_minor: OptionalAmount,
    currency: OptionalText
  }),
  dispute: Schema.Struct(dispute),
  dispute_due: Schema.Struct(dispute),
  channel_down: Schema.Struct({ channel_id: Schema.String, channel: Schema.String }),
  ledger_drift: Schema.Struct({ accounts: Schema.Number, drift_micros: Amount }),
  debt: Schema.Struct({ accounts: Schema.Number, owed_micros: Amount }),
  disk_low: Schema.Struct({ server: Schema.String, free_bytes: Amount }),
  webhook_test: Schema.Struct({})
} as const satisfies Readonly<Record<NoticeKind, Schema.Constraint>>

export const isNoticeKind = (text: string): text is NoticeKind => noticeKinds.some((kind) => kind === text)
