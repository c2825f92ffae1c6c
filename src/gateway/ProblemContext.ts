/**
 * Who asked for what when an upstream's error is judged.
 *
 * @internal
 */
import type { Channel } from "../channels/Channels.ts"
import type { OpenCall } from "./OpenCall.ts"
import type { ProblemContext } from "./upstream/UpstreamProblem.ts"

export const contextOf = (
  open: OpenCall,
  channel: Channel,
  retryAfterSeconds: number | undefined
): ProblemContext => ({
  channel: channel.name,
  model: open.basics.model.id,
  upstreamModel: channel.upstreamModel,
  retryAfterSeconds
})
