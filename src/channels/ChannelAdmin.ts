/**
 * Channels as root sees and changes them. The keys of those made here are sealed; those that the configuration declares are shown
 * and never changed. Each change is recorded in its own transaction and told to every process, and a key never comes out of here
 * but to be called with.
 */
import { Clock, Context, Effect, Layer } from "effect"
import { SqlClient, SqlError } from "effect/sql"
import { makeOutboundGuard } from "../config/OutboundGuard.ts"
import type { ChannelId } from "../domain/Ids.ts"
import { type Actor, changesBetween, recordChange, SECRET_SET } from "../platform/AuditLog.ts"
import { ChangedMeanwhile } from "../platform/ChangedMeanwhile.ts"
import { publish } from "../platform/Notifications.ts"
import type { MasterKeyInvalid } from "../platform/SecretBox.ts"
import { type DatabaseUnavailable, orUnavailable } from "../postgres/DatabaseUnavailable.ts"
import { inTransaction } from "../postgres/Transaction.ts"
import { type AdminChannel, factsOf, inputOf, toAdminChannel, toAdminKey } from "./AdminChannel.ts"
import {
  type ChannelConfigManaged,
  ChannelKeysStay,
  ChannelModelUnknown,
  type ChannelNotFound,
  ChannelRefused,
  refuseAny
} from "./ChannelError.ts"
import { ChannelHealth } from "./ChannelHealth.ts"
import { type ChannelInput, isElsewhere, problemsOf, trimmed } from "./ChannelInput.ts"
import { addSealed } from "./ChannelKeyAdmin.ts"
import { makeKeySafe, openedKey, type StoredKey } from "./ChannelKeys.ts"
import * as KeyStore from "./ChannelKeyStore.ts"
import * as Store from "./ChannelStore.ts"
import { writeHealth } from "./HealthLog.ts"

export type { AdminChannel } from "./AdminChannel.ts"

/** So many channels can be made here, those declared included. */
export const CHANNELS_MAX = 500

type WriteError = ChannelRefused | MasterKeyInvalid | DatabaseUnavailable
type RowError = ChannelNotFound | ChannelConfigManaged | DatabaseUnavailable

export interface ChannelEdit {
  readonly id: ChannelId
  readonly revision: bigint
  readonly input: ChannelInput
  /** Who edits it has proved who they are: the keys that it keeps may be sent to another address. */
  readonly mayMoveKeys?: boolean
}

export class ChannelAdmin extends Context.Service<ChannelAdmin, {
  /** All, in the order in which they are tried, those that are disabled last. */
  readonly list: Effect.Effect<ReadonlyArray<AdminChannel>, DatabaseUnavailable>
  get(id: ChannelId): Effect.Effect<AdminChannel, ChannelNotFound | DatabaseUnavailable>
  /** The ids of all models that a channel may serve, disabled ones too. */
  readonly models: Effect.Effect<ReadonlyArray<string>, DatabaseUnavailable>
  /** Answers the new channel's id. */
  create(actor: Actor, input: ChannelInput): Effect.Effect<ChannelId, WriteError>
  /**
   * Fails with `ChangedMeanwhile` when the channel is not at that revision any more, and with `ChannelKeysStay` when keys that it keeps
   * would be sent to another address.
   */
  edit(
    actor: Actor,
    change: ChannelEdit
  ): Effect.Effect<void, RowError | ChangedMeanwhile | ChannelKeysStay | WriteError>
  /** No call is sent to it from then on; those under way end. Doing it again changes nothing. */
  disable(actor: Actor, id: ChannelId): Effect.Effect<void, RowError>
  enable(actor: Actor, id: ChannelId): Effect.Effect<void, RowError>
  /**
   * Remembers that its upstream reports output tokens of this model that it does not show. Doing it again, or of a model that
   * it does not serve, changes nothing.
   */
  markHiddenOutput(id: ChannelId, model: string): Effect.Effect<void, DatabaseUnavailable>
  /** Forgets it until it is seen again; of declared channels too. */
  resetHiddenOutput(
    actor: Actor,
    id: ChannelId,
    model: string
  ): Effect.Effect<void, ChannelNotFound | ChannelModelUnknown | DatabaseUnavailable>
}>()("realms/channels/ChannelAdmin") {
  static readonly layer = Layer.effect(ChannelAdmin)(Effect.gen(function*() {
    const sql = yield* SqlClient.SqlClient
    const safe = yield* makeKeySafe
    const health = yield* ChannelHealth
    const guard = yield* makeOutboundGuard

    const toChannel = (row: Store.StoredChannel, stored: ReadonlyArray<StoredKey>) =>
      Effect.gen(function*() {
        const keys = yield* Effect.forEach(
          stored,
          (key) => Effect.map(openedKey(safe.open, row, key), (secret) => toAdminKey(key, secret !== undefined))
        )
        return toAdminChannel(row, keys, health.stateOf(row.id, null, yield* Clock.currentTimeMillis))
      })

    const write = <A, E>(effect: Effect.Effect<A, E | SqlError.SqlError>) =>
      inTransaction(sql, effect).pipe(
        Effect.catchIf(
          (error): error is Extract<E | SqlError.SqlError, SqlError.SqlError> =>
            SqlError.isSqlError(error) && isNameTaken(error),
          () => Effect.fail(new ChannelRefused({ problems: [{ field: "name", reason: "taken" }] }))
        ),
        orUnavailable
      )

    const list = Effect.gen(function*() {
      yield* writeHealth(sql, health)
      const keys = yield* KeyStore.allKeys(sql)
      return yield* Effect.forEach(yield* Store.listChannels(sql), (row) => toChannel(row, keys.get(row.id) ?? []))
    }).pipe(orUnavailable)

    const get = Effect.fn("ChannelAdmin.get")(function*(id: ChannelId) {
      yield* writeHealth(sql, health)
      return yield* toChannel(
        yield* Store.foundChannel(id, yield* Store.findChannel(sql, id)),
        yield* KeyStore.keysOf(sql, id)
      )
    }, orUnavailable)

    const check = Effect.fnUntraced(function*(input: ChannelInput, isNew: boolean) {
      const known = new Set(yield* Store.knownModels(sql))
      yield* refuseAny(problemsOf(input, { guard, isNew, known }))
    })

    const create = Effect.fn("ChannelAdmin.create")((actor: Actor, typed: ChannelInput) =>
      write(Effect.gen(function*() {
        const input = trimmed(typed)
        yield* check(input, true)
        if ((yield* Store.countChannels(sql)) >= CHANNELS_MAX) yield* refuseAny([{ field: "form", reason: "many" }])
        const id = yield* Store.nextId(sql)
        yield* Store.insertChannel(sql, id, input)
        yield* addSealed(sql, safe, id, input.apiKeys)
        yield* recordChange(sql, actor, {
          action: "channel.created",
          target: `channel:${id}`,
          before: null,
          after: { ...factsOf(input), api_key: SECRET_SET }
        })
        yield* publish(sql, "channels", id.toString())
        return id
      }))
    )

    const edit = Effect.fn("ChannelAdmin.edit")(
      (actor: Actor, change: ChannelEdit) =>
        write(Effect.gen(function*() {
          const { id, revision } = change
          const input = trimmed(change.input)
          const row = yield* Store.ownChannel(sql, id)
          if (row.revision !== revision) return yield* new ChangedMeanwhile({ target: `channel:${id}` })
          const keys = yield* KeyStore.keysOf(sql, id)
          yield* check(input, keys.length === 0)
          const isReplaced = input.apiKeys.length > 0
          const keepsKeys = !isReplaced && keys.length > 0
          if (keepsKeys && change.mayMoveKeys !== true && isElsewhere(row.baseUrl, input.baseUrl)) {
            return yield* new ChannelKeysStay({ channelId: id })
          }
          const { after, before } = changesBetween(factsOf(inputOf(row)), factsOf(input))
          if (!isReplaced && Object.keys(after).length === 0) return
          yield* Store.updateChannel(sql, id, input)
          if (isReplaced) {
            yield* Effect.forEach(keys, (key) => KeyStore.deleteKey(sql, key.id), { discard: true })
            yield* addSealed(sql, safe, id, input.apiKeys)
          }
          // Said on both sides: the one before was replaced.
          const secret = isReplaced ? { api_key: SECRET_SET } : {}
          yield* recordChange(sql, actor, {
            action: "channel.edited",
            target: `channel:${id}`,
            before: { ...before, ...secret },
            after: { ...after, ...secret }
          })
          yield* publish(sql, "channels", id.toString())
        }))
    )

    const turn = (actor: Actor, id: ChannelId, disabled: boolean) =>
      inTransaction(
        sql,
        Effect.gen(function*() {
          const row = yield* Store.ownChannel(sql, id)
          if ((row.disabledAt !== null) === disabled) return
          yield* Store.switchChannel(sql, id, disabled)
          yield* recordChange(sql, actor, {
            action: disabled ? "channel.disabled" : "channel.enabled",
            target: `channel:${id}`,
            before: { disabled: !disabled },
            after: { disabled }
          })
          yield* publish(sql, "channels", id.toString())
        })
      ).pipe(orUnavailable)

    const markHiddenOutput = Effect.fn("ChannelAdmin.markHiddenOutput")((id: ChannelId, model: string) =>
      inTransaction(
        sql,
        Effect.gen(function*() {
          const isNew = yield* Store.writeHiddenOutput(sql, id, model, true)
          if (isNew) yield* publish(sql, "channels", id.toString())
        })
      ).pipe(orUnavailable)
    )

    const resetHiddenOutput = Effect.fn("ChannelAdmin.resetHiddenOutput")((
      actor: Actor,
      id: ChannelId,
      model: string
    ) =>
      inTransaction(
        sql,
        Effect.gen(function*() {
          const row = yield* Store.foundChannel(id, yield* Store.lockChannel(sql, id))
          if (!Object.hasOwn(row.models, model)) return yield* new ChannelModelUnknown({ channelId: id, model })
          if (!(yield* Store.writeHiddenOutput(sql, id, model, false))) return
          yield* recordChange(sql, actor, {
            action: "channel.hidden_output_reset",
            target: `channel:${id}`,
            before: { model, hidden_output: true },
            after: { model, hidden_output: false }
          })
          yield* publish(sql, "channels", id.toString())
        })
      ).pipe(orUnavailable)
    )

    return ChannelAdmin.of({
      list,
      get,
      models: orUnavailable(Store.knownModels(sql)),
      create,
      edit,
      disable: (actor, id) => turn(actor, id, true),
      enable: (actor, id) => turn(actor, id, false),
      markHiddenOutput,
      resetHiddenOutput
    })
  })).pipe(
    Layer.provide(ChannelHealth.layer)
  )
}

/** Two who take the same name at once. */
const isNameTaken = (error: SqlError.SqlError): boolean =>
  error.reason._tag === "UniqueViolation" && error.reason.constraint === "channels_name_key"
