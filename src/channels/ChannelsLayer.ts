/**
 * The folder's layer: upstreams. The declared ones are written before anything reads.
 */
import { Layer } from "effect"
import { ChannelAdmin } from "./ChannelAdmin.ts"
import { ChannelHealth } from "./ChannelHealth.ts"
import { Channels } from "./Channels.ts"
import { ChannelShares } from "./ChannelShares.ts"
import { declareChannels } from "./DeclaredChannels.ts"

export const ChannelsLayer = Layer.mergeAll(
  Channels.layer,
  ChannelHealth.layer,
  ChannelShares.layer,
  ChannelAdmin.layer
).pipe(
  Layer.provideMerge(Layer.effectDiscard(declareChannels))
)
