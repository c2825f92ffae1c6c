/**
 * The buyer on the receipts of a user's orders, besides the e-mail address: a company and its tax id, both of which may be left out.
 */
import { optionalText } from "./Fields.ts"
import { model, type ValueOf } from "./Model.ts"

/** The longest of each, in characters. */
export const buyerCharactersMax = { companyName: 200, taxId: 60 } as const

export const buyerTerms = model({
  companyName: optionalText({ charactersMax: buyerCharactersMax.companyName }),
  taxId: optionalText({ charactersMax: buyerCharactersMax.taxId })
})
export type BuyerField = typeof buyerTerms.names[number]
export interface BuyerTerms extends ValueOf<typeof buyerTerms.fields> {}
