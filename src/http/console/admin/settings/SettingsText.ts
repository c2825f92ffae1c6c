/**
 * The texts of the settings as a whole; each setting's own are in `SettingLabels.ts`.
 */

export const sections = ["site", "registration", "finance", "confirm", "billing", "epay", "stripe"] as const
export type Section = typeof sections[number]

export const isSection = (text: string): text is Section => sections.some((section) => section === text)
