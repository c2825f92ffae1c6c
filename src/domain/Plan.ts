/**
 * A plan: what users can subscribe to. Each term is described here once, with its bounds; rows, the API, config.yaml, forms and
 * the audit log follow.
 */
import { Record, Schema } from "effect"
import { MULTIPLIER_MAX } from "./Bounds.ts"
import { codeOrNull } from "./Code.ts"
import { factor, fen, IdJson, integer, micros, text } from "./Fields.ts"
import { model, type ValueOf } from "./Model.ts"
import { AMOUNT_MAX, FEN_PER_CNY } from "./Money.ts"
import { MULTIPLIER_ONE } from "./Price.ts"
import { Json } from "./Row.ts"

/** The most that calls may cost within a window of time; 0 means no limit. */
const limit = () => micros({ max: AMOUNT_MAX, otherwise: 0n, mayBeEmpty: true })

export const planTerms = model({
  name: text({
    pattern: /^(?=.*\S)[^\p{Cc}\p{Cs}]{1,100}$/u,
    charactersMax: 100,
    expected: "a text of 1 to 100 characters on one line"
  }),
  /** 0: it cannot be bought, only be given. */
  priceFen: fen({ max: 1_000_000n * FEN_PER_CNY }),
  /** At most a hundred years. */
  durationDays: integer({ min: 1, max: 36_500 }),
  limit5hMicros: limit(),
  limit1dMicros: limit(),
  limit7dMicros: limit(),
  limit30dMicros: limit(),
  /** Scaled by 10^6: what calls cost is multiplied with it. */
  multiplierMicros: factor({ max: MULTIPLIER_MAX * MULTIPLIER_ONE, otherwise: MULTIPLIER_ONE, key: "multiplier" }),
  /** The group whose prices its calls have; null: it sets none. */
  groupCode: codeOrNull({ key: "group" })
})
export interface PlanTerms extends ValueOf<typeof planTerms.fields> {}

/** Terms as somebody who confirms them reads them. */
export const planTexts = (terms: PlanTerms): Readonly<Record<string, string | number>> => {
  const { name, ...others } = planTerms.toRow(terms)
  const texts = Record.map(
    Record.filter(others, (value) => value !== null),
    (value) => typeof value === "bigint" ? String(value) : value
  )
  return { plan: String(name), ...texts }
}

/** What may be wrong with a plan that somebody wants to make. */
export const planFields = ["code", ...planTerms.names] as const
export type PlanField = typeof planFields[number]

/** What somebody buys or is given: the terms that the plan had then. JSON in orders and in batches of codes. */
export const SoldPlan = Json({ planId: IdJson, code: Schema.String, ...planTerms.json })
export interface SoldPlan extends Schema.Schema.Type<typeof SoldPlan> {}
