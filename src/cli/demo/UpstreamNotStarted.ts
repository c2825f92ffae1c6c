/**
 * The simulated upstream could not listen, most likely because something else has its port.
 */
import { Schema } from "effect"

export class UpstreamNotStarted extends Schema.TaggedError<UpstreamNotStarted>()("UpstreamNotStarted", {
  message: Schema.String
}) {}
