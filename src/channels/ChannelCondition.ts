/**
 * How a channel does, in one word, out of everything that is known of it. Pure.
 */
import type { AdminChannel, AdminChannelKey } from "./AdminChannel.ts"

/**
 * `out`: all its keys are out of use. `avoided`: its breaker is open; `probing`: half-open. `fails`: its last call failed; `works`: its
 * last call was answered. `untried`: no call has come to it yet.
 */
export type ChannelCondition = "out" | "avoided" | "probing" | "fails" | "works" | "untried"

/** The keys that are out of use. */
export const outKeysOf = ({ keys }: Pick<AdminChannel, "keys">): ReadonlyArray<AdminChannelKey> =>
  keys.filter(({ out }) => out !== null)

export const conditionOf = (
  channel: Pick<AdminChannel, "keys" | "health" | "failure" | "successAt">
): ChannelCondition => {
  const { failure, health, keys, successAt } = channel
  if (keys.length > 0 && outKeysOf(channel).length === keys.length) return "out"
  if (health === "open") return "avoided"
  if (health === "half_open") return "probing"
  if (failure !== null && (successAt === null || failure.at > successAt)) return "fails"
  return successAt === null ? "untried" : "works"
}
