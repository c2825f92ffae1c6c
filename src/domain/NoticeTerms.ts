/**
 * When a user wants to be told of the balance and of a plan's end.
 */
import { integer, microsOrNull } from "./Fields.ts"
import { model, type ValueOf } from "./Model.ts"
import { MICROS_PER_USD } from "./Money.ts"

/** A threshold of the balance is at most so many USD micros. */
const LOW_BALANCE_MICROS_MAX = 1_000_000n * MICROS_PER_USD

/** Plans that end within more days are not told of. */
export const PLAN_ENDING_DAYS_MAX = 14

export const noticeTerms = model({
  /** Null: it is not told. */
  lowBalanceMicros: microsOrNull({ max: LOW_BALANCE_MICROS_MAX }),
  planEndingDays: integer({ min: 1, max: PLAN_ENDING_DAYS_MAX, otherwise: 3 })
})
export interface NoticeTerms extends ValueOf<typeof noticeTerms.fields> {}
