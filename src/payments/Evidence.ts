/**
 * What is kept of a verified message as evidence, for people who have to decide on it later. It is bounded, and holds no secret,
 * no card and no address: of Stripe's objects only fields that are known to be about money, of EPay's parameters all but the
 * signature.
 *
 * @internal
 */
import type { EpayParams } from "./EpaySignature.ts"

export type Evidence = { readonly [name: string]: unknown }

/** Kept of one message, in characters of JSON. */
export const EVIDENCE_CHARACTERS_MAX = 16_384

/** Kept of one text. */
const TEXT_CHARACTERS_MAX = 500

const ITEMS_MAX = 20
const DEPTH_MAX = 8

/** Fields of Stripe's objects, at whatever depth. What is not here is left out: it may be about a card or a person. */
const kept = new Set([
  "account",
  "actionable",
  "amount",
  "amount_captured",
  "amount_received",
  "amount_refunded",
  "amount_subtotal",
  "amount_total",
  "api_version",
  "balance_transaction",
  "balance_transactions",
  "captured",
  "charge",
  "client_reference_id",
  "created",
  "currency",
  "data",
  "disputed",
  "due_by",
  "evidence_details",
  "exchange_rate",
  "expires_at",
  "failure_balance_transaction",
  "failure_code",
  "failure_reason",
  "fee",
  "fraud_type",
  "has_evidence",
  "has_more",
  "id",
  "is_charge_refundable",
  "latest_charge",
  "livemode",
  "metadata",
  "mode",
  "net",
  "network_reason_code",
  "object",
  "paid",
  "past_due",
  "payment_intent",
  "payment_status",
  "previous_attributes",
  "reason",
  "refunded",
  "refunds",
  "reporting_category",
  "status",
  "submission_count",
  "type"
])

/** Of metadata, which anybody may fill, only what we wrote. */
const ownMetadata = (name: string): boolean => name.startsWith("realms_") || name === "reference"

const isObject = (value: unknown): value is Evidence =>
  typeof value === "object" && value !== null && !Array.isArray(value)

const cut = (text: string): string =>
  text.length <= TEXT_CHARACTERS_MAX ? text : `${text.slice(0, TEXT_CHARACTERS_MAX).toWellFormed()}…`

const keep = (value: unknown, isKept: (name: string) => boolean, depth: number): unknown => {
  if (typeof value === "string") return cut(value)
  if (value === null || typeof value === "boolean") return value
  if (typeof value === "number") return Number.isFinite(value) ? value : null
  if (depth === DEPTH_MAX) return undefined
  if (Array.isArray(value)) return value.slice(0, ITEMS_MAX).map((item) => keep(item, isKept, depth + 1) ?? null)
  if (!isObject(value)) return undefined
  return Object.fromEntries(
    Object.entries(value).flatMap(([name, field]) => {
      if (!isKept(name)) return []
      const found = keep(field, name === "metadata" ? ownMetadata : isKept, depth + 1)
      return found === undefined ? [] : [[name, found]]
    })
  )
}

/** What is too long keeps its own texts and numbers, and says that it was cut. */
const bounded = (evidence: Evidence): Evidence => {
  if (JSON.stringify(evidence).length <= EVIDENCE_CHARACTERS_MAX) return evidence
  const short = Object.entries(evidence).filter(([, value]) => typeof value !== "object").slice(0, ITEMS_MAX)
  return { cut: true, ...Object.fromEntries(short) }
}

/** Of an event or an object of Stripe. */
export const evidenceOfJson = (json: unknown): Evidence => {
  const found = keep(json, (name) => kept.has(name), 0)
  return isObject(found) ? bounded(found) : {}
}

const secret = new Set(["sign", "sign_type", "key"])

/** Of a notify's parameters, each name once, or of an answer's fields. */
export const evidenceOfParams = (params: EpayParams): Evidence =>
  bounded(
    Object.fromEntries(params.filter(([name]) => !secret.has(name)).map(([name, value]) => [cut(name), cut(value)]))
  )
