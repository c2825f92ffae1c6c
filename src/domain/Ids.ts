/**
 * Identifiers made here. A reservation's id is a UUIDv7, so that rows written together lie together; it is the request id
 * too, and is never taken from a client. The ids of rows are numbers of PostgreSQL.
 */
import { Schema } from "effect"
import { randomUUIDv7 } from "node:crypto"

export const UserId = Schema.BigInt
export type UserId = typeof UserId.Type

export const ApiKeyId = Schema.BigInt
export type ApiKeyId = typeof ApiKeyId.Type

export const ChannelId = Schema.BigInt
export type ChannelId = typeof ChannelId.Type

export const PlanId = Schema.BigInt
export type PlanId = typeof PlanId.Type

export const SubscriptionId = Schema.BigInt
export type SubscriptionId = typeof SubscriptionId.Type

export const OrderId = Schema.BigInt
export type OrderId = typeof OrderId.Type

/** An attempt to pay an order. */
export const AttemptId = Schema.BigInt
export type AttemptId = typeof AttemptId.Type

export const PaymentId = Schema.BigInt
export type PaymentId = typeof PaymentId.Type

export const RefundId = Schema.BigInt
export type RefundId = typeof RefundId.Type

export const DisputeId = Schema.BigInt
export type DisputeId = typeof DisputeId.Type

/** A provider's event. */
export const EventId = Schema.BigInt
export type EventId = typeof EventId.Type

/** A new reservation id. */
export const makeReservationId = (): string => randomUUIDv7()

const uuidPattern = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/

/** True when `text` has the form of a lower-case UUID. */
export const isUuid = (text: string): boolean => uuidPattern.test(text)
