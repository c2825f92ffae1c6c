/**
 * The folder's layer: upstreams. Those of the configuration are written before anything reads.
 */
import { Layer } from "effect"
import { ChannelAdmin } from "./ChannelAdmin.ts"
import { ChannelHealth } from "./ChannelHealth.ts"
import { ChannelKeyAdmin } from "./ChannelKeyAdmin.ts"
import { Channels } from "./Channels.ts"
import { ChannelShares } from "./ChannelShares.ts"
import { writeConfigChannels } from "./ConfigChannels.ts"
import { HealthLogLayer } from "./HealthLog.ts"
import { KeyJudgement } from "./KeyJudgement.ts"
import { KeyRing } from "./KeyRing.ts"

export const ChannelsLayer = Layer.mergeAll(
  Channels.layer,
  ChannelHealth.layer,
  ChannelShares.layer,
  ChannelAdmin.layer,
  ChannelKeyAdmin.layer,
  KeyJudgement.layer,
  KeyRing.layer,
  HealthLogLayer.pipe(Layer.provide(ChannelHealth.layer))
).pipe(
  Layer.provideMerge(Layer.effectDiscard(writeConfigChannels))
)
