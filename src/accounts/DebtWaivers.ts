/**
 * Debts that administrators waive: a ledger entry with a note, written together with the audit log. A waiver lowers what is owed
 * and leaves the balance as it is. The caller chooses its key; sent again under the same key, it is not made a second time.
 */
import { Context, Effect, Layer, Schema } from "effect"
import { formatUsd } from "../domain/Money.ts"
import type { Actor } from "../platform/AuditLog.ts"
import { keyReused, keyRule, noteRule } from "../platform/Notes.ts"
import type { NotConfirmed } from "../platform/SecondPerson.ts"
import type { DatabaseUnavailable } from "../postgres/DatabaseUnavailable.ts"
import type { AccountUnavailable, UnknownAccount } from "./AccountError.ts"
import { MANUAL_MICROS_MAX, manualEntries, type ManualEntry, textFlawOf, type Written } from "./ManualEntries.ts"

/** Text for people, by what is wrong with a waiver. */
const messages = {
  amount: "a waiver is an amount above 0, of at most 1,000,000 USD",
  note: noteRule,
  key: keyRule
} as const

/** What was asked for is not possible; `reason` is the field. */
export class WaiverRefused extends Schema.TaggedError<WaiverRefused>()("WaiverRefused", {
  reason: Schema.Literals(["amount", "note", "key"])
}) {
  override get message(): string {
    return messages[this.reason]
  }
}

/** The key has been used for another waiver: of another user, amount or note. */
export class WaiverReused extends Schema.TaggedError<WaiverReused>()("WaiverReused", {}) {
  override get message(): string {
    return keyReused
  }
}

/** The waiver is larger than the debt. In micros. */
export class DebtExceeded extends Schema.TaggedError<DebtExceeded>()("DebtExceeded", {
  owedMicros: Schema.BigInt
}) {
  override get message(): string {
    return `only ${formatUsd(this.owedMicros)} USD are owed`
  }
}

/** `amountMicros`: what of the debt is waived, above 0, at most {@link MANUAL_MICROS_MAX}. */
export interface Waiver extends ManualEntry {}

export interface Waived extends Written {}

export class DebtWaivers extends Context.Service<DebtWaivers, {
  /** Waives a debt, or a part of it; more than is owed is `DebtExceeded`. `AccountUnavailable` may be repeated safely. */
  waive(
    actor: Actor,
    waiver: Waiver
  ): Effect.Effect<
    Waived,
    | WaiverRefused
    | WaiverReused
    | DebtExceeded
    | UnknownAccount
    | AccountUnavailable
    | NotConfirmed
    | DatabaseUnavailable
  >
}>()("realms/accounts/DebtWaivers") {
  static readonly layer = Layer.effect(DebtWaivers)(Effect.gen(function*() {
    const write = yield* manualEntries({
      kind: "waiver",
      mode: "waive",
      action: "debt.waive",
      // A waiver moves no money: its part of the debt is kept as a decrease.
      stored: (amountMicros) => ({ amountMicros: 0n, owedMicros: -amountMicros }),
      short: (_, { owedMicros }) => new DebtExceeded({ owedMicros }),
      reused: () => new WaiverReused(),
      change: ({ amountMicros }, { owedMicros }) => ({
        action: "debt.waived",
        before: { owed_micros: owedMicros + amountMicros },
        after: { waived_micros: amountMicros }
      })
    })

    return DebtWaivers.of({
      waive: Effect.fn("DebtWaivers.waive")(function*(actor: Actor, asked: Waiver) {
        const reason = flawOf(asked)
        if (reason !== undefined) return yield* new WaiverRefused({ reason })
        return yield* write(actor, asked)
      })
    })
  }))
}

const flawOf = (asked: Waiver): WaiverRefused["reason"] | undefined =>
  asked.amountMicros <= 0n || asked.amountMicros > MANUAL_MICROS_MAX ? "amount" : textFlawOf(asked)
