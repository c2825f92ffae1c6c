/**
 * What the form of a plan means: its fields parsed, or which of them are wrong.
 */
import { DURATION_DAYS_MAX, MULTIPLIER_MAX } from "../../../../domain/Bounds.ts"
import { FEN_SCALE, formatDecimal, formatUsd, MICROS_SCALE, parseDecimal } from "../../../../domain/Money.ts"
import {
  PLAN_PRICE_CNY_MAX,
  type PlanField,
  type PlanTerms,
  wrongPlanFields
} from "../../../../subscriptions/PlanTerms.ts"
import type { Problems } from "../../Answer.ts"
import { sayOf, type Visit } from "../../Visit.ts"
import { adminPlansText } from "./AdminPlansText.ts"

/** Stands for a text that is no amount: none of a plan is negative. */
const NO_AMOUNT = -1n

/** The terms that the form asks for, or the fields that are wrong. A limit that is left empty is none. */
export const readPlanForm = (fields: URLSearchParams): PlanTerms | ReadonlyArray<PlanField> => {
  const textOf = (name: string) => (fields.get(name) ?? "").trim()
  const amountOf = (text: string, scale: number) => parseDecimal(text, scale) ?? NO_AMOUNT
  const limitOf = (name: string) => amountOf(textOf(name) === "" ? "0" : textOf(name), MICROS_SCALE)
  const days = textOf("duration_days")
  const terms = {
    name: textOf("name"),
    priceFen: amountOf(textOf("price"), FEN_SCALE),
    durationDays: /^\d{1,9}$/.test(days) ? Number(days) : 0,
    limit5hMicros: limitOf("limit_5h"),
    limit1dMicros: limitOf("limit_1d"),
    limit7dMicros: limitOf("limit_7d"),
    limit30dMicros: limitOf("limit_30d"),
    multiplierMicros: amountOf(textOf("multiplier"), MICROS_SCALE)
  }
  const wrong = wrongPlanFields(terms)
  return wrong.length === 0 ? terms : wrong
}

/** Says what is wrong beside each field. */
export const planProblems = (visit: Visit, fields: ReadonlyArray<PlanField>): Problems => {
  const say = sayOf(visit, adminPlansText)
  const { count } = visit.formats
  const textOf = (field: PlanField) => {
    switch (field) {
      case "code":
        return say("code.problem")
      case "name":
        return say("name.problem")
      case "price":
        return say("price.problem", { max: count(PLAN_PRICE_CNY_MAX) })
      case "duration_days":
        return say("duration.problem", { max: count(DURATION_DAYS_MAX) })
      case "multiplier":
        return say("multiplier.problem", { max: count(MULTIPLIER_MAX) })
      default:
        return say("limit.problem")
    }
  }
  return Object.fromEntries(fields.map((field) => [field, textOf(field)]))
}

/** A plan's terms as its form has them. */
export const planFormOf = (terms: PlanTerms): URLSearchParams =>
  new URLSearchParams({
    name: terms.name,
    price: formatDecimal(terms.priceFen, FEN_SCALE, FEN_SCALE),
    duration_days: terms.durationDays.toString(),
    limit_5h: formatUsd(terms.limit5hMicros),
    limit_1d: formatUsd(terms.limit1dMicros),
    limit_7d: formatUsd(terms.limit7dMicros),
    limit_30d: formatUsd(terms.limit30dMicros),
    multiplier: formatDecimal(terms.multiplierMicros, MICROS_SCALE, 0)
  })
