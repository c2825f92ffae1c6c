/**
 * A batch of redemption codes as administrators see it: what each code gives, how often, until when, and what has become of
 * them. Also the bounds of a batch that is to be made.
 */
import { Effect, Schema } from "effect"
import { UserId } from "../domain/Ids.ts"
import type { SoldPlan } from "../domain/Plan.ts"
import { Row } from "../domain/Row.ts"
import { isIdempotencyKey } from "../platform/Notes.ts"
import { type batchFields, BatchRefused } from "./RedemptionError.ts"

/** What a code gives: credit, or a subscription on the terms that the plan had when the batch was made. */
export type Gift =
  | { readonly kind: "balance"; readonly usdMicros: bigint }
  | { readonly kind: "plan"; readonly terms: SoldPlan }

/** `used`: as often as may be. The others are those of something that could still be redeemed. */
export const CodeState = Schema.Literals(["active", "used", "expired", "disabled"])
export type CodeState = typeof CodeState.Type
export const codeStates = CodeState.literals

/** A batch besides what its codes give and how often they were used. */
export const Batch = Row({
  id: Schema.BigInt,
  name: Schema.String,
  note: Schema.String,
  /** The group that a user gets by a code; null: prices stay as they are. */
  groupCode: Schema.NullOr(Schema.String),
  codes: Schema.Number,
  /** Of each code, every one by another user: 1 for a code for one, more for a code that is shared. */
  usesMax: Schema.Number,
  state: CodeState,
  /** Null: it does not expire. */
  expiresAt: Schema.NullOr(Schema.Date),
  disabledAt: Schema.NullOr(Schema.Date),
  revision: Schema.BigInt,
  createdAt: Schema.Date,
  /** The e-mail address of its maker; null for the command line. */
  createdBy: Schema.NullOr(Schema.String)
})

export interface RedemptionBatch extends Schema.Schema.Type<typeof Batch> {
  readonly gift: Gift
  /** Of all its codes. */
  readonly uses: number
}

export const RedemptionCode = Row({
  id: Schema.BigInt,
  /** The last characters of its text. */
  hint: Schema.String,
  uses: Schema.Number,
  usesMax: Schema.Number,
  state: CodeState
})
export interface RedemptionCode extends Schema.Schema.Type<typeof RedemptionCode> {}

/** That a user has redeemed a code. */
export const Redemption = Row({
  id: Schema.BigInt,
  codeId: Schema.BigInt,
  hint: Schema.String,
  userId: UserId,
  email: Schema.String,
  at: Schema.Date
})
export interface Redemption extends Schema.Schema.Type<typeof Redemption> {}

export interface NewBatch {
  /** 1 to 100 characters. */
  readonly name: string
  /** At most 500 characters; may be empty. */
  readonly note: string
  readonly gift:
    | { readonly kind: "balance"; readonly usdMicros: bigint }
    | { readonly kind: "plan"; readonly planCode: string }
  /** The group that a user gets by a code; null: prices stay as they are. */
  readonly groupCode: string | null
  /** 1 to {@link CODES_MAX}. */
  readonly codes: number
  /** Of each code: 1 to {@link USES_MAX}. */
  readonly usesMax: number
  readonly expiresAt: Date | null
  /** Of the form or request: sent again, it makes no second batch. */
  readonly key?: string | undefined
}

/** What of a batch may be changed. What its codes give, how many there are and how often each is used never is. */
export interface BatchEdit extends Pick<NewBatch, "name" | "note" | "expiresAt"> {}

/** Codes of one batch, at most. */
export const CODES_MAX = 1_000

/** Uses of one shared code, at most. */
export const USES_MAX = 100_000

/** What one use of a code credits, at most, in micros: 10,000 USD. What is beyond was typed by mistake. */
export const GIFT_MICROS_MAX = 10_000_000_000n

const NAME_CHARACTERS_MAX = 100
const NOTE_CHARACTERS_MAX = 500

const isLine = (text: string, charactersMax: number): boolean =>
  text.length <= 2 * charactersMax && Array.from(text).length <= charactersMax && !/\p{Cc}/u.test(text)

const isWithin = (count: number, max: number): boolean => Number.isInteger(count) && count >= 1 && count <= max

type BatchChecks = ReadonlyArray<readonly [field: typeof batchFields[number], isFine: boolean]>

const checked = (checks: BatchChecks): Effect.Effect<void, BatchRefused> => {
  const fields = checks.filter(([, isFine]) => !isFine).map(([field]) => field)
  return fields.length === 0 ? Effect.void : Effect.fail(new BatchRefused({ fields }))
}

const textChecks = ({ name, note }: Pick<NewBatch, "name" | "note">): BatchChecks => [
  ["name", name.trim() !== "" && isLine(name, NAME_CHARACTERS_MAX)],
  ["note", isLine(note, NOTE_CHARACTERS_MAX)]
]

// An invalid date compares as false.
const isToCome = (at: Date | null, nowMs: number): boolean => at === null || at.getTime() > nowMs

/** Fails with every field of an edit that is wrong. An expiry that stays as it was may be over. */
export const checkBatchEdit = (edit: BatchEdit, was: Date | null, nowMs: number): Effect.Effect<void, BatchRefused> =>
  checked([
    ...textChecks(edit),
    ["expiry", edit.expiresAt?.getTime() === was?.getTime() || isToCome(edit.expiresAt, nowMs)]
  ])

/** Fails with every field that is wrong; whether there is such a plan is not known here. */
export const checkNewBatch = (batch: NewBatch, nowMs: number): Effect.Effect<void, BatchRefused> => {
  const { codes, expiresAt, gift, key, usesMax } = batch
  return checked([
    ...textChecks(batch),
    ["amount", gift.kind === "plan" || (gift.usdMicros > 0n && gift.usdMicros <= GIFT_MICROS_MAX)],
    ["codes", isWithin(codes, CODES_MAX)],
    ["uses", isWithin(usesMax, USES_MAX)],
    ["expiry", isToCome(expiresAt, nowMs)],
    ["key", key === undefined || isIdempotencyKey(key)]
  ])
}
