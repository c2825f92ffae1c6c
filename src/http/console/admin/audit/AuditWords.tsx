/**
 * A recorded change in words: what was done to what, and each field with what it was and what it is now. The names of fields and values
 * are those of the forms in which they are changed; what is not known is shown as it was recorded.
 */
import { DateTime, Option } from "effect"
import type { ComponentChildren } from "preact"
import { fieldOf, isSettingKey } from "../../../../config/SettingDocument.ts"
import type { AuditItem, AuditState } from "../../../../platform/AuditTrail.ts"
import { recordedRate } from "../../kit/RateLimits.tsx"
import { type PageContext, sayOf } from "../../PageContext.ts"
import { roleNames } from "../../text/SharedTexts.ts"
import { hasText, sayNamed, type TextKey } from "../../text/Texts.ts"
import { announcementTermsOf } from "../announcements/Announcements.tsx"
import { channelTermsOf } from "../channels/ChannelTexts.ts"
import { factOf } from "../confirmations/ConfirmationParts.tsx"
import { modelTermsOf, pricesOf } from "../models/ModelTexts.ts"
import { planTermsOf } from "../plans/PlanTexts.ts"
import { settingLabel, valueText as settingValue } from "../settings/SettingTexts.ts"

/** What was done, in words; an action that is not known is called as it is. */
export const actionText = (context: PageContext, action: string): string =>
  sayNamed(context.language, "auditAction", action)

const kindOf = (target: string): string => target.split(":", 1)[0] ?? ""

/** What was changed, in words; undefined where there is only one such thing. */
export const targetText = (context: PageContext, target: string): string | undefined => {
  const kind = kindOf(target)
  const id = target.slice(kind.length + 1)
  if (id === "") return undefined
  return hasText("auditTarget", kind)
    ? sayOf(context, "auditTarget")(kind, { id: /^\d+$/.test(id) ? `#${id}` : id })
    : target
}

/** A field in words. Undefined: nothing is known of it here. */
interface Worded {
  readonly label: string
  readonly text: ComponentChildren
}

type Word = (context: PageContext, field: string, value: unknown, state: AuditState) => Worded | undefined

const yesOrNo = (context: PageContext, value: unknown): string =>
  value === true || value === "true" ? context.say("yes") : context.say("no")

const momentText = (context: PageContext, value: unknown): string => {
  const at = typeof value === "string" ? Option.getOrUndefined(DateTime.make(value)) : undefined
  return at === undefined ? sayOf(context, "audit")("expires.never") : context.formats.time(DateTime.toDateUtc(at))
}

const usdText = (context: PageContext, value: unknown): string =>
  typeof value === "string" && /^-?\d{1,20}$/.test(value) ? context.formats.usd(BigInt(value)) : plainText(value)

/** A recorded value as it is: texts, lists, and what leads to what. */
const plainText = (value: unknown): string => {
  if (value === null || value === undefined || value === "") return "–"
  if (typeof value === "string") return value
  if (Array.isArray(value)) return value.length === 0 ? "–" : value.map(plainText).join(", ")
  if (typeof value === "object") {
    return Object.entries(value).map(([name, is]) => `${name}: ${plainText(is)}`).join(", ") || "–"
  }
  return JSON.stringify(value)
}

type Reading = (context: PageContext, value: unknown) => string

const asText: Reading = (_, value) => plainText(value)
const asNumber: Reading = (_, value) => `#${plainText(value)}`

const asRole: Reading = (context, value) => {
  const names: Readonly<Record<string, string>> = roleNames(context)
  return names[String(value)] ?? plainText(value)
}

/** Fields that mean the same wherever they are recorded: what each is called, and how its value is read. */
const commonFields: ReadonlyMap<string, readonly [label: TextKey<"audit">, read: Reading]> = new Map<
  string,
  readonly [TextKey<"audit">, Reading]
>([
  ["note", ["note", asText]],
  ["name", ["name", asText]],
  ["email", ["email", asText]],
  ["code", ["code", asText]],
  ["group_code", ["field.group", asText]],
  ["hint", ["field.hint", (_, value) => plainText(value).includes("…") ? plainText(value) : `…${plainText(value)}`]],
  ["key", ["field.key", asText]],
  ["state", ["state", (_, value) => plainText(value).replaceAll("_", " ")]],
  ["problem", ["field.problem", asText]],
  ["role", ["role", asRole]],
  ["disabled", ["state.disabled", yesOrNo]],
  ["enabled", ["state.enabled", yesOrNo]],
  ["expires_at", ["expires", momentText]],
  ["ends_at", ["field.ends", momentText]],
  ["confirm_before", ["field.before", momentText]],
  ["owed_micros", ["field.owed", usdText]],
  ["balance_micros", ["balance", usdText]],
  ["subscription_id", ["field.subscription", asNumber]],
  ["refund", ["refund", asNumber]],
  ["provider_refund", ["field.provider_refund", asText]],
  ["confirmation", ["field.confirmation", asNumber]],
  ["confirmed_by", ["field.confirmed_by", asText]],
  ["requested_by", ["field.requested_by", asNumber]],
  ["action", ["field.action", asText]],
  ["reset", ["field.reset", asText]]
])

const common: Word = (context, field, value) => {
  const known = commonFields.get(field)
  return known === undefined
    ? undefined
    : { label: sayOf(context, "audit")(known[0]), text: known[1](context, value) }
}

/** Of a setting: its label in the form, and the name of its value. */
const ofSettings: Word = (context, field, value) => {
  if (field === "reset" && Array.isArray(value)) {
    const names = value.map((key: unknown) =>
      typeof key === "string" && isSettingKey(key) ? settingLabel(context, key).label : plainText(key)
    )
    return { label: sayOf(context, "audit")("field.reset"), text: names.join(", ") }
  }
  if (!isSettingKey(field)) return undefined
  const text = typeof value === "string"
    ? settingValue(context, { key: field, kind: fieldOf(field).kind }, value)
    : plainText(value)
  return { label: settingLabel(context, field).label, text }
}

/** Of a model: its terms and its prices, as its form has them. */
const ofModel: Word = (context, field, value) => {
  const { tier, tool, unit } = pricesOf(context)
  if (field === "price_tiers" && Array.isArray(value)) {
    const tiers = value.map((one: unknown) =>
      typeof one === "object" && one !== null
        ? Object.entries(one).flatMap(([column, is]) => {
          const term = tier.recorded(column, is)
          return term === undefined ? [] : [`${term.label}: ${term.text}`]
        }).join(", ")
        : plainText(one)
    )
    return {
      label: sayOf(context, "audit")("field.tiers"),
      text: tiers.length === 0 ? "–" : tiers.map((text) => <div key={text}>{text}</div>)
    }
  }
  return modelTermsOf(context).recorded(field, value) ?? unit.recorded(field, value) ?? tool.recorded(field, value)
}

const ofChannel: Word = (context, field, value) => {
  const say = sayOf(context, "audit")
  if (field === "base_url") return { label: say("field.base_url"), text: plainText(value) }
  if (field === "api_key") return { label: say("apiKeys"), text: plainText(value) }
  if (field === "models") return { label: say("models"), text: plainText(value) }
  return channelTermsOf(context).recorded(field, value)
}

/** Of an announcement: its terms as its form has them, each with the language that is the heading of its group there. */
const ofAnnouncement: Word = (context, field, value) => {
  const say = sayOf(context, "adminAnnouncements")
  const term = announcementTermsOf(context).recorded(field, value)
  const language = field.endsWith("_en") ? say("english") : field.endsWith("_zh") ? say("chinese") : undefined
  return term === undefined || language === undefined ? term : { ...term, label: `${term.label} (${language})` }
}

const ofUser: Word = (context, field, value) =>
  field === "usd_micros"
    ? { label: sayOf(context, "audit")("balance"), text: usdText(context, value) }
    : recordedRate(context, field, value)

const periodName: Reading = (context, value) => {
  const say = sayOf(context, "keys")
  const names: Readonly<Record<string, string>> = {
    total: say("period.total"),
    day: say("period.day"),
    week: say("period.week"),
    month: say("period.month")
  }
  return names[String(value)] ?? plainText(value)
}

/** Of a key for calls: its limits, as its form has them. */
const ofKey: Word = (context, field, value) => {
  const say = sayOf(context, "keys")
  switch (field) {
    case "spend_limit_micros":
      return { label: say("limit"), text: usdText(context, value) }
    case "day_limit_micros":
      return { label: say("limit.inDay"), text: usdText(context, value) }
    case "month_limit_micros":
      return { label: say("limit.inMonth"), text: usdText(context, value) }
    case "spend_limit_period":
      return { label: say("period.limit"), text: periodName(context, value) }
    case "allowed_models":
      return { label: say("models"), text: value === null ? say("models.all") : plainText(value) }
    case "allowed_networks":
      return { label: say("networks"), text: plainText(value) }
    case "paused":
      return { label: say("paused"), text: yesOrNo(context, value) }
    default:
      return recordedRate(context, field, value)
  }
}

const ofWebhook: Word = (context, field, value) => {
  const say = sayOf(context, "notices")
  if (field === "url") return { label: say("webhook.url"), text: plainText(value) }
  return field === "muted" ? { label: sayOf(context, "audit")("field.muted"), text: plainText(value) } : undefined
}

/** Words for the fields that only one kind of target has. */
const words: ReadonlyMap<string, Word> = new Map<string, Word>([
  ["settings", ofSettings],
  ["model", ofModel],
  ["plan", (context, field, value) => planTermsOf(context).recorded(field, value)],
  ["channel", ofChannel],
  ["announcement", ofAnnouncement],
  ["user", ofUser],
  ["key", ofKey],
  ["webhook", ofWebhook]
])

/** Money and references, as somebody who confirms them reads them. */
const ofMoney: Word = (context, field, value, state) => {
  const facts = Object.fromEntries(
    Object.entries(state).flatMap(([name, is]) => typeof is === "object" ? [] : [[name, String(is)]])
  )
  return typeof value === "object" ? undefined : factOf(context, field, String(value), facts)
}

/** Settings that are saved without a reset are recorded with an empty list, which says nothing. */
const isEmptyReset = (field: string, value: unknown): boolean =>
  field === "reset" && Array.isArray(value) && value.length === 0

/** A field of a change: what it was and what it is now; undefined where it was not recorded. */
export interface ChangedField {
  readonly field: string
  readonly label: string
  readonly was: ComponentChildren
  readonly is: ComponentChildren
}

export const changedFields = (
  context: PageContext,
  { after, before, target }: Pick<AuditItem, "after" | "before" | "target">
): ReadonlyArray<ChangedField> => {
  const own = words.get(kindOf(target))
  const wordOf = (field: string, state: AuditState | null): Worded | undefined => {
    if (state === null || !(field in state)) return undefined
    const value = state[field]
    const word = own?.(context, field, value, state) ?? common(context, field, value, state) ??
      ofMoney(context, field, value, state) ?? { label: field, text: plainText(value) }
    return { ...word, text: word.text === "" ? "–" : word.text }
  }
  const fields = Object.keys({ ...before, ...after }).filter((field) => !isEmptyReset(field, after?.[field]))
  return fields.map((field) => {
    const [was, is] = [wordOf(field, before), wordOf(field, after)]
    return { field, label: is?.label ?? was?.label ?? field, was: was?.text, is: is?.text }
  })
}
