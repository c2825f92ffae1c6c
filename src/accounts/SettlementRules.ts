/**
 * What the end of a reservation does to money: to the balance, to what is owed, and to the subscription's windows. The SQL
 * function `realms_settlement_v1` states the same rules for the journal; a property test proves that the two agree. Pure.
 *
 * @internal
 */
import { minimum } from "../domain/Money.ts"
import type { Funding } from "./AccountState.ts"

/** What a settlement is computed from. Amounts in micros. */
export interface SettlementTerms {
  readonly funding: Funding
  /** What is held; of a reservation that has expired, what expiry charged. */
  readonly heldMicros: bigint
  /** What the call comes to: its cost, or nothing where it is voided. */
  readonly dueMicros: bigint
  readonly usdMicros: bigint
  readonly owedMicros: bigint
  /** What the subscription's windows have room for beyond the hold; undefined: no limit. */
  readonly roomMicros: bigint | undefined
}

/** What a settlement changes. Amounts in micros, signed. */
export interface SettlementChange {
  readonly chargedMicros: bigint
  readonly usdDelta: bigint
  readonly owedDelta: bigint
  readonly windowDelta: bigint
}

/**
 * More than is due was held: the rest goes back, and pays what is owed first where the balance had held it. Less was held:
 * the funding pays the rest as far as it goes, a subscription's rest is paid from the balance, and what is left is owed.
 */
export const settlementOf = (terms: SettlementTerms): SettlementChange => {
  const { dueMicros, funding, heldMicros, owedMicros, roomMicros, usdMicros } = terms
  if (funding === "free") return { chargedMicros: 0n, usdDelta: 0n, owedDelta: 0n, windowDelta: 0n }
  if (dueMicros <= heldMicros) {
    const back = heldMicros - dueMicros
    if (funding === "subscription") return { chargedMicros: dueMicros, usdDelta: 0n, owedDelta: 0n, windowDelta: -back }
    const repaid = minimum(owedMicros, back)
    return { chargedMicros: dueMicros, usdDelta: back - repaid, owedDelta: -repaid, windowDelta: 0n }
  }
  const over = dueMicros - heldMicros
  const intoWindow = funding === "balance" ? 0n : roomMicros === undefined ? over : minimum(roomMicros, over)
  const paid = minimum(usdMicros, over - intoWindow)
  return {
    chargedMicros: heldMicros + (funding === "balance" ? paid : intoWindow),
    usdDelta: -paid,
    owedDelta: over - intoWindow - paid,
    windowDelta: intoWindow
  }
}

/**
 * True when a settlement only gives back, whatever the balance is: such settlements of one batch may be written in any
 * order.
 */
export const onlyReturns = ({ owedDelta, usdDelta, windowDelta }: Omit<SettlementChange, "chargedMicros">): boolean =>
  usdDelta >= 0n && owedDelta === 0n && windowDelta <= 0n
