/**
 * What the stages of a call need of the world, gathered once so that a call allocates nothing for it.
 *
 * @internal
 */
import type { Effect } from "effect"
import type { Accounts } from "../accounts/Accounts.ts"
import type { ChannelHealth } from "../channels/ChannelHealth.ts"
import type { Channels } from "../channels/Channels.ts"
import type { ChannelShares } from "../channels/ChannelShares.ts"
import type { KeyRing } from "../channels/KeyRing.ts"
import type { BillingConfig } from "../config/Config.ts"
import type { BoundedLog } from "../platform/SparingLog.ts"
import type { Drains } from "./Drains.ts"
import type { HiddenOutput } from "./HiddenOutput.ts"
import type { HoldServices } from "./Holds.ts"
import type { KeyProbes } from "./KeyProbes.ts"
import type { AnswerReader } from "./meter/AnswerReader.ts"
import type { TokenCounter } from "./meter/TokenCounter.ts"
import type { UpstreamClient } from "./upstream/UpstreamClient.ts"

export interface GatewayServices extends HoldServices {
  readonly accounts: Accounts["Service"]
  readonly counter: TokenCounter["Service"]
  readonly reader: AnswerReader["Service"]
  readonly channels: Channels["Service"]
  readonly health: ChannelHealth["Service"]
  readonly keys: KeyRing["Service"]
  readonly keyProbes: KeyProbes["Service"]
  readonly shares: ChannelShares["Service"]
  readonly upstream: UpstreamClient["Service"]
  readonly drains: Drains
  readonly hidden: HiddenOutput
  /** The billing settings of this moment. */
  readonly billing: () => BillingConfig
  readonly now: () => number
  /** Schedules a callback; answers how to cancel it. */
  readonly after: (delayMs: number, callback: () => void) => () => void
  /** Calls back every so often until cancelled. */
  readonly every: (intervalMs: number, callback: () => void) => () => void
  /** Logs what channels do wrong, so many lines a second at most. */
  readonly noteFailure: BoundedLog
  /** Runs something that nobody waits for. */
  readonly fork: (effect: Effect.Effect<void>) => void
}
