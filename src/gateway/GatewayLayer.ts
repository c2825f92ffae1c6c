/**
 * The folder's layer: calls, the tests of channels, the probes of their keys, and what else is asked of upstreams.
 */
import { Layer } from "effect"
import { CallMetrics } from "./CallMetrics.ts"
import { CallTracer } from "./CallTracer.ts"
import { ChannelTest } from "./ChannelTest.ts"
import { ChannelTestRuns } from "./ChannelTestRuns.ts"
import { Gateway } from "./Gateway.ts"
import { KeyProbes } from "./KeyProbes.ts"
import { UpstreamBalances } from "./UpstreamBalances.ts"
import { UpstreamModels } from "./UpstreamModels.ts"

export const GatewayLayer = Layer.mergeAll(
  CallMetrics.layer,
  CallTracer.layer,
  ChannelTest.layer,
  ChannelTestRuns.layer,
  UpstreamModels.layer,
  UpstreamBalances.layer,
  Gateway.layer.pipe(Layer.provideMerge(KeyProbes.layer))
)
