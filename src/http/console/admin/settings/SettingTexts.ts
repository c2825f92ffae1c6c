/**
 * What each setting is called, what it is for, how it is asked for, and what is wrong with it when it is refused.
 */
import { fieldOf, type SettingField, settingFields, type SettingKey } from "../../../../config/SettingDocument.ts"
import type { SettingView } from "../../../../settings/SettingsAdmin.ts"
import type { InputEntry } from "../../kit/Inputs.tsx"
import { type PageContext, sayOf } from "../../PageContext.ts"

type Reader = Pick<PageContext, "language">

export type Section = SettingField["section"]

/** In the order in which they are shown. */
export const sections: ReadonlyArray<Section> = [
  ...new Set(Object.values<SettingField>(settingFields).map(({ section }) => section))
]

export const sectionTitles = (context: Reader): Readonly<Record<Section, string>> => {
  const say = sayOf(context, "settings")
  return {
    site: say("section.site"),
    seller: say("section.seller"),
    registration: say("section.registration"),
    finance: say("section.finance"),
    confirm: say("section.confirm"),
    billing: say("section.billing"),
    epay: say("section.epay"),
    stripe: say("section.stripe")
  }
}

export interface SettingLabel {
  readonly label: string
  readonly hint?: string
}

/** The names of the values that a setting may have, where there are few. */
const valueNames = (
  context: Reader,
  { key, kind }: Pick<SettingView, "key" | "kind">
): Readonly<Record<string, string>> => {
  const say = sayOf(context, "setting")
  if (kind === "flag") return { true: say("yes"), false: say("no") }
  switch (key) {
    case "registration.mode":
      return { open: say("registration.open"), closed: say("registration.closed") }
    case "billing.expired_reservation":
      return { refund: say("expired.refund"), charge: say("expired.charge") }
    case "billing.on_disconnect":
      return { cancel: say("cancel"), drain: say("disconnect.drain") }
    default:
      return {}
  }
}

/** Longer values are cut where they are only mentioned, in characters. */
const MENTIONED_MAX = 100

/** A value of a setting, in words. */
export const valueText = (context: Reader, setting: Pick<SettingView, "key" | "kind">, text: string): string => {
  const say = sayOf(context, "settings")
  if (text === "") return say("empty")
  if (setting.kind === "image") return say("image")
  const known = valueNames(context, setting)[text] ?? text
  return known.length > MENTIONED_MAX ? `${known.slice(0, MENTIONED_MAX).toWellFormed()}…` : known
}

/** A switch or a choice where there are few answers, a secret that is never shown, else a text. */
export const settingInput = (context: Reader, setting: SettingView, label: SettingLabel): InputEntry => {
  const { isSet, key, kind, options, text } = setting
  const input = { ...label, name: key, initial: text }
  switch (kind) {
    case "flag":
      return { ...input, is: "switch" }
    case "choice":
      return { ...input, is: "select", options: options.map((value) => [value, valueText(context, setting, value)]) }
    case "lines":
      return { ...input, is: "lines", rows: key === "site.terms" ? 10 : 3 }
    case "image":
      return { ...label, name: key, is: "file", accept: "image/png,image/jpeg,image/webp" }
    case "secret":
      return { ...input, is: "secret", placeholder: isSet ? sayOf(context, "settings")("secret.keep") : "" }
    case "integer":
      return { ...input, is: "integer" }
    case "decimal":
    case "limit":
    case "rate":
      return { ...input, is: "decimal" }
    default:
      return input
  }
}

/** Written out, so that each text is found as used. */
export const settingLabels = (context: Reader): Readonly<Record<SettingKey, SettingLabel>> => {
  const say = sayOf(context, "setting")
  return {
    "site.name": { label: say("site.name"), hint: say("site.name.hint") },
    "site.notice": { label: say("site.notice"), hint: say("site.notice.hint") },
    "site.logo": { label: say("site.logo"), hint: say("site.logo.hint") },
    "site.contact": { label: say("site.contact"), hint: say("site.contact.hint") },
    "site.terms": { label: say("site.terms"), hint: say("site.terms.hint") },
    "server.public_url": { label: say("public_url"), hint: say("public_url.hint") },
    "seller.name": { label: say("seller.name"), hint: say("seller.name.hint") },
    "seller.address": { label: say("seller.address") },
    "seller.tax_id": { label: say("taxId") },
    "registration.mode": { label: say("registration"), hint: say("registration.hint") },
    "finance.time_zone": { label: say("zone"), hint: say("zone.hint") },
    "finance.confirm_above_usd": { label: say("confirm_usd"), hint: say("confirm_usd.hint") },
    "finance.confirm_above_cny": { label: say("confirm_cny"), hint: say("confirm_cny.hint") },
    "billing.enabled": { label: say("enabled"), hint: say("enabled.hint") },
    "billing.pay_as_you_go": { label: say("payg"), hint: say("payg.hint") },
    "billing.min_topup_cny": { label: say("min") },
    "billing.max_topup_cny": { label: say("max") },
    "billing.credit_usd_per_cny": { label: say("rate"), hint: say("rate.hint") },
    "billing.topup_presets_cny": { label: say("presets"), hint: say("presets.hint") },
    "billing.topup_bonuses": { label: say("bonuses"), hint: say("bonuses.hint") },
    "billing.multiplier": { label: say("multiplier"), hint: say("multiplier.hint") },
    "billing.default_max_output_tokens": { label: say("output"), hint: say("output.hint") },
    "billing.reservation_lease_seconds": { label: say("lease"), hint: say("lease.hint") },
    "billing.commit_wait_ms": { label: say("commit"), hint: say("commit.hint") },
    "billing.extend_wait_ms": { label: say("extend"), hint: say("extend.hint") },
    "billing.expired_reservation": { label: say("expired"), hint: say("expired.hint") },
    "billing.on_disconnect": { label: say("disconnect"), hint: say("disconnect.hint") },
    "billing.drain_seconds": { label: say("drain"), hint: say("drain.hint") },
    "billing.drain_max_seconds": { label: say("drain_max"), hint: say("drain_max.hint") },
    "billing.max_open_holds_per_user": { label: say("holds"), hint: say("holds.hint") },
    "payment.epay.enabled": { label: say("epay") },
    "payment.epay.gateway": { label: say("gateway"), hint: say("gateway.hint") },
    "payment.epay.partner_id": { label: say("partner") },
    "payment.epay.key": { label: say("key") },
    "payment.epay.types": { label: say("types"), hint: say("types.hint") },
    "payment.epay.bill_columns": { label: say("bill_columns"), hint: say("bill_columns.hint") },
    "payment.stripe.enabled": { label: say("stripe") },
    "payment.stripe.secret_key": { label: say("secret_key") },
    "payment.stripe.webhook_secret": { label: say("webhook_secret"), hint: say("webhook_secret.hint") },
    "payment.stripe.currency": { label: say("currency"), hint: say("currency.hint") },
    "payment.stripe.minor_per_fen": { label: say("minor"), hint: say("minor.hint") },
    "payment.stripe.api_base": { label: say("api_base"), hint: say("api_base.hint") }
  }
}

/** What is wrong with a setting, in the visitor's language. */
export const problemText = (context: Reader, key: SettingKey, why: "shape" | "rule" | "incomplete"): string => {
  const say = sayOf(context, "setting")
  if (why === "incomplete") return say("problem.needed")
  if (key === "billing.topup_presets_cny") return say("problem.presets")
  if (key === "billing.topup_bonuses") return say("problem.bonuses")
  if (why === "rule") {
    if (key === "payment.epay.enabled" || key === "payment.stripe.enabled") return say("problem.loopback")
    if (key === "payment.epay.gateway") return say("problem.gateway")
    if (fieldOf(key).kind === "limit") return say("problem.alone")
    if (fieldOf(key).kind === "url") return say("problem.address")
    if (key === "billing.min_topup_cny") return say("problem.min")
    return key === "billing.max_topup_cny" ? say("problem.max") : say("problem.rule")
  }
  return {
    flag: say("problem.flag"),
    integer: say("problem.integer"),
    decimal: say("problem.decimal"),
    limit: say("problem.limit"),
    rate: say("problem.rate"),
    choice: say("problem.choice"),
    zone: say("problem.zone"),
    text: say("problem.text"),
    lines: say("problem.text"),
    image: say("problem.image"),
    url: say("problem.url"),
    list: say("problem.list"),
    secret: say("problem.secret")
  }[fieldOf(key).kind]
}
