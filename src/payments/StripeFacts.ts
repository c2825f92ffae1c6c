/**
 * What Stripe's objects say, in the settlement's language, whether they came by webhook or were asked for. Read with care: the
 * same field is an id or an object, there or not, as the version of the API that wrote it has it.
 *
 * @internal
 */
import type { FactBody, FactIdentity, PaymentFact } from "./PaymentFact.ts"

export type Json = { readonly [key: string]: unknown }

export const isJson = (value: unknown): value is Json =>
  typeof value === "object" && value !== null && !Array.isArray(value)

/** A text that is there and not empty. */
export const textIn = (json: unknown, name: string): string | null => {
  const value = isJson(json) ? json[name] : undefined
  return typeof value === "string" && value !== "" ? value : null
}

/** The id of what a field points to, expanded or not. */
export const idIn = (json: unknown, name: string): string | null =>
  textIn(json, name) ?? (isJson(json) ? textIn(json[name], "id") : null)

const amountIn = (json: Json, name: string): bigint | undefined => {
  const value = json[name]
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0 ? BigInt(value) : undefined
}

/** A reference of ours by its form. Others use the field too, and on payment links even the payer may fill it. */
const ownReference = /^(?:topup|sub)_\d/

/** The merchant reference that we gave when the session was made. */
const referenceIn = (json: Json): string | null => {
  const reference = textIn(json.metadata, "reference")
  if (reference !== null) return reference
  const client = textIn(json, "client_reference_id")
  return client !== null && ownReference.test(client) ? client : null
}

const unreadable = (why: string): FactBody => ({ _tag: "Unreadable", why })

const nothing = (why: string): FactBody => ({ _tag: "Nothing", why })

type Told = Pick<FactIdentity, "payment" | "reference"> & { readonly body: FactBody }

const withAmount = (json: Json, name: string, make: (amountMinor: bigint, currency: string) => FactBody): FactBody => {
  const amountMinor = amountIn(json, name)
  const currency = textIn(json, "currency")
  return amountMinor === undefined || currency === null
    ? unreadable(`${name} or currency is not what it should be`)
    : make(amountMinor, currency.toLowerCase())
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
  return { ...told, body: nothing(`the session is ${status ?? "unknown"} and ${paymentStatus ?? "unknown"}`) }
}

const refundedTold = (charge: Json): Told => ({
  payment: idIn(charge, "payment_intent"),
  reference: referenceIn(charge),
  body: withAmount(charge, "amount_refunded", (amountMinor, currency) => ({ _tag: "Refunded", amountMinor, currency }))
})

const failedStates = new Set(["failed", "canceled"])

const refundTold = (type: string, refund: Json): Told => {
  const told = { payment: idIn(refund, "payment_intent"), reference: referenceIn(refund) }
  const id = textIn(refund, "id")
  const status = textIn(refund, "status")
  if (type !== "refund.failed" && (status === null || !failedStates.has(status))) {
    return { ...told, body: nothing(`the refund is ${status ?? "unknown"}; what it takes back is told by its charge`) }
  }
  if (id === null) return { ...told, body: unreadable("a refund without an id") }
  const body = withAmount(
    refund,
    "amount",
    (amountMinor, currency): FactBody => ({ _tag: "RefundFailed", refund: id, amountMinor, currency })
  )
  return { ...told, body }
}

/** How a dispute may end. An inquiry that was closed has taken no money, like a dispute that was won. */
const wonByStatus: ReadonlyMap<string | null, boolean> = new Map([
  ["won", true],
  ["warning_closed", true],
  ["prevented", true],
  ["lost", false]
])

const disputeTold = (dispute: Json, closed: boolean): Told => {
  const payment = idIn(dispute, "payment_intent") ?? idIn(dispute.charge, "payment_intent")
  const told = { payment, reference: null }
  const id = textIn(dispute, "id")
  const won = closed ? wonByStatus.get(textIn(dispute, "status")) : false
  if (id === null || payment === null) return { ...told, body: unreadable("a dispute without an id or its payment") }
  if (won === undefined) return { ...told, body: unreadable("a dispute that ended, neither won nor lost") }
  const body = withAmount(
    dispute,
    "amount",
    (amountMinor, currency): FactBody =>
      closed
        ? { _tag: "DisputeClosed", dispute: id, won, amountMinor, currency }
        : { _tag: "DisputeOpened", dispute: id, amountMinor, currency }
  )
  return { ...told, body }
}

const told = (type: string, object: Json): Told => {
  switch (type) {
    case "checkout.session.completed":
    case "checkout.session.async_payment_succeeded":
      return sessionTold(object)
    case "checkout.session.async_payment_failed":
    case "checkout.session.expired": {
      const session = sessionTold(object)
      return session.body._tag === "Nothing" && session.reference === null
        ? session
        : { ...session, body: { _tag: "Ended" } }
    }
    case "charge.refunded":
      return refundedTold(object)
    case "refund.updated":
    case "refund.failed":
    case "charge.refund.updated":
      return refundTold(type, object)
    case "charge.dispute.created":
      return disputeTold(object, false)
    case "charge.dispute.closed":
      return disputeTold(object, true)
    default:
      return { payment: null, reference: null, body: nothing(`events of type ${type} say nothing of orders`) }
  }
}

/** A fact of what was told under an identity. */
export const factOf = (
  identity: Pick<FactIdentity, "eventKey" | "kind" | "atSeconds">,
  { body, payment, reference }: Told
): PaymentFact => ({ provider: "stripe", ...identity, payment, reference, ...body })

/** A thin event names what has happened and does not carry it. */
export const isThin = (event: unknown): boolean => textIn(event, "object") === "v2.core.event"

/** The fact of a verified event; undefined when it is no event at all. */
export const eventFact = (event: unknown): PaymentFact | undefined => {
  const id = textIn(event, "id")
  const type = textIn(event, "type")
  if (!isJson(event) || id === null || type === null) return undefined
  const object = isJson(event.data) ? event.data.object : undefined
  const { created } = event
  const atSeconds = typeof created === "number" && Number.isSafeInteger(created) ? created : 0
  return factOf(
    { eventKey: id, kind: type, atSeconds },
    isThin(event)
      ? { payment: null, reference: null, body: nothing("a thin event: Stripe has to be set to snapshot payloads") }
      : isJson(object)
      ? told(type, object)
      : { payment: null, reference: null, body: unreadable("an event without an object") }
  )
}
