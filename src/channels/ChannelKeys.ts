/**
 * The keys that a channel is called with: those of a declared channel are in the configuration that this process was started with,
 * those made in the console are sealed, each in its row. What is held against a key is in the row in either case.
 * @internal
 */
import { Effect, Redacted, Schema } from "effect"
import { createHash } from "node:crypto"
import { AppConfig, channelKeysOf } from "../config/Config.ts"
import { ChannelId, ChannelKeyId } from "../domain/Ids.ts"
import { Row } from "../domain/Row.ts"
import { type MasterKeyInvalid, SecretBox, type SecretUnreadable } from "../platform/SecretBox.ts"
import { OutReason } from "./FailureReason.ts"

export const StoredKey = Row({
  id: ChannelKeyId,
  channelId: ChannelId,
  digest: Schema.Uint8Array,
  hint: Schema.String,
  keySealed: Schema.NullOr(Schema.Uint8Array),
  keyId: Schema.NullOr(Schema.String),
  coolingUntil: Schema.NullOr(Schema.Date),
  outReason: Schema.NullOr(OutReason),
  outStatus: Schema.NullOr(Schema.Number),
  outAt: Schema.NullOr(Schema.Date),
  probeAt: Schema.NullOr(Schema.Date),
  balance: Schema.NullOr(Schema.String),
  balanceCurrency: Schema.NullOr(Schema.String),
  balanceProblem: Schema.NullOr(Schema.String),
  balanceAt: Schema.NullOr(Schema.Date),
  createdAt: Schema.Date
})
export type StoredKey = typeof StoredKey.Type

/** A key that a channel can be called with. */
export interface ChannelKey {
  readonly id: ChannelKeyId
  readonly secret: Redacted.Redacted<string>
  /** The upstream asked to wait until then, in ms since the epoch; 0: it did not. */
  readonly coolingUntilMs: number
}

/** Where a key is sealed for. */
const keyPlace = (id: ChannelKeyId): string => `channel_key:${id}`

/** By which a key is known again: keys are long and random, so that it tells nothing of them. */
export const digestOf = (key: Redacted.Redacted<string>): Buffer =>
  createHash("sha256").update("realms channel key\0").update(Redacted.value(key)).digest()

const HINT_CHARACTERS = 4

/** Its last characters, where they are a small part of it. */
export const hintOf = (key: Redacted.Redacted<string>): string => {
  const text = Redacted.value(key)
  return text.length < 4 * HINT_CHARACTERS ? "…" : `…${text.slice(-HINT_CHARACTERS)}`
}

/** What of a channel leads to its keys. */
interface Keyed {
  readonly name: string
  readonly declared: boolean
}

/** Seals keys for the database, and opens them. */
export const makeKeySafe = Effect.gen(function*() {
  const box = yield* SecretBox
  const { channels } = yield* AppConfig
  const declared = new Map(channels.map((channel) => [
    channel.name,
    new Map(channelKeysOf(channel).map((key) => [digestOf(key).toString("hex"), key]))
  ]))
  /** Undefined: the key is of a config.yaml that this process was not started with. */
  const open = (
    channel: Keyed,
    key: StoredKey
  ): Effect.Effect<Redacted.Redacted<string> | undefined, SecretUnreadable | MasterKeyInvalid> => {
    if (channel.declared) {
      return Effect.succeed(declared.get(channel.name)?.get(Buffer.from(key.digest).toString("hex")))
    }
    if (key.keySealed === null || key.keyId === null) return Effect.undefined
    return box.open({ bytes: key.keySealed, keyId: key.keyId }, keyPlace(key.id))
  }
  return { open, seal: (id: ChannelKeyId, secret: Redacted.Redacted<string>) => box.seal(secret, keyPlace(id)) }
})

export type KeySafe = Effect.Success<typeof makeKeySafe>

/** The key, where this process can call with it. */
export const openedKey = (open: KeySafe["open"], channel: Keyed, key: StoredKey) =>
  Effect.map(
    open(channel, key).pipe(Effect.catch(() => Effect.undefined)),
    (secret) => secret === undefined || Redacted.value(secret) === "" ? undefined : secret
  )
