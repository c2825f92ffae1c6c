/**
 * What administrators add to a balance or take from it: a ledger entry with a note, written together with the audit log. The
 * caller chooses the key of an adjustment; sent again under the same key, it is not made a second time.
 */
import { Context, Effect, Layer, Schema } from "effect"
import type { Actor } from "../platform/AuditLog.ts"
import { keyReused, keyRule, noteRule } from "../platform/Notes.ts"
import type { NotConfirmed } from "../platform/SecondPerson.ts"
import type { DatabaseUnavailable } from "../postgres/DatabaseUnavailable.ts"
import { type AccountUnavailable, DebitRefused, type UnknownAccount } from "./AccountError.ts"
import { MANUAL_MICROS_MAX, manualEntries, type ManualEntry, textFlawOf, type Written } from "./ManualEntries.ts"

/** One adjustment is at most so large, in either direction. */
export const ADJUSTMENT_MICROS_MAX = MANUAL_MICROS_MAX

/** Text for people, by what is wrong with an adjustment. */
const messages = {
  amount: "an adjustment is an amount other than 0, of at most 1,000,000 USD either way",
  note: noteRule,
  key: keyRule
} as const

/** What was asked for is not possible; `reason` is the field. */
export class AdjustmentRefused extends Schema.TaggedError<AdjustmentRefused>()("AdjustmentRefused", {
  reason: Schema.Literals(["amount", "note", "key"])
}) {
  override get message(): string {
    return messages[this.reason]
  }
}

/** The key has been used for another adjustment: of another user, amount or note. */
export class AdjustmentReused extends Schema.TaggedError<AdjustmentReused>()("AdjustmentReused", {}) {
  override get message(): string {
    return keyReused
  }
}

/** `amountMicros`: signed, not 0, at most {@link ADJUSTMENT_MICROS_MAX} either way. */
export interface Adjustment extends ManualEntry {}

export interface Adjusted extends Written {}

export class Adjustments extends Context.Service<Adjustments, {
  /** Takes a balance down to zero and no further: more is `DebitRefused`. `AccountUnavailable` may be repeated safely. */
  adjust(
    actor: Actor,
    adjustment: Adjustment
  ): Effect.Effect<
    Adjusted,
    | AdjustmentRefused
    | AdjustmentReused
    | DebitRefused
    | UnknownAccount
    | AccountUnavailable
    | NotConfirmed
    | DatabaseUnavailable
  >
}>()("realms/accounts/Adjustments") {
  static readonly layer = Layer.effect(Adjustments)(Effect.gen(function*() {
    const write = yield* manualEntries({
      kind: "adjustment",
      mode: "strict",
      action: "balance.adjust",
      stored: (amountMicros) => ({ amountMicros, owedMicros: 0n }),
      short: ({ amountMicros }, { usdMicros }) =>
        new DebitRefused({ neededMicros: -amountMicros, availableMicros: usdMicros }),
      reused: () => new AdjustmentReused(),
      change: ({ amountMicros }, { usdMicros }) => ({
        action: "balance.adjusted",
        before: null,
        after: { amount_micros: amountMicros, usd_micros: usdMicros }
      })
    })

    return Adjustments.of({
      adjust: Effect.fn("Adjustments.adjust")(function*(actor: Actor, asked: Adjustment) {
        const reason = flawOf(asked)
        if (reason !== undefined) return yield* new AdjustmentRefused({ reason })
        return yield* write(actor, asked)
      })
    })
  }))
}

const flawOf = (asked: Adjustment): AdjustmentRefused["reason"] | undefined => {
  const { amountMicros } = asked
  const magnitude = amountMicros < 0n ? -amountMicros : amountMicros
  return magnitude === 0n || magnitude > ADJUSTMENT_MICROS_MAX ? "amount" : textFlawOf(asked)
}
