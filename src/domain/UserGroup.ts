/**
 * A group of users with its prices: what their calls cost is multiplied with the group's multiplier. A user has the group that an
 * administrator set, else that of the plan that pays, else that of the last redeemed code that had one.
 */
import { MULTIPLIER_MAX } from "./Bounds.ts"
import { factor, text } from "./Fields.ts"
import { model, type ValueOf } from "./Model.ts"
import { MULTIPLIER_ONE } from "./Price.ts"

export const groupTerms = model({
  name: text({
    pattern: /^(?=.*\S)[^\p{Cc}\p{Cs}]{1,100}$/u,
    charactersMax: 100,
    expected: "a text of 1 to 100 characters on one line"
  }),
  /** Scaled by 10^6: what calls cost is multiplied with it. */
  multiplierMicros: factor({ max: MULTIPLIER_MAX * MULTIPLIER_ONE, otherwise: MULTIPLIER_ONE, key: "multiplier" })
})
export interface GroupTerms extends ValueOf<typeof groupTerms.fields> {}

/** What may be wrong with a group that somebody wants to make. */
export const groupFields = ["code", ...groupTerms.names] as const
export type GroupField = typeof groupFields[number]
