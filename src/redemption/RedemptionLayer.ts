/**
 * The folder's layer: codes, redeemed by users and made by administrators.
 */
import { Layer } from "effect"
import { RedemptionAdmin } from "./RedemptionAdmin.ts"
import { Redemptions } from "./Redemptions.ts"

export const RedemptionLayer = Layer.mergeAll(
  RedemptionAdmin.layer,
  Redemptions.layer
)
