/**
 * The key that a channel is called with: a declared channel's is in the configuration that this process was started with, one
 * made in the console has its own, sealed, in its row.
 * @internal
 */
import { Effect, type Redacted, Schema } from "effect"
import { AppConfig } from "../config/Config.ts"
import { ChannelId } from "../domain/Ids.ts"
import { Row } from "../domain/Row.ts"
import { type MasterKeyInvalid, SecretBox, type SecretUnreadable } from "../platform/SecretBox.ts"

/** What of a row leads to its key. */
export const KeyedChannel = Row({
  id: ChannelId,
  name: Schema.String,
  declared: Schema.Boolean,
  apiKeySealed: Schema.NullOr(Schema.Uint8Array),
  keyId: Schema.NullOr(Schema.String)
})

/** Where a channel's key is sealed for. */
export const keyPlace = (id: ChannelId): string => `channel:${id}`

/** Reads keys; undefined is the key of a channel that has none here. */
export const makeChannelKeys = Effect.gen(function*() {
  const box = yield* SecretBox
  const { channels } = yield* AppConfig
  const declared = new Map(channels.map(({ apiKey, name }) => [name, apiKey]))
  return (
    channel: typeof KeyedChannel.Type
  ): Effect.Effect<Redacted.Redacted<string> | undefined, SecretUnreadable | MasterKeyInvalid> => {
    if (channel.declared) return Effect.succeed(declared.get(channel.name))
    if (channel.apiKeySealed === null || channel.keyId === null) return Effect.undefined
    return box.open({ bytes: channel.apiKeySealed, keyId: channel.keyId }, keyPlace(channel.id))
  }
})
