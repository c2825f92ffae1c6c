/**
 * The failure of loading a configuration: one message, ready to print, that lists every problem under its path and never
 * repeats a secret.
 * @internal
 */
import { Schema } from "effect"

/** The configuration cannot be used. `message` is ready to print and may have several lines. */
export class ConfigInvalid extends Schema.TaggedError<ConfigInvalid>()("ConfigInvalid", {
  /** The file that was read, or would have been. */
  path: Schema.String,
  message: Schema.String
}) {}
