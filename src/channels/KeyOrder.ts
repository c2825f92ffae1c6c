/**
 * In which order a user's calls try the keys of one channel. The keys share the users among them, and a user stays with one key, as
 * with one channel: its account at the upstream has the prompt cache of the user's calls, and the answers stored for them. Pure.
 */
import type { UserId } from "../domain/Ids.ts"
import type { ChannelKey } from "./ChannelKeys.ts"
import { scoreFor } from "./Selection.ts"

/** The first is the user's own; the others follow where it cannot be used. */
export const keyOrder = (keys: ReadonlyArray<ChannelKey>, userId: UserId): ReadonlyArray<ChannelKey> =>
  keys.length < 2
    ? keys
    : keys
      .map((key) => ({ key, score: scoreFor(`key ${key.id}`, userId) }))
      .sort((a, b) => b.score - a.score || (a.key.id < b.key.id ? -1 : 1))
      .map(({ key }) => key)
