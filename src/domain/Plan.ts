/**
 * A plan: what users can subscribe to. Each term is described here once, with its bounds; rows, the API, config.yaml, forms and
 * the audit log follow.
 */
import { Record, Schema } from "effect"
import { DURATION_DAYS_MAX, MULTIPLIER_MAX, PLAN_NAME_CHARACTERS_MAX, PLAN_PRICE_CNY_MAX } from "./Bounds.ts"
import { factor, fen, IdJson, integer, micros, text } from "./Fields.ts"
import { model, type ValueOf } from "./Model.ts"
import { AMOUNT_MAX, FEN_PER_CNY } from "./Money.ts"
import { MULTIPLIER_ONE } from "./Price.ts"
import { Json } from "./Row.ts"

/** The most that calls may cost within a window of time; 0 means no limit. */
const limit = () => micros({ max: AMOUNT_MAX, otherwise: 0n, mayBeEmpty: true })

export const planTerms = model({
  name: text({
    pattern: new RegExp(`^(?=.*\\S)[^\\p{Cc}\\p{Cs}]{1,${PLAN_NAME_CHARACTERS_MAX}}$`, "u"),
    charactersMax: PLAN_NAME_CHARACTERS_MAX,
    expected: `a text of 1 to ${PLAN_NAME_CHARACTERS_MAX} characters on one line`
  }),
  /** 0: it cannot be bought, only be given. */
  priceFen: fen({ max: PLAN_PRICE_CNY_MAX * FEN_PER_CNY }),
  durationDays: integer({ min: 1, max: DURATION_DAYS_MAX }),
  limit5hMicros: limit(),
  limit1dMicros: limit(),
  limit7dMicros: limit(),
  limit30dMicros: limit(),
  /** Scaled by 10^6: what calls cost is multiplied with it. */
  multiplierMicros: factor({ max: MULTIPLIER_MAX * MULTIPLIER_ONE, otherwise: MULTIPLIER_ONE, key: "multiplier" })
})
export interface PlanTerms extends ValueOf<typeof planTerms.fields> {}

/** Terms as somebody who confirms them reads them. */
export const planTexts = (terms: PlanTerms): Readonly<Record<string, string | number>> => {
  const { name, ...others } = planTerms.toRow(terms)
  return { plan: String(name), ...Record.map(others, (value) => typeof value === "bigint" ? String(value) : value) }
}

/** A plan is named by its code in files, orders and the API. It never changes. */
const codePattern = /^[a-z0-9-]{1,40}$/

export const isPlanCode = (code: string): boolean => codePattern.test(code)

/** What may be wrong with a plan that somebody wants to make. */
export const planFields = ["code", ...planTerms.names] as const
export type PlanField = typeof planFields[number]

/** What somebody buys or is given: the terms that the plan had then. JSON in orders and in batches of codes. */
export const SoldPlan = Json({ planId: IdJson, code: Schema.String, ...planTerms.json })
export interface SoldPlan extends Schema.Schema.Type<typeof SoldPlan> {}
