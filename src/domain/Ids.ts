/**
 * Identifiers made here. A reservation's id is a UUIDv7, so that rows written together lie together; it is the request id
 * too, and is never taken from a client. The ids of rows are numbers of PostgreSQL, and each kind has a type of its own: a
 * number becomes an id where it is read (a row, an address, a form, JSON, a command's argument), and nowhere else.
 */
import { Schema } from "effect"
import { randomUUIDv7 } from "node:crypto"

export const UserId = Schema.BigInt.pipe(Schema.brand("UserId"))
export const ApiKeyId = Schema.BigInt.pipe(Schema.brand("ApiKeyId"))
export const ChannelId = Schema.BigInt.pipe(Schema.brand("ChannelId"))
/** A key that a channel is called with. */
export const ChannelKeyId = Schema.BigInt.pipe(Schema.brand("ChannelKeyId"))
export const PlanId = Schema.BigInt.pipe(Schema.brand("PlanId"))
export const GroupId = Schema.BigInt.pipe(Schema.brand("GroupId"))
export const SubscriptionId = Schema.BigInt.pipe(Schema.brand("SubscriptionId"))
export const OrderId = Schema.BigInt.pipe(Schema.brand("OrderId"))
/** An invitation to make an account. */
export const InviteId = Schema.BigInt.pipe(Schema.brand("InviteId"))
/** What a user signs in with in place of a password, or besides it. */
export const PasskeyId = Schema.BigInt.pipe(Schema.brand("PasskeyId"))
/** Somebody as a provider that signs people in knows them. */
export const IdentityId = Schema.BigInt.pipe(Schema.brand("IdentityId"))
/** A payment attempt. */
export const AttemptId = Schema.BigInt.pipe(Schema.brand("AttemptId"))
export const PaymentId = Schema.BigInt.pipe(Schema.brand("PaymentId"))
export const RefundId = Schema.BigInt.pipe(Schema.brand("RefundId"))
export const DisputeId = Schema.BigInt.pipe(Schema.brand("DisputeId"))
export const AnnouncementId = Schema.BigInt.pipe(Schema.brand("AnnouncementId"))
/** A provider's event. */
export const EventId = Schema.BigInt.pipe(Schema.brand("EventId"))

export type UserId = typeof UserId.Type
export type ApiKeyId = typeof ApiKeyId.Type
export type ChannelId = typeof ChannelId.Type
export type ChannelKeyId = typeof ChannelKeyId.Type
export type PlanId = typeof PlanId.Type
export type GroupId = typeof GroupId.Type
export type SubscriptionId = typeof SubscriptionId.Type
export type InviteId = typeof InviteId.Type
export type PasskeyId = typeof PasskeyId.Type
export type IdentityId = typeof IdentityId.Type
export type OrderId = typeof OrderId.Type
export type AttemptId = typeof AttemptId.Type
export type PaymentId = typeof PaymentId.Type
export type RefundId = typeof RefundId.Type
export type DisputeId = typeof DisputeId.Type
export type AnnouncementId = typeof AnnouncementId.Type
export type EventId = typeof EventId.Type

/** An id written as decimal text: numbers beyond 2^53 do not survive JSON. */
export const idFromText = <Id extends bigint>(id: Schema.Codec<Id, bigint>) =>
  Schema.BigIntFromString.pipe(Schema.decodeTo(id))

/** What makes an id of a number: the schema of the id. */
export interface IdOf<Id extends bigint> {
  make(id: bigint): Id
}

/** Every number of 18 digits fits a PostgreSQL `bigint`. */
const idPattern = /^[1-9]\d{0,17}$/

/** The id that a text is; undefined when the text is not an id. */
export const idIn = (text: string | null | undefined): bigint | undefined =>
  typeof text === "string" && idPattern.test(text) ? BigInt(text) : undefined

/** A new reservation id. */
export const makeReservationId = (): string => randomUUIDv7()

const uuidPattern = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/

/** True when `text` has the form of a lower-case UUID. */
export const isUuid = (text: string): boolean => uuidPattern.test(text)
