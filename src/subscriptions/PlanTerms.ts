/**
 * What can be set of a plan, what is wrong with terms that somebody typed, and how they stand in the record of changes.
 */
import { DURATION_DAYS_MAX, MULTIPLIER_MAX } from "../domain/Bounds.ts"
import { AMOUNT_MAX } from "../domain/Money.ts"
import { MULTIPLIER_ONE } from "../domain/Price.ts"
import type { AuditFacts } from "../platform/AuditLog.ts"
import type { ConfirmationFacts } from "../platform/SecondPerson.ts"

/** Limits in USD micros, 0 for none; the multiplier is scaled by 10^6. */
export interface PlanTerms {
  readonly name: string
  /** 0: it cannot be bought, only be given. */
  readonly priceFen: bigint
  readonly durationDays: number
  readonly limit5hMicros: bigint
  readonly limit1dMicros: bigint
  readonly limit7dMicros: bigint
  readonly limit30dMicros: bigint
  readonly multiplierMicros: bigint
}

/** The columns of a plan that are its terms. */
export interface PlanTermsRow {
  readonly name: string
  readonly price_fen: bigint
  readonly duration_days: number
  readonly limit_5h_micros: bigint
  readonly limit_1d_micros: bigint
  readonly limit_7d_micros: bigint
  readonly limit_30d_micros: bigint
  readonly multiplier_micros: bigint
}

export const planTermsOf = (row: PlanTermsRow): PlanTerms => ({
  name: row.name,
  priceFen: row.price_fen,
  durationDays: row.duration_days,
  limit5hMicros: row.limit_5h_micros,
  limit1dMicros: row.limit_1d_micros,
  limit7dMicros: row.limit_7d_micros,
  limit30dMicros: row.limit_30d_micros,
  multiplierMicros: row.multiplier_micros
})

/** What may be wrong with a plan. */
export const planFields = [
  "code",
  "name",
  "price",
  "duration_days",
  "limit_5h",
  "limit_1d",
  "limit_7d",
  "limit_30d",
  "multiplier"
] as const
export type PlanField = typeof planFields[number]

export const PLAN_NAME_CHARACTERS_MAX = 100

/** No plan costs so much, in CNY. */
export const PLAN_PRICE_CNY_MAX = 1_000_000n

const FEN_PER_CNY = 100n

const codePattern = /^[a-z0-9-]{1,40}$/

export const isPlanCode = (code: string): boolean => codePattern.test(code)

const namePattern = new RegExp(`^[^\\p{Cc}\\p{Cs}]{1,${PLAN_NAME_CHARACTERS_MAX}}$`, "u")

const isBetween = (value: bigint, max: bigint): boolean => value >= 0n && value <= max

/** The fields that are out of bounds. */
export const wrongPlanFields = (terms: PlanTerms): ReadonlyArray<PlanField> => {
  const { durationDays } = terms
  const checks: ReadonlyArray<readonly [PlanField, boolean]> = [
    ["name", namePattern.test(terms.name) && terms.name.trim() !== ""],
    ["price", isBetween(terms.priceFen, PLAN_PRICE_CNY_MAX * FEN_PER_CNY)],
    ["duration_days", Number.isInteger(durationDays) && durationDays >= 1 && durationDays <= DURATION_DAYS_MAX],
    ["limit_5h", isBetween(terms.limit5hMicros, AMOUNT_MAX)],
    ["limit_1d", isBetween(terms.limit1dMicros, AMOUNT_MAX)],
    ["limit_7d", isBetween(terms.limit7dMicros, AMOUNT_MAX)],
    ["limit_30d", isBetween(terms.limit30dMicros, AMOUNT_MAX)],
    ["multiplier", isBetween(terms.multiplierMicros, MULTIPLIER_MAX * MULTIPLIER_ONE)]
  ]
  return checks.flatMap(([field, isFine]) => isFine ? [] : [field])
}

/** As they stand in the record of changes. */
export const planFacts = (terms: PlanTerms): AuditFacts => ({
  name: terms.name,
  price_fen: terms.priceFen,
  duration_days: terms.durationDays,
  limit_5h_micros: terms.limit5hMicros,
  limit_1d_micros: terms.limit1dMicros,
  limit_7d_micros: terms.limit7dMicros,
  limit_30d_micros: terms.limit30dMicros,
  multiplier_micros: terms.multiplierMicros
})

/** Terms as somebody who confirms them reads them. */
export const planTexts = (terms: PlanTerms): ConfirmationFacts => ({
  plan: terms.name,
  price_fen: String(terms.priceFen),
  duration_days: terms.durationDays,
  limit_5h_micros: String(terms.limit5hMicros),
  limit_1d_micros: String(terms.limit1dMicros),
  limit_7d_micros: String(terms.limit7dMicros),
  limit_30d_micros: String(terms.limit30dMicros),
  multiplier_micros: String(terms.multiplierMicros)
})
