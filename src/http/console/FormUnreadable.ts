/**
 * A posted form that is refused before its fields are read, and the status that says why.
 */
import { Schema } from "effect"

/** The form could not be read: `large`, `type` (not URL-encoded) or `malformed`. */
export class FormUnreadable extends Schema.TaggedError<FormUnreadable>()("FormUnreadable", {
  why: Schema.Literals(["large", "slow", "type", "malformed"])
}) {}

/** The status that a client gets. */
export const statusOfUnreadable = { large: 413, slow: 408, type: 415, malformed: 400 } as const
