/**
 * What Stripe's objects say, in the settlement's language, whether they came by webhook or were asked for. Read with care: the
 * same field is an id or an object, there or not, as the version of the API that wrote it has it.
 *
 * @internal
 */
import { idIn as rowIdIn, RefundId } from "../domain/Ids.ts"
import { eventKeyOf, isId, isWord, secondsOf, wordOf } from "./FactBounds.ts"
import { type FactBody, type FactIdentity, type PaymentFact, refundStates, type RefundTold } from "./PaymentFact.ts"

export type Json = { readonly [key: string]: unknown }

export const isJson = (value: unknown): value is Json =>
  typeof value === "object" && value !== null && !Array.isArray(value)

/** A text that is there and not empty. */
export const textIn = (json: unknown, name: string): string | null => {
  const value = isJson(json) ? json[name] : undefined
  return typeof value === "string" && value !== "" ? value : null
}

/** A text that may be an id. */
const ownIdIn = (json: unknown, name = "id"): string | null => {
  const text = textIn(json, name)
  return text !== null && isId(text) ? text : null
}

/** The id of what a field points to, expanded or not. */
export const idIn = (json: unknown, name: string): string | null =>
  ownIdIn(json, name) ?? (isJson(json) ? ownIdIn(json[name]) : null)

/** A currency in lower case. */
const currencyIn = (json: unknown): string | null => {
  const text = textIn(json, "currency")
  return text !== null && /^[a-z]{3}$/i.test(text) ? text.toLowerCase() : null
}

const amountIn = (json: Json, name: string): bigint | undefined => {
  const value = json[name]
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0 ? BigInt(value) : undefined
}

/** The metadata key of the merchant reference. */
export const REFERENCE_KEY = "realms_reference"

/** The metadata key of our own row of a refund. */
export const REFUND_KEY = "realms_refund"

/** A reference of ours by its form: other shops have metadata of their own. */
const ownReference = /^(?:topup|sub)_\d\P{Cc}*$/u

/**
 * The merchant reference that we gave when the session was made. Only metadata say so, which the holder of the key alone writes: a payment
 * link lets its payer fill in `client_reference_id`, and would pay an order here with the money of another shop.
 */
export const referenceIn = (json: Json): string | null => {
  const names = [
    ownIdIn(json.metadata, REFERENCE_KEY),
    // Rows from before the key had its name.
    ownIdIn(json.metadata, "reference")
  ]
  return names.find((name) => name !== null && ownReference.test(name)) ?? null
}

const unreadable = (why: string): FactBody => ({ _tag: "Unreadable", why })

const unreadableClawback = (why: string): FactBody => ({ _tag: "UnreadableClawback", why })

const nothing = (why: string): FactBody => ({ _tag: "Nothing", why })

type Told = Pick<FactIdentity, "charge" | "payment" | "reference"> & { readonly body: FactBody }

/** The payment of a refund, dispute or warning; versions of the API before payment intents name its charge alone. */
const paymentOf = (json: Json): Pick<Told, "charge" | "payment"> => {
  const payment = idIn(json, "payment_intent") ?? idIn(json.charge, "payment_intent")
  const charge = payment === null ? idIn(json, "charge") : null
  return charge === null ? { payment } : { payment, charge }
}

const withAmount = (
  json: Json,
  name: string,
  make: (amountMinor: bigint, currency: string) => FactBody,
  otherwise = unreadable
): FactBody => {
  const amountMinor = amountIn(json, name)
  const currency = currencyIn(json)
  return amountMinor === undefined || currency === null
    ? otherwise(`${name} or currency is not what it should be`)
    : make(amountMinor, currency)
}

/** A Checkout Session as it is. */
export const sessionTold = (session: Json): Told => {
  const reference = referenceIn(session)
  const told = { payment: idIn(session, "payment_intent"), reference }
  if (reference === null) return { ...told, body: nothing("not a session of ours") }
  const status = textIn(session, "status")
  const paymentStatus = textIn(session, "payment_status")
  if (status === "expired") return { ...told, body: { _tag: "Ended" } }
  if (paymentStatus === "paid") {
    const body = withAmount(
      session,
      "amount_total",
      (amountMinor, currency): FactBody => ({ _tag: "Paid", merchant: null, method: null, amountMinor, currency })
    )
    return { ...told, body }
  }
  if (status === "complete" && paymentStatus === "unpaid") {
    // A delayed payment that has failed leaves its session complete and unpaid for ever: the intent tells, where it is here.
    const intent = textIn(session.payment_intent, "status")
    const failed = intent === "requires_payment_method" || intent === "canceled"
    return { ...told, body: { _tag: failed ? "Ended" : "Processing" } }
  }
  // Over, and nothing was taken: it is neither open any more nor money.
  if (status === "complete" && paymentStatus === "no_payment_required") return { ...told, body: { _tag: "Ended" } }
  return { ...told, body: nothing(wordOf(`the session is ${status ?? "unknown"} and ${paymentStatus ?? "unknown"}`)) }
}

/** An event that says that a session has ended without money. */
const endTold = (session: Json): Told => {
  const { body, ...told } = sessionTold(session)
  if (told.reference === null) return { ...told, body }
  return {
    ...told,
    body: body._tag === "Paid"
      ? unreadable("the event says that the session ended, and the session is paid")
      : { _tag: "Ended" }
  }
}

const refundedTold = (charge: Json): Told => ({
  payment: idIn(charge, "payment_intent"),
  reference: referenceIn(charge),
  body: withAmount(
    charge,
    "amount_refunded",
    (amountMinor, currency) => ({ _tag: "Refunded", amountMinor, currency }),
    unreadableClawback
  )
})

/** The row of ours that asked for a refund. */
const ownIn = (refund: Json): RefundId | null => {
  const id = rowIdIn(textIn(refund.metadata, REFUND_KEY))
  return id === undefined ? null : RefundId.make(id)
}

/** A refund as it is; undefined where that cannot be read. */
export const refundIn = (refund: Json): RefundTold | undefined => {
  const id = ownIdIn(refund)
  const amountMinor = amountIn(refund, "amount")
  const currency = currencyIn(refund)
  const state = refundStates.find((known) => known === refund.status)
  if (id === null || amountMinor === undefined || currency === null || state === undefined) return undefined
  return { refund: id, own: ownIn(refund), state, amountMinor, currency }
}

const refundTold = (type: string, refund: Json): Told => {
  const told = refundIn(type === "refund.failed" ? { ...refund, status: "failed" } : refund)
  return {
    ...paymentOf(refund),
    reference: referenceIn(refund),
    body: told === undefined
      ? unreadableClawback(
        `a refund (${wordOf(textIn(refund, "status") ?? "in no state")}) that is not what it should be`
      )
      : { _tag: "Refund", ...told }
  }
}

const dueByIn = (dispute: Json): number | null => {
  const details = dispute.evidence_details
  return (isJson(details) ? secondsOf(details.due_by) : undefined) ?? null
}

/** What Stripe's balance says that a dispute took; null where it says nothing in that currency. */
const takenIn = (dispute: Json, currency: string): bigint | null => {
  const entries: unknown = dispute.balance_transactions
  if (!Array.isArray(entries) || entries.length === 0) return null
  let taken = 0n
  for (const entry of entries) {
    const amount = isJson(entry) ? entry.amount : undefined
    const isOfCurrency = textIn(entry, "currency")?.toLowerCase() === currency
    if (!isOfCurrency || typeof amount !== "number" || !Number.isSafeInteger(amount)) return null
    taken -= BigInt(amount)
  }
  // A larger number is not an amount.
  return taken < 0n ? 0n : taken > BigInt(Number.MAX_SAFE_INTEGER) ? null : taken
}

const disputeTold = (dispute: Json): Told => {
  const told = { ...paymentOf(dispute), reference: null }
  const id = ownIdIn(dispute)
  const status = textIn(dispute, "status")
  const isOfNothing = told.payment === null && told.charge === undefined
  if (id === null || isOfNothing || status === null || !isWord(status)) {
    return { ...told, body: unreadableClawback("a dispute without an id, a status or its payment") }
  }
  const body = withAmount(
    dispute,
    "amount",
    (amountMinor, currency): FactBody => ({
      _tag: "Dispute",
      dispute: id,
      status,
      takenMinor: takenIn(dispute, currency),
      reason: wordOf(textIn(dispute, "reason") ?? ""),
      dueBySeconds: dueByIn(dispute),
      amountMinor,
      currency
    }),
    unreadableClawback
  )
  return { ...told, body }
}

const warningTold = (warning: Json): Told => ({
  ...paymentOf(warning),
  reference: null,
  body: { _tag: "FraudWarning", fraudType: wordOf(textIn(warning, "fraud_type") ?? "no type") }
})

const told = (type: string, object: Json): Told => {
  switch (type) {
    case "checkout.session.completed":
    case "checkout.session.async_payment_succeeded":
      return sessionTold(object)
    case "checkout.session.async_payment_failed":
    case "checkout.session.expired":
      return endTold(object)
    case "charge.refunded":
      return refundedTold(object)
    case "refund.created":
    case "refund.updated":
    case "refund.failed":
    case "charge.refund.updated":
      return refundTold(type, object)
    case "charge.dispute.created":
    case "charge.dispute.updated":
    case "charge.dispute.funds_withdrawn":
    case "charge.dispute.funds_reinstated":
    case "charge.dispute.closed":
      return disputeTold(object)
    case "radar.early_fraud_warning.created":
      return warningTold(object)
    default:
      return { payment: null, reference: null, body: nothing(`events of type ${wordOf(type)} say nothing of orders`) }
  }
}

/** A fact of what was told under an identity. */
export const factOf = (
  identity: Pick<FactIdentity, "eventKey" | "kind" | "atSeconds" | "evidence">,
  { body, ...about }: Told
): PaymentFact => ({ provider: "stripe", ...identity, ...about, ...body })

/** An event that is not about money of this account in live mode, whatever it says. */
const foreignTold = (event: Json, hasLiveKey: boolean, object: Json | undefined): Told | undefined => {
  if (textIn(event, "account") !== null) {
    return { payment: null, reference: null, body: nothing("an event of a connected account") }
  }
  // It names no payment, so that nothing can be credited for it.
  // A message of the live mode says so, and so does what it carries; versions of long ago say nothing.
  const isLive = [event, object].every((said) => (said?.livemode ?? true) === true)
  return hasLiveKey && !isLive
    ? { payment: null, reference: object === undefined ? null : referenceIn(object), body: { _tag: "TestMode" } }
    : undefined
}

/** A thin event names what has happened and does not carry it. */
export const isThin = (event: unknown): boolean => textIn(event, "object") === "v2.core.event"

/** The fact of a verified event; undefined when it is no event at all. `hasLiveKey`: the account's key is one of the live mode. */
export const eventFact = (event: unknown, hasLiveKey: boolean): PaymentFact | undefined => {
  const id = textIn(event, "id")
  const type = textIn(event, "type")
  if (!isJson(event) || id === null || type === null) return undefined
  const carried = isJson(event.data) ? event.data.object : undefined
  const object = isJson(carried) ? carried : undefined
  return factOf(
    { eventKey: eventKeyOf(id), kind: wordOf(type), atSeconds: secondsOf(event.created) ?? 0 },
    foreignTold(event, hasLiveKey, object) ?? (isThin(event)
      ? { payment: null, reference: null, body: nothing("a thin event: Stripe has to be set to snapshot payloads") }
      : object !== undefined
      ? told(type, object)
      : { payment: null, reference: null, body: unreadable("an event without an object") })
  )
}
