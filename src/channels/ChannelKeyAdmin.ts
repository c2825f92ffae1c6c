/**
 * The keys of channels: added and removed by root, and what a channel is called with by tests and by what else is asked of an upstream
 * besides calls. A key goes in and comes out only to be called with.
 */
import { Clock, Context, Effect, Layer, type Redacted } from "effect"
import { SqlClient, type SqlError } from "effect/sql"
import type { ChannelId, ChannelKeyId } from "../domain/Ids.ts"
import { type Actor, recordChange, SECRET_SET } from "../platform/AuditLog.ts"
import { publish } from "../platform/Notifications.ts"
import type { MasterKeyInvalid } from "../platform/SecretBox.ts"
import { type DatabaseUnavailable, orUnavailable } from "../postgres/DatabaseUnavailable.ts"
import { inTransaction } from "../postgres/Transaction.ts"
import {
  type ChannelConfigManaged,
  ChannelKeyMissing,
  ChannelKeyNeeded,
  ChannelKeyNotFound,
  ChannelModelUnknown,
  type ChannelNotFound,
  type ChannelRefused,
  refuseAny
} from "./ChannelError.ts"
import { type ChannelInput, keyProblems, trimmedKeys } from "./ChannelInput.ts"
import { type KeySafe, makeKeySafe, openedKey, type StoredKey } from "./ChannelKeys.ts"
import * as KeyStore from "./ChannelKeyStore.ts"
import * as Store from "./ChannelStore.ts"

/** What a channel is called with. */
export interface CallableKey {
  readonly baseUrl: string
  readonly keyId: ChannelKeyId
  readonly apiKey: Redacted.Redacted<string>
}

/** The same for one model. */
export interface ChannelEndpoint extends CallableKey {
  readonly upstreamModel: string
  /** The model spends output tokens before it answers. */
  readonly reasoning: boolean
}

/** A key that is out of use. */
export type OutKey = typeof KeyStore.OutKeyRow.Type

const OUT_KEYS_SHOWN_MAX = 20

type AccessError = ChannelNotFound | ChannelKeyMissing | DatabaseUnavailable
type RowError = ChannelNotFound | ChannelConfigManaged | DatabaseUnavailable

export class ChannelKeyAdmin extends Context.Service<ChannelKeyAdmin, {
  /** Keys that the channel has already change nothing. */
  addKeys(
    actor: Actor,
    id: ChannelId,
    keys: ReadonlyArray<Redacted.Redacted<string>>
  ): Effect.Effect<void, RowError | ChannelRefused | MasterKeyInvalid>
  /** No call is sent with it from then on. */
  removeKey(
    actor: Actor,
    id: ChannelId,
    keyId: ChannelKeyId
  ): Effect.Effect<void, RowError | ChannelKeyNotFound | ChannelKeyNeeded>
  /** Keys that are out of use, of one channel, or of all enabled ones; the newest, and no more than a page has room for. */
  outKeys(id: ChannelId | null): Effect.Effect<ReadonlyArray<OutKey>, DatabaseUnavailable>
  /**
   * Every key that opens here, of any channel, declared and disabled ones too; those that can be used now first. Fails where there is
   * none.
   */
  access(id: ChannelId): Effect.Effect<readonly [CallableKey, ...Array<CallableKey>], AccessError>
  /** For one of its models, by one of its keys; without a key, by that which calls would rather use. */
  endpoint(
    id: ChannelId,
    model: string,
    keyId?: ChannelKeyId
  ): Effect.Effect<ChannelEndpoint, AccessError | ChannelModelUnknown>
}>()("realms/channels/ChannelKeyAdmin") {
  static readonly layer = Layer.effect(ChannelKeyAdmin)(Effect.gen(function*() {
    const sql = yield* SqlClient.SqlClient
    const safe = yield* makeKeySafe

    const addKeys = Effect.fn("ChannelKeyAdmin.addKeys")((
      actor: Actor,
      id: ChannelId,
      typed: ChannelInput["apiKeys"]
    ) =>
      inTransaction(
        sql,
        Effect.gen(function*() {
          const row = yield* Store.ownChannel(sql, id)
          const keys = trimmedKeys(typed)
          const before = (yield* KeyStore.keysOf(sql, id)).length
          yield* refuseAny(keys.length === 0 ? [{ field: "api_key", reason: "missing" }] : keyProblems(keys, before))
          const added = yield* addSealed(sql, safe, id, keys)
          if (added === 0) return
          yield* recordChange(sql, actor, {
            action: "channel.keys_added",
            target: `channel:${row.id}`,
            before: { keys: before },
            after: { keys: before + added, api_key: SECRET_SET }
          })
          yield* publish(sql, "channels", id.toString())
        })
      ).pipe(orUnavailable)
    )

    const removeKey = Effect.fn("ChannelKeyAdmin.removeKey")((actor: Actor, id: ChannelId, keyId: ChannelKeyId) =>
      inTransaction(
        sql,
        Effect.gen(function*() {
          yield* Store.ownChannel(sql, id)
          const keys = yield* KeyStore.keysOf(sql, id)
          const key = keys.find((one) => one.id === keyId)
          if (key === undefined) return yield* new ChannelKeyNotFound({ keyId })
          if (keys.length === 1) return yield* new ChannelKeyNeeded({ keyId })
          yield* KeyStore.deleteKey(sql, keyId)
          yield* recordChange(sql, actor, {
            action: "channel.key_removed",
            target: `channel:${id}`,
            before: { keys: keys.length, key: key.hint },
            after: { keys: keys.length - 1 }
          })
          yield* publish(sql, "channels", id.toString())
        })
      ).pipe(orUnavailable)
    )

    /** Those that can be used now first. */
    const accessOf = Effect.fnUntraced(function*(row: Store.StoredChannel) {
      const nowMs = yield* Clock.currentTimeMillis
      const stored = yield* KeyStore.keysOf(sql, row.id)
      const readable = yield* Effect.forEach(
        stored,
        (key) => Effect.map(openedKey(safe.open, row, key), (apiKey) => apiKey === undefined ? [] : [{ key, apiKey }])
      )
      const [first, ...others] = readable.flat()
        .toSorted((a, b) => waitOf(a.key, nowMs) - waitOf(b.key, nowMs) || (a.key.id < b.key.id ? -1 : 1))
        .map(({ apiKey, key }) => ({ baseUrl: row.baseUrl, keyId: key.id, apiKey }))
      if (first === undefined) {
        return yield* new ChannelKeyMissing({
          channelId: row.id,
          reason: stored.some(({ keySealed }) => keySealed !== null) ? "unreadable" : "none"
        })
      }
      return [first, ...others] as const
    })

    const access = Effect.fn("ChannelKeyAdmin.access")(function*(id: ChannelId) {
      return yield* accessOf(yield* Store.foundChannel(id, yield* Store.findChannel(sql, id)))
    }, orUnavailable)

    const endpoint = Effect.fn("ChannelKeyAdmin.endpoint")(
      function*(id: ChannelId, model: string, keyId?: ChannelKeyId) {
        const row = yield* Store.foundChannel(id, yield* Store.findChannel(sql, id))
        const upstreamModel = new Map(Object.entries(row.models)).get(model)
        if (upstreamModel === undefined) return yield* new ChannelModelUnknown({ channelId: id, model })
        const all = yield* accessOf(row)
        const one = keyId === undefined ? all[0] : all.find((key) => key.keyId === keyId)
        if (one === undefined) return yield* new ChannelKeyMissing({ channelId: id, reason: "none" })
        return { ...one, upstreamModel, reasoning: yield* Store.isReasoning(sql, model) }
      },
      orUnavailable
    )

    return ChannelKeyAdmin.of({
      outKeys: (id) => orUnavailable(KeyStore.outKeys(sql, OUT_KEYS_SHOWN_MAX, id)),
      addKeys,
      removeKey,
      access,
      endpoint
    })
  }))
}

/** Seals keys and adds them to a channel; answers how many are new. */
export const addSealed = Effect.fnUntraced(function*(
  sql: SqlClient.SqlClient,
  safe: KeySafe,
  channelId: ChannelId,
  keys: ChannelInput["apiKeys"]
): Effect.fn.Return<number, SqlError.SqlError | MasterKeyInvalid> {
  let added = 0
  for (const secret of keys) {
    const id = yield* KeyStore.nextKeyId(sql)
    const sealed = yield* safe.seal(id, secret)
    if (yield* KeyStore.insertKey(sql, { id, channelId, secret, sealed })) added++
  }
  return added
})

/** What keeps a key from being used: nothing, a wait, or that it is out of use. */
const waitOf = ({ coolingUntil, outAt }: StoredKey, nowMs: number): number =>
  outAt !== null ? 2 : coolingUntil !== null && coolingUntil.getTime() > nowMs ? 1 : 0
