/**
 * What each setting is called, what it is for, how it is asked for, and what is wrong with it when it is refused.
 */
import {
  boundsOf,
  fieldOf,
  type SettingField,
  settingFields,
  type SettingKey
} from "../../../../config/SettingDocument.ts"
import type { SettingView } from "../../../../settings/SettingsAdmin.ts"
import type { InputEntry } from "../../kit/Inputs.tsx"
import { type PageContext, sayOf } from "../../PageContext.ts"
import { hasText } from "../../text/Texts.ts"

type Reader = Pick<PageContext, "language">

export type Section = SettingField["section"]

/** In the order in which they are shown. */
export const sections: ReadonlyArray<Section> = [
  ...new Set(Object.values<SettingField>(settingFields).map(({ section }) => section))
]

export const sectionTitle = (context: Reader, section: Section): string =>
  sayOf(context, "settings")(`section.${section}`)

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
    case "smtp.security":
      return { starttls: say("smtp.starttls"), tls: say("smtp.tls"), none: say("smtp.none") }
    case "registration.mode":
      return { open: say("registration.open"), invite: say("registration.invite"), closed: say("registration.closed") }
    case "security.second_factor":
      return { optional: say("secondFactor.optional"), root_and_finance: say("secondFactor.rootAndFinance") }
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

/** The key of a setting is the key of its label; the key with `.hint` is that of its hint, where it has one. */
export const settingLabel = (context: Reader, key: SettingKey): SettingLabel => {
  const say = sayOf(context, "setting")
  const hint = `${key}.hint`
  return hasText("setting", hint) ? { label: say(key), hint: say(hint) } : { label: say(key) }
}

/** What is wrong with a setting, in the visitor's language. */
export const problemText = (
  context: Pick<PageContext, "formats" | "language">,
  key: SettingKey,
  why: "shape" | "rule" | "incomplete"
): string => {
  const say = sayOf(context, "setting")
  if (why === "incomplete") return say("problem.needed")
  if (key === "billing.topup_presets_cny") return say("problem.presets")
  if (key === "registration.email_domains") return say("problem.domains")
  if (key === "billing.topup_bonuses") return say("problem.bonuses")
  if (why === "rule") {
    if (key === "smtp.from") return say("problem.from")
    if (key === "smtp.security") return say("problem.clear")
    if (key === "payment.epay.enabled" || key === "payment.stripe.enabled") return say("problem.loopback")
    if (key === "payment.epay.gateway") return say("problem.gateway")
    if (fieldOf(key).kind === "limit") return say("problem.alone")
    if (fieldOf(key).kind === "url" || key === "smtp.host") return say("problem.address")
    if (key === "billing.min_topup_cny") return say("problem.min")
    return key === "billing.max_topup_cny" ? say("problem.max") : say("problem.rule")
  }
  const bounds = boundsOf(key)
  if (bounds !== undefined) {
    const { count } = context.formats
    const range = { min: count(bounds.min), max: count(bounds.max) }
    return bounds.orZero === true ? say("problem.integer.zero", range) : say("problem.integer", range)
  }
  const { kind } = fieldOf(key)
  return say(`problem.${kind === "lines" ? "text" : kind}`)
}
