/**
 * The folder's layer: upstreams. Those of the configuration are written before anything reads.
 */
import { Layer } from "effect"
import { ChannelAdmin } from "./ChannelAdmin.ts"
import { ChannelHealth } from "./ChannelHealth.ts"
import { Channels } from "./Channels.ts"
import { ChannelShares } from "./ChannelShares.ts"
import { writeConfigChannels } from "./ConfigChannels.ts"

export const ChannelsLayer = Layer.mergeAll(
  Channels.layer,
  ChannelHealth.layer,
  ChannelShares.layer,
  ChannelAdmin.layer
).pipe(
  Layer.provideMerge(Layer.effectDiscard(writeConfigChannels))
)
