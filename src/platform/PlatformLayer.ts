/**
 * The folder's layer: what every other folder may need.
 */
import { Layer } from "effect"
import { AuditTrail } from "./AuditTrail.ts"
import { Notifications } from "./Notifications.ts"
import { PublicAddress } from "./PublicAddress.ts"
import { SecretBox } from "./SecretBox.ts"

export const PlatformLayer = Layer.mergeAll(
  AuditTrail.layer,
  Notifications.layer,
  PublicAddress.layer,
  SecretBox.layer
)
