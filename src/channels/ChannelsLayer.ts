/**
 * The folder's layer: upstreams. Those of the configuration are written before anything reads.
 */
import { Layer } from "effect"
import { BreakerNewsLayer } from "./BreakerNews.ts"
import { ChannelAdmin } from "./ChannelAdmin.ts"
import { ChannelHealth } from "./ChannelHealth.ts"
import { ChannelKeyAdmin } from "./ChannelKeyAdmin.ts"
import { ChannelNoticesLayer } from "./ChannelNotices.ts"
import { Channels } from "./Channels.ts"
import { ChannelShares } from "./ChannelShares.ts"
import { writeConfigChannels } from "./ConfigChannels.ts"
import { HealthLogLayer } from "./HealthLog.ts"
import { KeyJudgement } from "./KeyJudgement.ts"
import { KeyRing } from "./KeyRing.ts"

/** What is known of channels and done with them, without the calls of a server. */
export const ChannelToolsLayer = Layer.mergeAll(
  ChannelHealth.layer,
  ChannelAdmin.layer,
  ChannelKeyAdmin.layer,
  KeyJudgement.layer,
  KeyRing.layer
)

export const ChannelsLayer = Layer.mergeAll(
  Channels.layer,
  ChannelShares.layer,
  ChannelToolsLayer,
  Layer.mergeAll(HealthLogLayer, BreakerNewsLayer, ChannelNoticesLayer).pipe(Layer.provide(ChannelHealth.layer))
).pipe(
  Layer.provideMerge(Layer.effectDiscard(writeConfigChannels))
)
