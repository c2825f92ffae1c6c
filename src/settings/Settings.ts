/**
 * The settings in effect at this moment: what an administrator set, else what the configuration says. Code asks each time that it
 * needs one and keeps nothing, so that a change counts from the next call, order or callback on, on every server. What a call or
 * an order was promised is in its own snapshot.
 */
import { Context, Effect, Layer } from "effect"
import { SqlClient, type SqlError } from "effect/sql"
import { AppConfig } from "../config/Config.ts"
import { type SettingsValues, settingTextsOf } from "../config/SettingDocument.ts"
import { PublicAddress } from "../platform/PublicAddress.ts"
import { SecretBox } from "../platform/SecretBox.ts"
import { type DatabaseUnavailable, databaseUnavailable } from "../postgres/DatabaseUnavailable.ts"
import { checkSealedRows } from "./SealedRows.ts"
import { effectiveTexts, readRows, resolve } from "./SettingRows.ts"
import { makeSnapshot } from "./Snapshot.ts"

export type { SettingsValues } from "../config/SettingDocument.ts"

export class Settings extends Context.Service<Settings, {
  /** As they were read last, at once: for what a moment's delay does not matter to. */
  current(): SettingsValues
  /** From memory when they are known to be in effect; undefined says only that `get` must be asked. */
  cached(): SettingsValues | undefined
  /** From memory while changes are heard of, else from the database. For calls. */
  readonly get: Effect.Effect<SettingsValues, DatabaseUnavailable>
  /** From the database: a change that was saved counts, wherever it was saved. For orders, callbacks and accounts. */
  readonly fresh: Effect.Effect<SettingsValues, DatabaseUnavailable>
  /** Forgets what is in memory and reads it again: for the server that has just made a change. */
  readonly reload: Effect.Effect<void, DatabaseUnavailable>
}>()("realms/settings/Settings") {
  /** Reads them once; fails where a stored secret cannot be opened, so that no server starts to lose it. */
  static readonly layer = Layer.effect(Settings)(Effect.gen(function*() {
    const sql = yield* SqlClient.SqlClient
    const config = yield* AppConfig
    const address = yield* PublicAddress
    const box = yield* SecretBox
    const base = settingTextsOf(config)
    const file: SettingsValues = {
      billing: config.billing,
      payment: config.payment,
      registration: config.registration,
      security: config.security,
      signIn: config.signIn,
      limits: config.limits,
      retention: config.retention,
      finance: config.finance,
      site: config.site,
      seller: config.seller,
      smtp: config.smtp,
      publicUrl: config.server.publicUrlFollows ? undefined : config.server.publicUrl
    }
    let last = file
    let reads = 0
    let lastRead = 0

    const load: Effect.Effect<SettingsValues, SqlError.SqlError> = Effect.gen(function*() {
      const read = ++reads
      const rows = yield* readRows(sql)
      const values = rows.length === 0
        ? file
        : yield* resolve({ base, texts: yield* effectiveTexts(box, base, rows), host: config.server.host })
      // Of two at once, the one that began later has seen more.
      if (read < lastRead) return values
      lastRead = read
      last = values
      address.isSetTo(values.publicUrl === file.publicUrl ? undefined : values.publicUrl)
      return values
    })

    yield* checkSealedRows(sql, box)
    yield* load
    const snapshot = yield* makeSnapshot({ topics: ["settings"], load })

    const fresh = load.pipe(
      Effect.timeout(READ_MS_MAX),
      Effect.mapError(databaseUnavailable)
    )

    return Settings.of({
      current: () => last,
      cached: () => snapshot.cached(),
      get: snapshot.get,
      fresh,
      reload: Effect.andThen(Effect.sync(() => snapshot.drop()), fresh).pipe(Effect.asVoid)
    })
  }))
}

/** Reading them takes no longer. */
const READ_MS_MAX = 5_000
