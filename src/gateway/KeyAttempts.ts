/**
 * Takes a call to a channel by its keys. What is a key's own affair - its rate, its quota, that it is not taken - is held against that
 * key alone, and the next key of the channel is tried before another channel is. A user's calls begin with the same key each time; what
 * an upstream has stored for a user is therefore mostly found under it, and is looked for under the others where it is not.
 *
 * @internal
 */
import { Effect } from "effect"
import { isKeysOwn } from "../channels/FailureReason.ts"
import type { Channel, ChannelKey } from "../channels/Channels.ts"
import { keyOrder } from "../channels/KeyOrder.ts"
import { attemptChannel, type Attempted } from "./ChannelAttempt.ts"
import type { GatewayServices } from "./GatewayServices.ts"
import type { OpenCall } from "./OpenCall.ts"
import {
  type ChannelFailed,
  failedBecause,
  isUnknownReference,
  type RequestRefused
} from "./upstream/UpstreamProblem.ts"

/** What a call may still try: its attempts at channels and at their keys are counted together. */
export interface AttemptsLeft {
  count: number
  /** No attempt starts later, in milliseconds since the epoch; undefined: none has failed yet. */
  untilMs: number | undefined
}

/** No attempt starts later than this after the first that failed, in milliseconds. */
export const ATTEMPTS_MS_MAX = 60_000

/** A key that its upstream does not take waits so long at least, in milliseconds, while a request of ours finds out whether that is so. */
const REFUSED_KEY_COOL_MS = 30_000

const MS_PER_SECOND = 1_000

/** Most channels have one key, which costs them nothing here. */
export const attemptKeys = (
  services: GatewayServices,
  open: OpenCall,
  channel: Channel,
  left: AttemptsLeft,
  isLast: boolean
): Attempted => {
  const [only] = channel.keys
  if (only === undefined) return Effect.succeed(failedBecause(channel, "its keys are out of use", keysOut))
  if (channel.keys.length > 1) return attemptEach(services, open, channel, left, isLast)
  left.count--
  return attemptChannel(services, open, channel, only)
}

const keysOut = { scope: null, said: { reason: "keys_out", status: null } } as const

/** The upstream does not take the key, or there is no money behind it. */
const isRefusedForGood = ({ said, scope }: ChannelFailed): boolean => scope === "channel" && isKeysOwn(said.reason)

/** The failure is that of the key: another one may do better. */
const isKeysFailure = (failed: ChannelFailed): boolean =>
  failed.code === "upstream_rate_limited" || isRefusedForGood(failed)

/** What the request brings along was made for another account, such as reasoning that it cannot read. */
const isOtherAccounts = ({ said, scope }: ChannelFailed): boolean => scope === null && said.reason === "refused"

const coolMsOf = ({ retryAfterSeconds }: ChannelFailed): number =>
  retryAfterSeconds === undefined ? REFUSED_KEY_COOL_MS : retryAfterSeconds * MS_PER_SECOND

/** Undefined: the channel has several keys, or all of them are out of use. */
const onlyKeyOf = ({ keys }: Channel): ChannelKey | undefined => keys.length === 1 ? keys[0] : undefined

/** The only key of a channel is asked about when it is refused for good again and again. */
export const judgeOnlyKey = (
  services: GatewayServices,
  open: OpenCall,
  channel: Channel,
  failed: ChannelFailed
): void => {
  const only = onlyKeyOf(channel)
  if (only === undefined || !isRefusedForGood(failed)) return
  services.keyProbes.suspectOnly(channel.id, only.id, open.basics.model.id)
}

/** The channel answered a call: its only key is no longer suspected. */
export const noteAnswered = (services: GatewayServices, channel: Channel): void => {
  const only = onlyKeyOf(channel)
  if (only !== undefined) services.keyProbes.answeredOnly(only.id)
}

/** One attempt is left for the channel behind this one. */
const attemptEach = Effect.fnUntraced(function*(
  services: GatewayServices,
  open: OpenCall,
  channel: Channel,
  left: AttemptsLeft,
  isLast: boolean
) {
  const { context: { call, key: { userId } }, signal } = open.basics
  const leftAfter = isLast || left.count === 1 ? 0 : 1
  let last: ChannelFailed | undefined
  let limited: ChannelFailed | undefined
  let unknown: RequestRefused | undefined
  let waitMs = Infinity
  const refused = new Map<ChannelKey, number>()
  for (const key of keyOrder(channel.keys, userId)) {
    const nowMs = services.now()
    if (left.count <= leftAfter || nowMs > (left.untilMs ?? Infinity) || signal.reason !== undefined) break
    const coolingMs = services.keys.coolingMs(key, userId, nowMs)
    if (coolingMs > 0) {
      waitMs = Math.min(waitMs, coolingMs)
      continue
    }
    left.count--
    const attempted = yield* attemptChannel(services, open, channel, key)
    if (attempted._tag === "Done") {
      // The request was not to blame: later calls need not find that out again.
      if (attempted.verdict === "succeeded") {
        for (const [{ id }, untilMs] of refused) services.keys.cool(id, untilMs)
      }
      return attempted
    }
    if (attempted._tag === "RequestRefused") {
      // Accounts do not see what is stored in one another.
      if (call.references.length === 0 || !isUnknownReference(attempted)) return attempted
      unknown = attempted
      continue
    }
    last = attempted
    left.untilMs ??= services.now() + ATTEMPTS_MS_MAX
    if (attempted.code === "upstream_rate_limited") limited = attempted
    if (!isKeysFailure(attempted) && !isOtherAccounts(attempted)) return attempted
    if (isRefusedForGood(attempted)) services.keyProbes.suspect(channel.id, key.id, open.basics.model.id)
    if (isKeysFailure(attempted)) {
      const untilMs = services.now() + coolMsOf(attempted)
      refused.set(key, untilMs)
      services.keys.avoid(userId, key.id, untilMs)
    }
    if (attempted.retryAfterSeconds !== undefined) {
      waitMs = Math.min(waitMs, attempted.retryAfterSeconds * MS_PER_SECOND)
    }
  }
  // A key that waits may be the one that has it stored: the call can be made again then.
  if (unknown !== undefined && last === undefined && waitMs === Infinity) return unknown
  return waitMs === Infinity
    ? last ?? failedBecause(channel, "no key was tried in time")
    : allWait(channel, limited, waitMs)
})

/**
 * All keys wait, or are refused: until the first of them can be used again. While one only waits, those that are refused are no reason to
 * close the channel to everybody.
 */
const allWait = (channel: Channel, limited: ChannelFailed | undefined, waitMs: number): ChannelFailed =>
  failedBecause(channel, "all its keys wait", {
    code: "upstream_rate_limited",
    scope: limited === undefined ? null : limited.scope,
    said: limited === undefined ? { reason: "rate_limited", status: null } : limited.said,
    retryAfterSeconds: Math.max(1, Math.ceil(waitMs / MS_PER_SECOND))
  })
