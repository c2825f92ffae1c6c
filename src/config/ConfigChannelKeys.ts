/**
 * The keys of a channel in the file: `api_key` and `api_keys` together, without those that are empty or named again.
 * @internal
 */
import { Redacted } from "effect"
import type { ChannelConfig } from "./RealmsConfig.ts"

/** A channel without any is kept disabled. */
export const channelKeysOf = (
  { apiKey, apiKeys }: Pick<ChannelConfig, "apiKey" | "apiKeys">
): ReadonlyArray<Redacted.Redacted<string>> =>
  Array.from(new Set([apiKey, ...apiKeys].map(Redacted.value)))
    .filter((key) => key !== "")
    .map((key) => Redacted.make(key))
