/** What a hold of so many output tokens comes to. Pure. */
import { costMicros } from "../domain/Price.ts"
import type { Reserve } from "./AccountState.ts"

/** The hold for a number of output tokens, in micros. */
export const boundMicros = (command: Reserve, tokens: number, planMultiplier: bigint): bigint =>
  costMicros(command.baseNumerator + BigInt(tokens) * command.tokenNumerator, {
    billingMultiplier: command.billingMultiplier,
    planMultiplier,
    groupMultiplier: command.groupMultiplier
  })
