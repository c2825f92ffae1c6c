/**
 * The folder's layer: what users are shown of their calls, and administrators of everybody's.
 */
import { Layer } from "effect"
import { AllCalls } from "./AllCalls.ts"
import { AllUsage } from "./AllUsage.ts"
import { CallList } from "./CallList.ts"
import { ChannelReports } from "./ChannelReports.ts"
import { ClampedCalls } from "./ClampedCalls.ts"
import { KeyFigures } from "./KeyFigures.ts"
import { Receipts } from "./Receipts.ts"
import { RefusedCalls } from "./RefusedCalls.ts"
import { Retention } from "./Retention.ts"
import { ServiceOverview } from "./ServiceOverview.ts"
import { UsageFolds } from "./UsageFolds.ts"
import { UsageReports } from "./UsageReports.ts"

export const UsageLayer = Layer.mergeAll(
  AllCalls.layer,
  AllUsage.layer,
  CallList.layer,
  ChannelReports.layer,
  ClampedCalls.layer,
  KeyFigures.layer,
  Receipts.layer,
  ServiceOverview.layer,
  UsageFolds.layer,
  UsageReports.layer,
  Retention.layer
).pipe(Layer.provideMerge(RefusedCalls.layer))
