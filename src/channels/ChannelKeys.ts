/**
 * The key that a channel is called with: a declared channel's is in the configuration that this process was started with, one
 * made in the console has its own, sealed, in its row.
 * @internal
 */
import { Effect, type Redacted } from "effect"
import { AppConfig } from "../config/Config.ts"
import { type MasterKeyInvalid, SecretBox, type SecretUnreadable } from "../platform/SecretBox.ts"

/** What of a row leads to its key. */
export interface KeyedRow {
  readonly id: bigint
  readonly name: string
  readonly declared: boolean
  readonly api_key_sealed: Uint8Array | null
  readonly key_id: string | null
}

/** Where a channel's key is sealed for. */
export const keyPlace = (id: bigint): string => `channel:${id}`

/** Reads keys; undefined is the key of a channel that has none here. */
export const makeChannelKeys = Effect.gen(function*() {
  const box = yield* SecretBox
  const { channels } = yield* AppConfig
  const declared = new Map(channels.map(({ apiKey, name }) => [name, apiKey]))
  return (
    row: KeyedRow
  ): Effect.Effect<Redacted.Redacted<string> | undefined, SecretUnreadable | MasterKeyInvalid> => {
    if (row.declared) return Effect.succeed(declared.get(row.name))
    if (row.api_key_sealed === null || row.key_id === null) return Effect.undefined
    return box.open({ bytes: row.api_key_sealed, keyId: row.key_id }, keyPlace(row.id))
  }
})
