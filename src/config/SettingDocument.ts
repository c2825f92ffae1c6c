/**
 * The part of the configuration that an administrator may change while servers run, key by key under the names of the file, as
 * the texts that the file could have. It is decoded by the very schema and rules of the file, so that a value is right or wrong
 * in both places alike.
 */
import { Record, Redacted, Result, Schema } from "effect"
import { FEN_SCALE, formatDecimal, MICROS_SCALE } from "../domain/Money.ts"
import { checkConfig } from "./ConfigChecks.ts"
import { billingOf, financeOf, paymentOf } from "./ConfigLoad.ts"
import { formatPath, problemsOf } from "./ConfigProblem.ts"
import { ConfigDocument, withSections } from "./ConfigSchema.ts"
import type { RealmsConfig, SiteConfig } from "./RealmsConfig.ts"

/** What kind of text a setting takes. A list's items are separated by commas; a limit is a decimal, or empty for none. */
export type SettingKind =
  | "zone"
  | "flag"
  | "integer"
  | "decimal"
  | "limit"
  | "rate"
  | "choice"
  | "text"
  | "url"
  | "list"
  | "secret"

export interface SettingField {
  readonly section: "site" | "registration" | "finance" | "confirm" | "billing" | "epay" | "stripe"
  readonly kind: SettingKind
  /** Of a choice. */
  readonly options?: ReadonlyArray<string>
  /** What the configuration says. A secret is in clear here: it goes nowhere but into {@link decodeSettings}. */
  readonly of: (config: RealmsConfig) => string
}

const fen = (value: bigint) => formatDecimal(value, FEN_SCALE, FEN_SCALE)
const micros = (value: bigint) => formatDecimal(value, MICROS_SCALE, 0)

/** Every setting, in the order in which they are shown. */
export const settingFields = {
  "site.name": { section: "site", kind: "text", of: ({ site }) => site.name },
  "site.notice": { section: "site", kind: "text", of: ({ site }) => site.notice },
  "server.public_url": {
    section: "site",
    kind: "url",
    of: ({ server }) => server.publicUrlFollows ? "" : server.publicUrl
  },
  "registration.mode": {
    section: "registration",
    kind: "choice",
    options: ["open", "closed"],
    of: ({ registration }) => registration.mode
  },
  "finance.time_zone": { section: "finance", kind: "zone", of: ({ finance }) => finance.timeZone },
  "finance.confirm_above_usd": {
    section: "confirm",
    kind: "limit",
    of: ({ finance }) => finance.confirmAboveMicros === null ? "" : micros(finance.confirmAboveMicros)
  },
  "finance.confirm_above_cny": {
    section: "confirm",
    kind: "limit",
    of: ({ finance }) => finance.confirmAboveFen === null ? "" : fen(finance.confirmAboveFen)
  },
  "billing.enabled": { section: "billing", kind: "flag", of: ({ billing }) => String(billing.enabled) },
  "billing.pay_as_you_go": { section: "billing", kind: "flag", of: ({ billing }) => String(billing.payAsYouGo) },
  "billing.min_topup_cny": { section: "billing", kind: "decimal", of: ({ billing }) => fen(billing.minTopupFen) },
  "billing.max_topup_cny": { section: "billing", kind: "decimal", of: ({ billing }) => fen(billing.maxTopupFen) },
  "billing.credit_usd_per_cny": { section: "billing", kind: "rate", of: ({ billing }) => billing.creditUsdPerCny },
  "billing.multiplier": { section: "billing", kind: "decimal", of: ({ billing }) => micros(billing.multiplierMicros) },
  "billing.default_max_output_tokens": {
    section: "billing",
    kind: "integer",
    of: ({ billing }) => String(billing.defaultMaxOutputTokens)
  },
  "billing.reservation_lease_seconds": {
    section: "billing",
    kind: "integer",
    of: ({ billing }) => String(billing.reservationLeaseSeconds)
  },
  "billing.commit_wait_ms": { section: "billing", kind: "integer", of: ({ billing }) => String(billing.commitWaitMs) },
  "billing.extend_wait_ms": { section: "billing", kind: "integer", of: ({ billing }) => String(billing.extendWaitMs) },
  "billing.expired_reservation": {
    section: "billing",
    kind: "choice",
    options: ["refund", "charge"],
    of: ({ billing }) => billing.expiredReservation
  },
  "billing.on_disconnect": {
    section: "billing",
    kind: "choice",
    options: ["cancel", "drain"],
    of: ({ billing }) => billing.onDisconnect
  },
  "billing.drain_seconds": { section: "billing", kind: "integer", of: ({ billing }) => String(billing.drainSeconds) },
  "billing.drain_max_seconds": {
    section: "billing",
    kind: "integer",
    of: ({ billing }) => String(billing.drainMaxSeconds)
  },
  "billing.max_open_holds_per_user": {
    section: "billing",
    kind: "integer",
    of: ({ billing }) => String(billing.maxOpenHoldsPerUser)
  },
  "payment.epay.enabled": { section: "epay", kind: "flag", of: ({ payment }) => String(payment.epay.enabled) },
  "payment.epay.gateway": { section: "epay", kind: "url", of: ({ payment }) => payment.epay.gateway },
  "payment.epay.partner_id": { section: "epay", kind: "text", of: ({ payment }) => payment.epay.partnerId },
  "payment.epay.key": { section: "epay", kind: "secret", of: ({ payment }) => Redacted.value(payment.epay.key) },
  "payment.epay.types": { section: "epay", kind: "list", of: ({ payment }) => payment.epay.types.join(", ") },
  "payment.epay.bill_columns": {
    section: "epay",
    kind: "list",
    of: ({ payment }) => payment.epay.billColumns.join(", ")
  },
  "payment.stripe.enabled": { section: "stripe", kind: "flag", of: ({ payment }) => String(payment.stripe.enabled) },
  "payment.stripe.secret_key": {
    section: "stripe",
    kind: "secret",
    of: ({ payment }) => Redacted.value(payment.stripe.secretKey)
  },
  "payment.stripe.webhook_secret": {
    section: "stripe",
    kind: "secret",
    of: ({ payment }) => Redacted.value(payment.stripe.webhookSecret)
  },
  "payment.stripe.currency": { section: "stripe", kind: "text", of: ({ payment }) => payment.stripe.currency },
  "payment.stripe.minor_per_fen": { section: "stripe", kind: "rate", of: ({ payment }) => payment.stripe.minorPerFen },
  "payment.stripe.api_base": { section: "stripe", kind: "url", of: ({ payment }) => payment.stripe.apiBase }
} as const satisfies Readonly<Record<string, SettingField>>

export type SettingKey = keyof typeof settingFields

export const isSettingKey = (text: string): text is SettingKey => Object.hasOwn(settingFields, text)

/** In their order. */
export const settingKeys: ReadonlyArray<SettingKey> = Object.keys(settingFields).filter(isSettingKey)

export const fieldOf = (key: SettingKey): SettingField => settingFields[key]

/** A text for every setting. */
export type SettingTexts = Readonly<Record<SettingKey, string>>

/** What the settings mean. */
export interface SettingsValues {
  readonly billing: RealmsConfig["billing"]
  readonly payment: RealmsConfig["payment"]
  readonly registration: RealmsConfig["registration"]
  readonly finance: RealmsConfig["finance"]
  readonly site: SiteConfig
  /** Undefined: it follows host and port. */
  readonly publicUrl: string | undefined
}

/** `shape`: the text is not of its setting's kind. `rule`: it does not go with the others. No message repeats a secret. */
export interface SettingProblem {
  readonly key: SettingKey
  readonly why: "shape" | "rule"
  readonly message: string
}

/** What the configuration says. Secrets in clear. */
export const settingTextsOf = (config: RealmsConfig): SettingTexts =>
  Record.map(settingFields, (field: SettingField) => field.of(config))

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

const isRecord = (value: unknown): value is { [name: string]: unknown } => typeof value === "object" && value !== null

/** The setting that a path of the document belongs to: an item of a list belongs to its list. */
const keyAt = (path: ReadonlyArray<PropertyKey>): SettingKey | undefined => {
  const text = formatPath(path)
  return settingKeys.find((key) => text === key || text.startsWith(`${key}[`))
}

const decode = Schema.decodeUnknownResult(ConfigDocument, { errors: "all" })

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
    billing: billingOf(document),
    payment: paymentOf(document),
    registration: document.registration,
    finance: financeOf(document),
    site: document.site,
    publicUrl: document.server.public_url === "" ? undefined : document.server.public_url
  })
}
