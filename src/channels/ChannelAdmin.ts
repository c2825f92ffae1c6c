/**
 * Channels as root sees and changes them. Those made here have their key sealed in their row; those that the configuration
 * declares are shown and never changed. Each change is recorded in its own transaction and told to every process, and a key
 * never comes out of here but to be called with.
 */
import { Clock, Context, Effect, Layer, Redacted, Result } from "effect"
import { SqlClient, SqlError } from "effect/sql"
import { AppConfig } from "../config/Config.ts"
import { outboundGuard, shownUrl } from "../config/OutboundUrl.ts"
import { type ChannelTerms, channelTerms } from "../domain/ChannelTerms.ts"
import type { ChannelId } from "../domain/Ids.ts"
import { type Actor, type AuditFacts, changesBetween, recordChange, SECRET_SET } from "../platform/AuditLog.ts"
import { ChangedMeanwhile } from "../platform/ChangedMeanwhile.ts"
import { Notifications } from "../platform/Notifications.ts"
import { type MasterKeyInvalid, SecretBox } from "../platform/SecretBox.ts"
import { type DatabaseUnavailable, orUnavailable } from "../postgres/DatabaseUnavailable.ts"
import { inTransaction } from "../postgres/Transaction.ts"
import {
  ChannelConfigManaged,
  ChannelKeyMissing,
  ChannelModelUnknown,
  ChannelNotFound,
  type ChannelProblem,
  ChannelRefused
} from "./ChannelError.ts"
import { ChannelHealth } from "./ChannelHealth.ts"
import { type ChannelInput, problemsOf, trimmed } from "./ChannelInput.ts"
import { keyPlace, makeChannelKeys } from "./ChannelKeys.ts"
import * as Store from "./ChannelStore.ts"

/** So many channels can be made here, those declared included. */
export const CHANNELS_MAX = 500

export interface AdminChannel extends ChannelTerms {
  readonly id: ChannelId
  /** Counts the changes of the row; a change names the one it was made on. */
  readonly revision: bigint
  readonly name: string
  /** Without a trailing slash, and without the credentials that a file may have put into it. */
  readonly baseUrl: string
  readonly priority: number
  readonly weight: number
  /** It is in the configuration file, or was, and is changed there alone. */
  readonly declared: boolean
  readonly disabledAt: Date | null
  /** Whether this process has a key to call it with; one that does not open is none. */
  readonly hasKey: boolean
  /** The worst of its circuit breakers in this process. */
  readonly health: "closed" | "open" | "half_open"
  /** Our model ids to the upstream's. */
  readonly models: Readonly<Record<string, string>>
  /** Ids of the models of which its upstream was seen to report output that it does not show. */
  readonly hiddenOutput: ReadonlyArray<string>
  readonly createdAt: Date
  readonly updatedAt: Date
}

/** What a channel is called with for one model. */
export interface ChannelEndpoint {
  readonly baseUrl: string
  readonly apiKey: Redacted.Redacted<string>
  readonly upstreamModel: string
  /** The model spends output tokens before it answers. */
  readonly reasoning: boolean
}

type WriteError = ChannelRefused | MasterKeyInvalid | DatabaseUnavailable
type RowError = ChannelNotFound | ChannelConfigManaged | DatabaseUnavailable

export class ChannelAdmin extends Context.Service<ChannelAdmin, {
  /** All, in the order in which they are tried, those that are disabled last. */
  readonly list: Effect.Effect<ReadonlyArray<AdminChannel>, DatabaseUnavailable>
  get(id: ChannelId): Effect.Effect<AdminChannel, ChannelNotFound | DatabaseUnavailable>
  /** The ids of all models that a channel may serve, disabled ones too. */
  readonly models: Effect.Effect<ReadonlyArray<string>, DatabaseUnavailable>
  /** Answers the new channel's id. */
  create(actor: Actor, input: ChannelInput): Effect.Effect<ChannelId, WriteError>
  /** Fails with `ChangedMeanwhile` when the channel is not at that revision any more. */
  edit(
    actor: Actor,
    change: { readonly id: ChannelId; readonly revision: bigint; readonly input: ChannelInput }
  ): Effect.Effect<void, RowError | ChangedMeanwhile | WriteError>
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
  /** Of any channel, declared and disabled ones too. */
  endpoint(
    id: ChannelId,
    model: string
  ): Effect.Effect<ChannelEndpoint, ChannelNotFound | ChannelModelUnknown | ChannelKeyMissing | DatabaseUnavailable>
}>()("realms/channels/ChannelAdmin") {
  static readonly layer = Layer.effect(ChannelAdmin)(Effect.gen(function*() {
    const sql = yield* SqlClient.SqlClient
    const box = yield* SecretBox
    const health = yield* ChannelHealth
    const notifications = yield* Notifications
    const config = yield* AppConfig
    const keyOf = yield* makeChannelKeys
    const guard = outboundGuard(config.server.linkLocalHostsAllowed)

    const toChannel = (row: Store.StoredChannel) =>
      Effect.gen(function*() {
        const key = yield* keyOf(row).pipe(Effect.catch(() => Effect.undefined))
        return {
          ...termsOf(row),
          id: row.id,
          revision: row.revision,
          name: row.name,
          baseUrl: shownUrl(row.baseUrl),
          priority: row.priority,
          weight: row.weight,
          declared: row.declared,
          disabledAt: row.disabledAt,
          hasKey: key !== undefined && Redacted.value(key) !== "",
          health: health.stateOf(row.id, null, yield* Clock.currentTimeMillis),
          models: row.models,
          hiddenOutput: row.hiddenOutput,
          createdAt: row.createdAt,
          updatedAt: row.updatedAt
        } satisfies AdminChannel
      })

    const found = Effect.fnUntraced(function*(id: ChannelId, row: Store.StoredChannel | undefined) {
      return row ?? (yield* new ChannelNotFound({ channelId: id }))
    })

    /** The row, locked, of a channel that may be changed here. */
    const own = Effect.fnUntraced(function*(id: ChannelId) {
      const row = yield* found(id, yield* Store.lockChannel(sql, id))
      return row.declared ? yield* new ChannelConfigManaged({ channelId: id }) : row
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

    const list = Effect.flatMap(Store.listChannels(sql), (rows) => Effect.forEach(rows, toChannel)).pipe(
      orUnavailable
    )

    const get = Effect.fn("ChannelAdmin.get")(function*(id: ChannelId) {
      return yield* toChannel(yield* found(id, yield* Store.findChannel(sql, id)))
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
        yield* Store.insertChannel(sql, id, input, yield* box.seal(input.apiKey, keyPlace(id)))
        yield* recordChange(sql, actor, {
          action: "channel.created",
          target: `channel:${id}`,
          before: null,
          after: { ...factsOf(input), api_key: SECRET_SET }
        })
        yield* notifications.publish("channels", id.toString())
        return id
      }))
    )

    const edit = Effect.fn("ChannelAdmin.edit")(
      (actor: Actor, change: { readonly id: ChannelId; readonly revision: bigint; readonly input: ChannelInput }) =>
        write(Effect.gen(function*() {
          const { id, revision } = change
          const input = trimmed(change.input)
          const row = yield* own(id)
          if (row.revision !== revision) return yield* new ChangedMeanwhile({ target: `channel:${id}` })
          yield* check(input, row.apiKeySealed === null)
          const key = Redacted.value(input.apiKey) === "" ? undefined : yield* box.seal(input.apiKey, keyPlace(id))
          const { after, before } = changesBetween(factsOf(inputOf(row)), factsOf(input))
          if (key === undefined && Object.keys(after).length === 0) return
          yield* Store.updateChannel(sql, id, input, key)
          // Said on both sides: the one before was replaced.
          const secret = key === undefined ? {} : { api_key: SECRET_SET }
          yield* recordChange(sql, actor, {
            action: "channel.edited",
            target: `channel:${id}`,
            before: { ...before, ...secret },
            after: { ...after, ...secret }
          })
          yield* notifications.publish("channels", id.toString())
        }))
    )

    const turn = (actor: Actor, id: ChannelId, disabled: boolean) =>
      inTransaction(
        sql,
        Effect.gen(function*() {
          const row = yield* own(id)
          if ((row.disabledAt !== null) === disabled) return
          yield* Store.switchChannel(sql, id, disabled)
          yield* recordChange(sql, actor, {
            action: disabled ? "channel.disabled" : "channel.enabled",
            target: `channel:${id}`,
            before: { disabled: !disabled },
            after: { disabled }
          })
          yield* notifications.publish("channels", id.toString())
        })
      ).pipe(orUnavailable)

    const markHiddenOutput = Effect.fn("ChannelAdmin.markHiddenOutput")((id: ChannelId, model: string) =>
      inTransaction(
        sql,
        Effect.gen(function*() {
          const isNew = yield* Store.writeHiddenOutput(sql, id, model, true)
          if (isNew) yield* notifications.publish("channels", id.toString())
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
          const row = yield* found(id, yield* Store.lockChannel(sql, id))
          if (!Object.hasOwn(row.models, model)) return yield* new ChannelModelUnknown({ channelId: id, model })
          if (!(yield* Store.writeHiddenOutput(sql, id, model, false))) return
          yield* recordChange(sql, actor, {
            action: "channel.hidden_output_reset",
            target: `channel:${id}`,
            before: { model, hidden_output: true },
            after: { model, hidden_output: false }
          })
          yield* notifications.publish("channels", id.toString())
        })
      ).pipe(orUnavailable)
    )

    const endpoint = Effect.fn("ChannelAdmin.endpoint")(function*(id: ChannelId, model: string) {
      const row = yield* found(id, yield* Store.findChannel(sql, id))
      const upstreamModel = new Map(Object.entries(row.models)).get(model)
      if (upstreamModel === undefined) return yield* new ChannelModelUnknown({ channelId: id, model })
      const apiKey = yield* keyOf(row).pipe(
        Effect.mapError(() => new ChannelKeyMissing({ channelId: id, reason: "unreadable" }))
      )
      if (apiKey === undefined || Redacted.value(apiKey) === "") {
        return yield* new ChannelKeyMissing({ channelId: id, reason: "none" })
      }
      const reasoning = yield* Store.isReasoning(sql, model)
      return { baseUrl: row.baseUrl, apiKey, upstreamModel, reasoning }
    }, orUnavailable)

    return ChannelAdmin.of({
      list,
      get,
      models: orUnavailable(Store.knownModels(sql)),
      create,
      edit,
      disable: (actor, id) => turn(actor, id, true),
      enable: (actor, id) => turn(actor, id, false),
      markHiddenOutput,
      resetHiddenOutput,
      endpoint
    })
  })).pipe(
    Layer.provide(ChannelHealth.layer)
  )
}

const factsOf = (input: ChannelInput): AuditFacts => ({
  name: input.name,
  base_url: input.baseUrl,
  priority: input.priority,
  weight: input.weight,
  ...channelTerms.toRow(input),
  models: Object.fromEntries(Object.entries(input.models).toSorted(([a], [b]) => a < b ? -1 : 1))
})

/** A row that cannot be read is a defect here: it is not to be edited by a version that does not know all of it. */
const termsOf = (row: Store.StoredChannel): ChannelTerms =>
  Result.getOrThrowWith(
    channelTerms.readRow(row),
    (columns) => new Error(`channel ${row.id} has values that this version does not know: ${columns.join(", ")}`)
  )

const inputOf = (row: Store.StoredChannel): ChannelInput => ({
  ...termsOf(row),
  name: row.name,
  baseUrl: row.baseUrl,
  apiKey: Redacted.make(""),
  priority: row.priority,
  weight: row.weight,
  models: row.models
})

const refuseAny = (problems: ReadonlyArray<ChannelProblem>): Effect.Effect<void, ChannelRefused> =>
  problems.length === 0 ? Effect.void : Effect.fail(new ChannelRefused({ problems }))

/** Two who take the same name at once. */
const isNameTaken = (error: SqlError.SqlError): boolean =>
  error.reason._tag === "UniqueViolation" && error.reason.constraint === "channels_name_key"
