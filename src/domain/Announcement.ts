/**
 * An announcement: what root tells all users for some days, in one language or in both. Each term is described here once; rows, the
 * API, the form and the audit log follow.
 */
import { day, optionalDay, optionalText } from "./Fields.ts"
import { model, type ValueOf } from "./Model.ts"

const TITLE_CHARACTERS_MAX = 120
const TEXT_CHARACTERS_MAX = 2_000
const TEXT_LINES = 5

const title = () => optionalText({ charactersMax: TITLE_CHARACTERS_MAX })
const text = () => optionalText({ charactersMax: TEXT_CHARACTERS_MAX, lines: TEXT_LINES })

/** Days are those of the books' time zone; both of them belong to the announcement. */
export const announcementTerms = model({
  startsOn: day({}),
  /** Empty: until it is disabled. */
  endsOn: optionalDay(),
  titleEn: title(),
  textEn: text(),
  titleZh: title(),
  textZh: text()
})
export interface AnnouncementTerms extends ValueOf<typeof announcementTerms.fields> {}
export type AnnouncementField = keyof typeof announcementTerms.fields

/** The fields that are out of bounds, or that do not go with the others: it has a title in some language, and ends after it begins. */
export const wrongAnnouncement = (terms: AnnouncementTerms): ReadonlyArray<AnnouncementField> => {
  const wrong = announcementTerms.wrong(terms)
  return [
    ...wrong,
    ...terms.titleEn === "" && terms.titleZh === "" ? ["titleEn" as const, "titleZh" as const] : [],
    // Days as text are in their order.
    ...wrong.length === 0 && terms.endsOn !== "" && terms.endsOn < terms.startsOn ? ["endsOn" as const] : []
  ]
}

/** What a reader of a language is told: in the other language where there is no title in this one. */
export const announcementIn = (
  { textEn, textZh, titleEn, titleZh }: AnnouncementTerms,
  language: "en" | "zh"
): { readonly title: string; readonly text: string } => {
  const english = { title: titleEn, text: textEn }
  const chinese = { title: titleZh, text: textZh }
  const [own, other] = language === "zh" ? [chinese, english] : [english, chinese]
  return own.title === "" ? other : own
}

export type AnnouncementState = "coming" | "running" | "over"

/** What it is on a day. */
export const announcementState = (
  { endsOn, startsOn }: Pick<AnnouncementTerms, "startsOn" | "endsOn">,
  today: string
): AnnouncementState => startsOn > today ? "coming" : endsOn !== "" && endsOn < today ? "over" : "running"
