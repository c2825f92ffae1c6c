/**
 * The folder's layer: calls, the tests of channels, and the probes of their keys.
 */
import { Layer } from "effect"
import { ChannelTest } from "./ChannelTest.ts"
import { ChannelTestRuns } from "./ChannelTestRuns.ts"
import { Gateway } from "./Gateway.ts"
import { KeyProbes } from "./KeyProbes.ts"

export const GatewayLayer = Layer.mergeAll(
  ChannelTest.layer,
  ChannelTestRuns.layer,
  Gateway.layer.pipe(Layer.provideMerge(KeyProbes.layer))
)
