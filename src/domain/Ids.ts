/**
 * Identifiers made here. A reservation's id is a UUIDv7, so that rows written together lie together; it is the request id
 * too, and is never taken from a client.
 */
import { randomUUIDv7 } from "node:crypto"

/** A new reservation id. */
export const makeReservationId = (): string => randomUUIDv7()

const uuidPattern = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/

/** True when `text` has the form of a lower-case UUID. */
export const isUuid = (text: string): boolean => uuidPattern.test(text)
