/**
 * A posted form that is not looked at any further, and the status that tells a client why.
 */
import { Schema } from "effect"

/** The form could not be read: `large`, `type` (not URL-encoded) or `malformed`. */
export class FormUnreadable extends Schema.TaggedError<FormUnreadable>()("FormUnreadable", {
  why: Schema.Literals(["large", "slow", "type", "malformed"])
}) {}

/** The status that tells a client why. */
export const statusOfUnreadable = { large: 413, slow: 408, type: 415, malformed: 400 } as const
