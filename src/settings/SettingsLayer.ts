/**
 * The folder's layer: effective settings, what administrators change in them, and announcements.
 */
import { Layer } from "effect"
import { AnnouncementAdmin } from "./AnnouncementAdmin.ts"
import { Announcements } from "./Announcements.ts"
import { FirstSteps } from "./FirstSteps.ts"
import { Settings } from "./Settings.ts"
import { SettingsAdmin } from "./SettingsAdmin.ts"

export const SettingsLayer = Layer.mergeAll(
  AnnouncementAdmin.layer,
  Announcements.layer,
  SettingsAdmin.layer,
  FirstSteps.layer
).pipe(Layer.provideMerge(Settings.layer))
