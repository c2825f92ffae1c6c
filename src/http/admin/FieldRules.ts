/**
 * What is said to programs of groups, plans and announcements whose fields are out of bounds: the rule of each field, under its name.
 */
import { Effect } from "effect"
import type { GroupRefused } from "../../catalog/GroupError.ts"
import { type AnnouncementField, announcementTerms } from "../../domain/Announcement.ts"
import { MULTIPLIER_MAX } from "../../domain/Bounds.ts"
import { type PlanField, planOffer } from "../../domain/Plan.ts"
import { columnOf } from "../../domain/Row.ts"
import { type GroupField, groupTerms } from "../../domain/UserGroup.ts"
import type { AnnouncementRefused } from "../../settings/AnnouncementAdmin.ts"
import { ANNOUNCEMENTS_MAX } from "../../settings/Announcements.ts"
import type { PlanRefused } from "../../subscriptions/PlanError.ts"
import { ApiRefused } from "./ApiError.ts"
import { rangeText } from "./TermsApi.ts"

const refuseFields = <Field extends string>(
  message: string,
  fields: ReadonlyArray<Field>,
  ruleOf: (field: Field) => string
) =>
  Effect.fail(
    new ApiRefused({ message, problems: Object.fromEntries(fields.map((field) => [columnOf(field), ruleOf(field)])) })
  )

const codeRule = "has 1 to 40 of a-z, 0-9 and -"

const multiplierRule = `is from 0 to ${MULTIPLIER_MAX} times 1000000`

const groupRule = (field: GroupField): string => {
  if (field === "code") return codeRule
  return field === "multiplierMicros" ? multiplierRule : rangeText(groupTerms.fields[field].kind)
}

export const refuseGroup = ({ fields }: GroupRefused) =>
  refuseFields("The group has values that are out of bounds.", fields, groupRule)

const planRule = (field: PlanField): string => {
  if (field === "code") return codeRule
  if (field === "groupCode") return "is the code of a group that is not disabled, or null"
  return field === "multiplierMicros" ? multiplierRule : rangeText(planOffer.fields[field].kind)
}

export const refusePlan = ({ fields }: PlanRefused) =>
  refuseFields("The plan is not what can be sold.", fields, planRule)

const announcementRule = (field: AnnouncementField): string => {
  const range = rangeText(announcementTerms.fields[field].kind)
  if (field === "endsOn") return `${range}, not before starts_on`
  return field === "titleEn" || field === "titleZh" ? `${range}; one language has a title` : range
}

export const refuseAnnouncement = ({ fields }: AnnouncementRefused) =>
  refuseFields(
    fields.length === 0
      ? `At most ${ANNOUNCEMENTS_MAX} announcements are enabled and not over: disable one first.`
      : "The announcement is not what can be shown.",
    fields,
    announcementRule
  )
