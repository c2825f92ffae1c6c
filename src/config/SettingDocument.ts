/**
 * The part of the configuration that an administrator may change while servers run, key by key under the names of the file, as
 * the texts that the file could have. It is decoded by the very schema and rules of the file, so that a value is right or wrong
 * in both places alike.
 */
import { Record, Result, Schema, Struct } from "effect"
import { checkConfig } from "./ConfigChecks.ts"
import { formatPath, problemsOf } from "./ConfigProblem.ts"
import { ConfigDocument, settingSections, withSections } from "./ConfigSchema.ts"
import { section } from "./ConfigSection.ts"
import type { RealmsConfig } from "./RealmsConfig.ts"
import { type IntegerBounds, settingBounds } from "./SettingBounds.ts"

/**
 * What kind of text a setting takes. A list's items are separated by commas; a limit is a decimal, or empty for none; an image is a
 * `data:` URL.
 */
export const settingKinds = [
  "zone",
  "flag",
  "integer",
  "decimal",
  "limit",
  "rate",
  "choice",
  "text",
  "lines",
  "image",
  "url",
  "host",
  "email",
  "list",
  "secret"
] as const
export type SettingKind = typeof settingKinds[number]

export interface SettingField {
  readonly section:
    | "site"
    | "seller"
    | "mail"
    | "registration"
    | "security"
    | "oidc"
    | "github"
    | "finance"
    | "confirm"
    | "billing"
    | "limits"
    | "retention"
    | "epay"
    | "stripe"
  readonly kind: SettingKind
  /** Of a choice. */
  readonly options?: ReadonlyArray<string>
  /** Few need to change it. */
  readonly advanced?: true
  /**
   * A change needs a proof: it decides where links to new passwords, payments or stored secrets go, whom a provider says that somebody is,
   * or what is asked of the administration's users.
   */
  readonly guarded?: true
}

/** Every setting, in the order in which they are shown. */
export const settingFields = {
  "site.name": { section: "site", kind: "text" },
  "site.notice": { section: "site", kind: "lines" },
  "site.logo": { section: "site", kind: "image" },
  "site.contact": { section: "site", kind: "text" },
  "site.terms": { section: "site", kind: "lines" },
  "server.public_url": { section: "site", kind: "url", guarded: true },
  "seller.name": { section: "seller", kind: "text" },
  "seller.address": { section: "seller", kind: "lines" },
  "seller.tax_id": { section: "seller", kind: "text" },
  "smtp.host": { section: "mail", kind: "host", guarded: true },
  "smtp.port": { section: "mail", kind: "integer", guarded: true },
  "smtp.security": { section: "mail", kind: "choice", options: ["starttls", "tls", "none"], guarded: true },
  "smtp.user": { section: "mail", kind: "text", guarded: true },
  "smtp.password": { section: "mail", kind: "secret", guarded: true },
  "smtp.from": { section: "mail", kind: "email", guarded: true },
  "registration.mode": { section: "registration", kind: "choice", options: ["open", "invite", "closed"] },
  "registration.email_domains": { section: "registration", kind: "list" },
  "security.second_factor": {
    section: "security",
    kind: "choice",
    options: ["optional", "root_and_finance"],
    guarded: true
  },
  "security.keys_per_hour": { section: "security", kind: "integer" },
  "sign_in.oidc.name": { section: "oidc", kind: "text" },
  "sign_in.oidc.issuer": { section: "oidc", kind: "url", guarded: true },
  "sign_in.oidc.client_id": { section: "oidc", kind: "text", guarded: true },
  "sign_in.oidc.client_secret": { section: "oidc", kind: "secret", guarded: true },
  "sign_in.github.client_id": { section: "github", kind: "text", guarded: true },
  "sign_in.github.client_secret": { section: "github", kind: "secret", guarded: true },
  "sign_in.github.url": { section: "github", kind: "url", advanced: true, guarded: true },
  "finance.time_zone": { section: "finance", kind: "zone" },
  "finance.confirm_above_usd": { section: "confirm", kind: "limit" },
  "finance.confirm_above_cny": { section: "confirm", kind: "limit" },
  "billing.enabled": { section: "billing", kind: "flag" },
  "billing.pay_as_you_go": { section: "billing", kind: "flag" },
  "billing.min_topup_cny": { section: "billing", kind: "decimal" },
  "billing.max_topup_cny": { section: "billing", kind: "decimal" },
  "billing.credit_usd_per_cny": { section: "billing", kind: "rate" },
  "billing.topup_presets_cny": { section: "billing", kind: "list" },
  "billing.topup_bonuses": { section: "billing", kind: "list" },
  "billing.multiplier": { section: "billing", kind: "decimal" },
  "billing.default_max_output_tokens": { section: "billing", kind: "integer", advanced: true },
  "billing.reservation_lease_seconds": { section: "billing", kind: "integer", advanced: true },
  "billing.commit_wait_ms": { section: "billing", kind: "integer", advanced: true },
  "billing.extend_wait_ms": { section: "billing", kind: "integer", advanced: true },
  "billing.expired_reservation": { section: "billing", kind: "choice", options: ["refund", "charge"], advanced: true },
  "billing.on_disconnect": { section: "billing", kind: "choice", options: ["cancel", "drain"], advanced: true },
  "billing.drain_seconds": { section: "billing", kind: "integer", advanced: true },
  "billing.drain_max_seconds": { section: "billing", kind: "integer", advanced: true },
  "billing.max_open_holds_per_user": { section: "billing", kind: "integer", advanced: true },
  "limits.key_requests_per_minute": { section: "limits", kind: "integer" },
  "limits.key_tokens_per_minute": { section: "limits", kind: "integer" },
  "limits.key_concurrent_calls": { section: "limits", kind: "integer" },
  "limits.user_requests_per_minute": { section: "limits", kind: "integer" },
  "limits.user_tokens_per_minute": { section: "limits", kind: "integer" },
  "limits.user_concurrent_calls": { section: "limits", kind: "integer" },
  "retention.refused_calls_days": { section: "retention", kind: "integer" },
  "retention.subscription_minutes_days": { section: "retention", kind: "integer" },
  "payment.epay.enabled": { section: "epay", kind: "flag", guarded: true },
  "payment.epay.gateway": { section: "epay", kind: "url", guarded: true },
  "payment.epay.partner_id": { section: "epay", kind: "text", guarded: true },
  "payment.epay.key": { section: "epay", kind: "secret", guarded: true },
  "payment.epay.types": { section: "epay", kind: "list" },
  "payment.epay.bill_columns": { section: "epay", kind: "list", advanced: true },
  "payment.stripe.enabled": { section: "stripe", kind: "flag", guarded: true },
  "payment.stripe.secret_key": { section: "stripe", kind: "secret", guarded: true },
  "payment.stripe.webhook_secret": { section: "stripe", kind: "secret", guarded: true },
  "payment.stripe.currency": { section: "stripe", kind: "text" },
  "payment.stripe.minor_per_fen": { section: "stripe", kind: "rate" },
  "payment.stripe.api_base": { section: "stripe", kind: "url", advanced: true, guarded: true }
} as const satisfies Readonly<Record<string, SettingField>>

export type SettingKey = keyof typeof settingFields

export const isSettingKey = (text: string): text is SettingKey => Object.hasOwn(settingFields, text)

/** In their order. */
export const settingKeys: ReadonlyArray<SettingKey> = Object.keys(settingFields).filter(isSettingKey)

type IntegerKey = { [K in SettingKey]: (typeof settingFields)[K]["kind"] extends "integer" ? K : never }[SettingKey]

const integerBounds: Readonly<Record<IntegerKey, IntegerBounds>> = settingBounds

const isIntegerKey = (key: SettingKey): key is IntegerKey => Object.hasOwn(integerBounds, key)

/** Of a setting that is a whole number. */
export const boundsOf = (key: SettingKey): IntegerBounds | undefined =>
  isIntegerKey(key) ? integerBounds[key] : undefined

export const fieldOf = (key: SettingKey): SettingField => settingFields[key]

/** Whether one of these is guarded. */
export const hasGuarded = (keys: Iterable<SettingKey>): boolean =>
  Array.from(keys).some((key) => fieldOf(key).guarded === true)

/** A text for every setting. */
export type SettingTexts = Readonly<Record<SettingKey, string>>

/** What the settings mean. */
export interface SettingsValues extends Pick<RealmsConfig, keyof typeof settingSections> {
  /** Undefined: it follows host and port. */
  readonly publicUrl: string | undefined
}

/** `shape`: the text is not of its setting's kind. `rule`: it does not go with the others. No message repeats a secret. */
export interface SettingProblem {
  readonly key: SettingKey
  readonly why: "shape" | "rule"
  readonly message: string
}

const isRecord = (value: unknown): value is { [name: string]: unknown } => typeof value === "object" && value !== null

const Sections = section(settingSections)

const sectionNames = Struct.keys(settingSections)

const encodeSections = Schema.encodeSync(Sections)

/** The text at a path of the file. */
const textAt = (document: unknown, path: ReadonlyArray<string>): string => {
  let value = document
  for (const key of path) value = isRecord(value) ? value[key] : undefined
  if (value === undefined) throw new Error(`the configuration has no ${path.join(".")}`)
  return Array.isArray(value) ? value.join(", ") : String(value)
}

/** The text of every setting in these sections. */
const textsOf = (sections: typeof Sections.Type, publicUrl: string): SettingTexts => {
  const document = encodeSections(sections)
  return Record.map(
    settingFields,
    (_, key) => key === "server.public_url" ? publicUrl : textAt(document, key.split("."))
  )
}

/** What the configuration says, as the file would have it. Secrets in clear. */
export const settingTextsOf = (config: RealmsConfig): SettingTexts =>
  textsOf(config, config.server.publicUrlFollows ? "" : config.server.publicUrl)

const itemsOf = (text: string): ReadonlyArray<string> =>
  text.split(",").map((item) => item.trim()).filter((item) => item !== "")

/** The document that the file would have, of these keys alone. */
const documentOf = (texts: SettingTexts, host: string): unknown => {
  const root: { [name: string]: unknown } = { server: { host } }
  for (const key of settingKeys) {
    const path = key.split(".")
    const last = path.pop() ?? ""
    let section = root
    for (const name of path) {
      const found = section[name]
      const next: { [name: string]: unknown } = isRecord(found) ? found : {}
      section[name] = next
      section = next
    }
    section[last] = fieldOf(key).kind === "list" ? itemsOf(texts[key]) : texts[key]
  }
  return root
}

/** The setting that a path of the document belongs to: an item of a list belongs to its list. */
const keyAt = (path: ReadonlyArray<PropertyKey>): SettingKey | undefined => {
  const text = formatPath(path)
  return settingKeys.find((key) => text === key || text.startsWith(`${key}[`))
}

const decode = Schema.decodeUnknownResult(ConfigDocument, { errors: "all" })

let defaults: SettingTexts | undefined

/** What settings are where neither the file nor an administrator says anything. */
export const defaultTexts = (): SettingTexts => defaults ??= textsOf(Result.getOrThrow(decode(withSections({}))), "")

/** Decodes all settings as a whole; fails with everything that is wrong. `host` is what the server listens on. */
export const decodeSettings = (
  texts: SettingTexts,
  host: string
): Result.Result<SettingsValues, ReadonlyArray<SettingProblem>> => {
  const decoded = decode(withSections(documentOf(texts, host)))
  const problems = Result.isFailure(decoded) ? problemsOf(decoded.failure.issue) : checkConfig(decoded.success)
  const why = Result.isFailure(decoded) ? "shape" as const : "rule" as const
  if (Result.isFailure(decoded) || problems.length > 0) {
    return Result.fail(problems.map(({ message, path }) => ({ key: keyAt(path) ?? "site.name", why, message })))
  }
  const document = decoded.success
  return Result.succeed({
    ...Struct.pick(document, sectionNames),
    publicUrl: document.server.publicUrl === "" ? undefined : document.server.publicUrl
  })
}
