/**
 * The sections of the settings, and what a test of a payment provider came to. The labels and hints of
 * settings are in `SettingLabels.ts`.
 */
import { type PageContext, sayOf } from "../../PageContext.ts"

export const sections = ["site", "registration", "finance", "confirm", "billing", "epay", "stripe"] as const
export type Section = typeof sections[number]

export const sectionTitles = (context: PageContext): Readonly<Record<Section, string>> => {
  const say = sayOf(context, "settings")
  return {
    site: say("section.site"),
    registration: say("section.registration"),
    finance: say("section.finance"),
    confirm: say("section.confirm"),
    billing: say("section.billing"),
    epay: say("section.epay"),
    stripe: say("section.stripe")
  }
}

/** How a test went, with what the provider said where it did not go well. */
export interface ConnectionResult {
  readonly provider: "epay" | "stripe"
  readonly outcome: "ok" | "unset" | "refused" | "unavailable"
  readonly why?: string
}

export const connectionText = (context: PageContext, { outcome, why = "" }: ConnectionResult): string => {
  const say = sayOf(context, "settings")
  return {
    ok: say("test.ok"),
    unset: say("test.unset"),
    refused: say("test.refused", { why }),
    unavailable: say("test.unavailable", { why })
  }[outcome]
}
