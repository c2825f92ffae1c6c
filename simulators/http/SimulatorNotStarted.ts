/**
 * A simulator could not listen, most likely because something else has its port.
 */
import { Schema } from "effect"

export class SimulatorNotStarted extends Schema.TaggedError<SimulatorNotStarted>()("SimulatorNotStarted", {
  message: Schema.String
}) {}
