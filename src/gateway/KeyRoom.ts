/**
 * What a key's spend limit lets a call hold: the whole bound, or as much output as fits above the least, or nothing. Pure.
 *
 * @internal
 */
import { Effect } from "effect"
import type { Reserve } from "../accounts/AccountState.ts"
import { formatUsd } from "../domain/Money.ts"
import { costMicros, multiplierProduct } from "../domain/Price.ts"
import type { KeySpending } from "../identity/KeySpend.ts"
import type { LimitPeriod } from "../identity/LimitPeriod.ts"
import { CallRefused } from "./CallError.ts"
import { tokensWithin } from "./HoldPlan.ts"

/** Said behind a limit. */
const periodWords: Readonly<Record<LimitPeriod, string>> = {
  day: " a day",
  week: " a week",
  month: " a month",
  total: ""
}

/**
 * The command with the hold that the key has room for. What will pay is not known yet: of the balance and the running
 * subscriptions, that with the largest multipliers is assumed.
 */
export const withinRoom = (command: Reserve, spending: KeySpending): Effect.Effect<Reserve, CallRefused> => {
  const { limitMicros, period, resetsAt, roomMicros, spentMicros } = spending
  if (limitMicros === null || roomMicros === null) return Effect.succeed(command)
  const least = command.baseNumerator + BigInt(command.tokensMin) * command.tokenNumerator
  const { groupMultiplier, planMultiplier } = spending
  const multipliers = { billingMultiplier: command.billingMultiplier, planMultiplier, groupMultiplier }
  const neededMicros = costMicros(least, multipliers)
  if (neededMicros > roomMicros) {
    return Effect.fail(
      new CallRefused({
        code: "key_limit_exceeded",
        message: `This key's spend limit is $${formatUsd(limitMicros)}${periodWords[period]}; ` +
          `$${formatUsd(spentMicros)} of it is spent or held, and this call needs $${formatUsd(neededMicros)}.` +
          (resetsAt === null ? "" : ` The next ${period} begins at ${resetsAt.toISOString()}.`)
      })
    )
  }
  const fits = tokensWithin(command, {
    micros: roomMicros,
    multiplier: multiplierProduct(multipliers)
  })
  if (fits >= command.tokensMax) return Effect.succeed(command)
  const tokensDefault = Math.min(fits, command.tokensDefault ?? command.tokensMin)
  return Effect.succeed({ ...command, tokensDefault, tokensMax: fits })
}
