/**
 * A plan: what users can subscribe to. Each term is described here once, with its bounds; rows, the API, config.yaml, forms and
 * the audit log follow.
 */
import { Effect, Record, Schema, Struct } from "effect"
import { MULTIPLIER_MAX } from "./Bounds.ts"
import { CONCURRENT_MAX, RATE_MAX } from "./CallLimits.ts"
import { codeOrNull } from "./Code.ts"
import { factor, fen, flag, IdJson, integer, micros, optionalText, text } from "./Fields.ts"
import { model, type ValueOf } from "./Model.ts"
import { AMOUNT_MAX, FEN_PER_CNY } from "./Money.ts"
import { MULTIPLIER_ONE } from "./Price.ts"
import { Json } from "./Row.ts"

/** The most that calls may cost within a window of time; 0 means no limit. */
const limit = () => micros({ max: AMOUNT_MAX, otherwise: 0n, mayBeEmpty: true })

/** A limit of calls; 0, which may be left out, is no limit. Plans sold before there were such limits have none. */
const rate = (max: number) => ({
  ...integer({ min: 0, max, otherwise: 0, mayBeEmpty: true }),
  json: Schema.Number.pipe(Schema.withDecodingDefaultKey(Effect.succeed(0)))
})

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
  groupCode: codeOrNull({ key: "group" }),
  /** Limits of its user's calls while it runs; 0: it sets none. */
  requestsPerMinute: rate(RATE_MAX),
  tokensPerMinute: rate(RATE_MAX),
  concurrentCalls: rate(CONCURRENT_MAX)
})
export interface PlanTerms extends ValueOf<typeof planTerms.fields> {}

/** What a subscription keeps of the terms that it was sold on, each in a column of that name. Its name and time have other columns. */
export const keptTerms = model(Struct.omit(planTerms.fields, ["name", "priceFen", "durationDays"]))

const DESCRIPTION_CHARACTERS_MAX = 300

/** The largest place of a plan among those for sale. */
const POSITION_MAX = 1_000

/** A plan as it is offered: its terms, and how it is shown to buyers, which is no part of what they buy. */
export const planOffer = model({
  ...planTerms.fields,
  /** What buyers read of it in each language; empty where nothing is said. */
  descriptionEn: optionalText({ charactersMax: DESCRIPTION_CHARACTERS_MAX }),
  descriptionZh: optionalText({ charactersMax: DESCRIPTION_CHARACTERS_MAX }),
  /** It is shown as the one to choose. */
  recommended: flag({ otherwise: false }),
  /** Plans are shown in this order, and those of one place the cheapest first. */
  position: integer({ min: 0, max: POSITION_MAX, otherwise: 0, mayBeEmpty: true })
})
export interface PlanOffer extends ValueOf<typeof planOffer.fields> {}

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
export const planFields = ["code", ...planOffer.names] as const
export type PlanField = typeof planFields[number]

/** What somebody buys or is given: the terms that the plan had then. JSON in orders and in batches of codes. */
export const SoldPlan = Json({ planId: IdJson, code: Schema.String, ...planTerms.json })
export interface SoldPlan extends Schema.Schema.Type<typeof SoldPlan> {}
