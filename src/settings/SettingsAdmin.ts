/**
 * What root sees and changes of the settings. A save is one transaction, validated as a whole: one bad value changes nothing, and
 * each problem names its key. A key that is absent is left as it is. A value that is set stays set, even when it equals the
 * configuration's, until it is reset. Secrets go in and never come out.
 */
import { Context, Effect, Layer, Result, Schema } from "effect"
import { SqlClient } from "effect/sql"
import { hash } from "node:crypto"
import { AppConfig } from "../config/Config.ts"
import { makeOutboundGuard } from "../config/OutboundGuard.ts"
import type { OutboundGuard } from "../config/OutboundUrl.ts"
import {
  decodeSettings,
  fieldOf,
  type SettingField,
  type SettingKey,
  settingKeys,
  type SettingProblem,
  type SettingTexts,
  settingTextsOf
} from "../config/SettingDocument.ts"
import { SITE_TERMS_CHARACTERS_MAX } from "../domain/Bounds.ts"
import { MICROS_SCALE, parseDecimal } from "../domain/Money.ts"
import { readSiteImage, SITE_IMAGE_CHARACTERS_MAX } from "../domain/SiteImage.ts"
import {
  type Actor,
  type AuditFacts,
  changesBetween,
  recordChange,
  SECRET_NOT_SET,
  SECRET_SET
} from "../platform/AuditLog.ts"
import { ChangedMeanwhile } from "../platform/ChangedMeanwhile.ts"
import { publish } from "../platform/Notifications.ts"
import { ConfirmationPending, ConfirmationRefused, type NotConfirmed, SecondPerson } from "../platform/SecondPerson.ts"
import { SecretBox } from "../platform/SecretBox.ts"
import { type DatabaseUnavailable, databaseUnavailable } from "../postgres/DatabaseUnavailable.ts"
import { inTransaction } from "../postgres/Transaction.ts"
import { deleteRow, effectiveTexts, readRows, type SettingRow, writeRow } from "./SettingRows.ts"
import { Settings } from "./Settings.ts"

/** One setting as root sees it. */
export interface SettingView {
  readonly key: SettingKey
  readonly kind: SettingField["kind"]
  /** Of a choice. */
  readonly options: ReadonlyArray<string>
  /** In effect; empty for a secret. */
  readonly text: string
  /** What the configuration says; empty for a secret. */
  readonly fileText: string
  /** Of a secret, whether there is one; true for all others. */
  readonly isSet: boolean
  readonly source: "file" | "override"
  readonly updatedAt: Date | null
  readonly updatedBy: string | null
}

export interface SettingsView {
  readonly settings: ReadonlyArray<SettingView>
  /** Changes with every change; to be given with what was filled in on it. */
  readonly revision: string
}

/** To a key: a new text (an empty one removes a secret), or null to reset it to the configuration's. */
export type SettingChanges = ReadonlyMap<SettingKey, string | null>

/** Nothing was changed, for these reasons. */
export class SettingsRefused extends Schema.TaggedError<SettingsRefused>()("SettingsRefused", {
  problems: Schema.Array(Schema.Struct({
    key: Schema.Literals(settingKeys),
    why: Schema.Literals(["shape", "rule", "incomplete"]),
    message: Schema.String
  }))
}) {
  override readonly message = this.problems.map(({ key, message }) => `${key}: ${message}`).join("; ")
}

export class SettingsAdmin extends Context.Service<SettingsAdmin, {
  readonly view: Effect.Effect<SettingsView, DatabaseUnavailable>
  /** In force at once on every server. `revision`: of the view that the changes were made on; absent: whatever it is. */
  save(
    actor: Actor,
    changes: SettingChanges,
    revision?: string
  ): Effect.Effect<SettingsView, SettingsRefused | ChangedMeanwhile | NotConfirmed | DatabaseUnavailable>
}>()("realms/settings/SettingsAdmin") {
  static readonly layer = Layer.effect(SettingsAdmin)(Effect.gen(function*() {
    const sql = yield* SqlClient.SqlClient
    const config = yield* AppConfig
    const box = yield* SecretBox
    const settings = yield* Settings
    const secondPerson = yield* SecondPerson
    const base = settingTextsOf(config)
    const guard = yield* makeOutboundGuard

    const shown = (key: SettingKey, text: string): string => fieldOf(key).kind === "secret" ? "" : text

    const viewOf = (rows: ReadonlyArray<SettingRow>, texts: SettingTexts): SettingsView => {
      const byKey = new Map(rows.map((row) => [row.key, row]))
      const views = settingKeys.map((key): SettingView => {
        const { kind, options = [] } = fieldOf(key)
        const row = byKey.get(key)
        return {
          key,
          kind,
          options,
          text: shown(key, texts[key]),
          fileText: shown(key, base[key]),
          isSet: kind !== "secret" || texts[key] !== "",
          source: row === undefined ? "file" : "override",
          updatedAt: row?.updatedAt ?? null,
          updatedBy: row?.updatedBy ?? null
        }
      })
      const facts = views.map((
        { isSet, key, source, text, updatedAt }
      ) => [key, text, isSet, source, updatedAt?.getTime()])
      return { settings: views, revision: hash("sha256", JSON.stringify(facts), "hex").slice(0, REVISION_CHARACTERS) }
    }

    const opened = Effect.fnUntraced(function*(rows: ReadonlyArray<SettingRow>) {
      const texts = yield* effectiveTexts(box, base, rows)
      return { rows, texts, view: viewOf(rows, texts) }
    })
    const read = Effect.flatMap(readRows(sql), opened)

    const facts = (texts: SettingTexts, keys: Iterable<SettingKey>): AuditFacts =>
      Object.fromEntries(Array.from(keys, (key) => [
        key,
        factOf(key, texts[key])
      ]))

    /** A secret that is replaced by another looks the same before and after: it is said all the same. */
    const replaced = (changes: SettingChanges): AuditFacts => {
      const keys = [...changes].flatMap(([key, text]) => fieldOf(key).kind === "secret" && text !== null ? [key] : [])
      return keys.length === 0 ? {} : { replaced: keys }
    }

    const write = Effect.fnUntraced(function*(actor: Actor, changes: SettingChanges, revision: string | undefined) {
      yield* sql`SELECT pg_advisory_xact_lock(${SAVE_LOCK})`
      const before = yield* read
      if (revision !== undefined && revision !== before.view.revision) {
        return yield* new ChangedMeanwhile({ target: "settings" })
      }
      const wanted: { -readonly [Key in SettingKey]: string } = { ...before.texts }
      for (const [key, text] of changes) wanted[key] = text ?? base[key]
      const loose = loosened(before.texts, wanted)
      const tooLong = [...changes].filter(([key, text]) => text !== null && text.length > charactersMax(key))
      const problems = tooLong.length > 0
        ? tooLong.map(([key]) => ({
          key,
          why: "shape" as const,
          message: `is longer than ${charactersMax(key)} characters`
        }))
        : [
          ...problemsOf({ before: before.texts, after: wanted }, { host: config.server.host, guard }),
          ...mixed(loose, changes)
        ]
      if (problems.length > 0) return yield* new SettingsRefused({ problems })
      const written = yield* Effect.forEach(changes, ([key, text]) =>
        text === null
          ? deleteRow(sql, key)
          : writeRow(sql, box, { key, text: text.trim(), userId: actor.userId }))
      const changed = changesBetween(facts(before.texts, changes.keys()), facts(wanted, changes.keys()))
      yield* recordChange(sql, actor, {
        action: "settings.saved",
        target: "settings",
        before: changed.before,
        after: {
          ...changed.after,
          ...replaced(changes),
          reset: [...changes].flatMap(([key, text]) => text === null ? [key] : [])
        }
      })
      yield* publish(sql, "settings", "saved")
      // What is confirmed is compared with what was shown, also where it is no loosening any more.
      if (loose.length > 0 || actor.confirming !== undefined) {
        const texts = Object.fromEntries([...changes].map(([key, text]) => [key, text === null ? null : text.trim()]))
        const facts = limits.flatMap((key) =>
          changes.has(key) ? [[key, wanted[key]], [`${key}.before`, before.texts[key]]] : []
        )
        yield* secondPerson.check(actor, {
          action: "settings.limits",
          worth: { always: true },
          asked: texts,
          facts: Object.fromEntries(facts),
          note: ""
        })
      }
      const kept = before.rows.filter(({ key }) => !changes.has(key))
      return (yield* opened([...kept, ...written.flat()])).view
    })

    const orUnavailable = <A, E extends { readonly message: string }>(effect: Effect.Effect<A, E>) =>
      effect.pipe(
        Effect.catchIf(
          (error): error is Exclude<E, SettingsRefused | ChangedMeanwhile | NotConfirmed> => !isAnswer(error),
          (error) => Effect.fail(databaseUnavailable(error))
        )
      )

    const save = Effect.fn("SettingsAdmin.save")(
      function*(actor: Actor, changes: SettingChanges, revision?: string) {
        const written = inTransaction(sql, write(actor, changes, revision))
        const view = yield* secondPerson.asking(actor, written).pipe(orUnavailable)
        // This server knows at once, the others by the message.
        yield* Effect.ignore(settings.reload)
        return view
      }
    )

    return SettingsAdmin.of({ view: Effect.map(read, ({ view }) => view).pipe(orUnavailable), save })
  }))
}

/** Of the advisory lock under which settings are saved, one save at a time. */
const SAVE_LOCK = 7_304_160_541n

/** A longer text is no setting, in characters. */
export const SETTING_CHARACTERS_MAX = 2_000

const REVISION_CHARACTERS = 20

const charactersMax = (key: SettingKey): number => {
  const { kind } = fieldOf(key)
  if (kind === "image") return SITE_IMAGE_CHARACTERS_MAX
  return kind === "lines" ? SITE_TERMS_CHARACTERS_MAX : SETTING_CHARACTERS_MAX
}

/** What the audit log says of a value: of a secret only whether there is one, and of an image which one it is. */
const factOf = (key: SettingKey, text: string): string => {
  const { kind } = fieldOf(key)
  if (kind === "secret") return text === "" ? SECRET_NOT_SET : SECRET_SET
  const image = kind === "image" ? readSiteImage(text) : undefined
  return image === undefined
    ? text
    : `${image.type}, ${image.bytes.length} bytes, SHA-256 ${hash("sha256", image.bytes, "hex")}`
}

/** What a provider needs before it can be switched on. */
const needs: ReadonlyArray<readonly [SettingKey, ReadonlyArray<SettingKey>]> = [
  ["payment.epay.enabled", [
    "payment.epay.gateway",
    "payment.epay.partner_id",
    "payment.epay.key",
    "payment.epay.types"
  ]],
  ["payment.stripe.enabled", ["payment.stripe.secret_key"]]
]

type Problem = SettingsRefused["problems"][number]

const incomplete = (texts: SettingTexts): ReadonlyArray<Problem> =>
  needs.flatMap(([switchKey, keys]) =>
    texts[switchKey] === "true"
      ? keys.filter((key) => texts[key].trim() === "").map((key) => ({
        key,
        why: "incomplete" as const,
        message: `is needed before ${switchKey} can be true`
      }))
      : []
  )

/** Limits above which a second person confirms. */
const limits = ["finance.confirm_above_usd", "finance.confirm_above_cny"] as const satisfies ReadonlyArray<SettingKey>

/** Whether one person may do more alone than before: a limit is raised or removed. */
const isLoosened = (before: string, after: string): boolean => {
  const [was, is] = [before, after].map((text) =>
    text.trim() === "" ? undefined : parseDecimal(text.trim(), MICROS_SCALE)
  )
  return was !== undefined && (is === undefined || is > was)
}

/** Limits that the change loosens. */
const loosened = (before: SettingTexts, after: SettingTexts): ReadonlyArray<SettingKey> =>
  limits.filter((key) => isLoosened(before[key], after[key]))

/** What waits for a second person is stored and shown: it is saved by itself, so that no secret is ever with it. */
const mixed = (loose: ReadonlyArray<SettingKey>, changes: SettingChanges): ReadonlyArray<Problem> =>
  loose.length > 0 && [...changes.keys()].some((key) => fieldOf(key).kind !== "limit")
    ? loose.map((key) => ({
      key,
      why: "rule" as const,
      message: "can be raised or removed only in a save without other settings: a second person has to confirm it"
    }))
    : []

/** Where providers are asked. */
const asked: ReadonlyArray<SettingKey> = [
  "payment.epay.gateway",
  "payment.stripe.api_base",
  "sign_in.oidc.issuer",
  "sign_in.github.url"
]

const unfit = (texts: SettingTexts, guard: OutboundGuard): ReadonlyArray<Problem> => [
  ...guard.isForbidden(texts["smtp.host"].trim())
    ? [{ key: "smtp.host" as const, why: "rule" as const, message: "is a host that this server does not connect to" }]
    : [],
  ...asked.flatMap((key) =>
    texts[key] === "" || guard.problemOf(texts[key]) === undefined && !texts[key].includes("?") ? [] : [{
      key,
      why: "rule" as const,
      message:
        "is an address that this server does not connect to: it is link-local or for metadata, or has credentials or a query"
    }]
  )
]

/** A rule that was broken before, by a file that has changed, is no reason to refuse another change. */
const problemsOf = (
  { after, before }: { readonly before: SettingTexts; readonly after: SettingTexts },
  { guard, host }: { readonly host: string; readonly guard: OutboundGuard }
): ReadonlyArray<Problem> => {
  const of = (checked: SettingTexts): ReadonlyArray<Problem | SettingProblem> => {
    const decoded = decodeSettings(checked, host)
    return [...Result.isFailure(decoded) ? decoded.failure : [], ...incomplete(checked), ...unfit(checked, guard)]
  }
  const known = new Set(of(before).map(({ key, message }) => `${key} ${message}`))
  return of(after).filter(({ key, message }) => !known.has(`${key} ${message}`))
}

const isAnswer = (error: unknown): boolean =>
  Schema.is(SettingsRefused)(error) || Schema.is(ChangedMeanwhile)(error) || Schema.is(ConfirmationPending)(error) ||
  Schema.is(ConfirmationRefused)(error)
