/**
 * What can be set of a model: which ids there may be, and which fields may be wrong.
 */
import { priceFields } from "../domain/ModelRules.ts"
import { modelTerms } from "../domain/ModelTerms.ts"

export { defaultTermsWithin, isPrice, isTierStart, isToolPrice, wrongFieldsOf } from "../domain/ModelRules.ts"
export { defaultTerms, type ModelTerms } from "../domain/ModelTerms.ts"

/** What may be wrong with a model. */
export const modelFields = ["id" as const, ...priceFields, ...modelTerms.names]
export type ModelField = typeof modelFields[number]

/** The longest id, in characters. */
export const MODEL_ID_CHARACTERS_MAX = 200

/** Printable and without spaces; `.` and `..` would be no segment of an address. */
const idPattern = new RegExp(`^(?!\\.{1,2}$)[^\\s\\p{C}]{1,${MODEL_ID_CHARACTERS_MAX}}$`, "u")

export const isModelId = (id: string): boolean => idPattern.test(id)
