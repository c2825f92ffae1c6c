/**
 * The folder's layer: calls, and the test of a channel.
 */
import { Layer } from "effect"
import { ChannelTest } from "./ChannelTest.ts"
import { Gateway } from "./Gateway.ts"

export const GatewayLayer = Layer.mergeAll(
  ChannelTest.layer,
  Gateway.layer
)
