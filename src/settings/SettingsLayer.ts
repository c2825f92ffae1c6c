/**
 * The folder's layer: effective settings, and what administrators change in them.
 */
import { Layer } from "effect"
import { FirstSteps } from "./FirstSteps.ts"
import { Settings } from "./Settings.ts"
import { SettingsAdmin } from "./SettingsAdmin.ts"

export const SettingsLayer = Layer.mergeAll(
  SettingsAdmin.layer,
  FirstSteps.layer
).pipe(Layer.provideMerge(Settings.layer))
