/**
 * The account machine with the least that has to stand behind it: it remembers stored reservations as the database does, and
 * money comes and goes beside it as by ledger entries. Used for tables of commands and for properties over random ones.
 */
import { noRateLimits } from "../../src/domain/CallLimits.ts"
import { noUses } from "../../src/accounts/CallUses.ts"
import { HashMap } from "effect"
import type { AccountError } from "../../src/accounts/AccountError.ts"
import { decide } from "../../src/accounts/AccountMachine.ts"
import type { Decision, Event } from "../../src/accounts/Decision.ts"
import { evolve } from "../../src/accounts/Evolution.ts"
import {
  type AccountGroups,
  type AccountState,
  type Answer,
  type CallOutcome,
  type Command,
  emptyOutcome,
  type ReservationRow,
  type Reserve,
  type SubscriptionState
} from "../../src/accounts/AccountState.ts"
import { fromBuckets, type WindowLimits } from "../../src/accounts/SubscriptionWindows.ts"
import { SubscriptionId } from "../../src/domain/Ids.ts"
import { MULTIPLIER_ONE, type PriceSnapshot } from "../../src/domain/Price.ts"

/** Prices at which an output token costs one micro. */
export const microPrice: PriceSnapshot = {
  inputMicrosPer1m: 1_000_000n,
  cachedInputMicrosPer1m: 0n,
  cacheWriteMicrosPer1m: null,
  outputMicrosPer1m: 1_000_000n
}

export const NUMERATOR_PER_MICRO = 1_000_000n

/** Far enough from 0 that every window reaches back; on a whole hour. */
export const START_MS = 500_000 * 3_600_000

export const reserveCommand = (id: string, micros: bigint, fields: Partial<Reserve> = {}): Reserve => ({
  _tag: "Reserve",
  id,
  keyId: null,
  endpoint: "chat.completions",
  model: "m",
  stream: false,
  price: microPrice,
  billingMultiplier: MULTIPLIER_ONE,
  billingEnabled: true,
  payAsYouGo: true,
  baseNumerator: micros * NUMERATOR_PER_MICRO,
  tokenNumerator: 0n,
  tokensMin: 1,
  tokensMax: 1,
  leaseSeconds: 60,
  atMs: START_MS,
  ...fields
})

export const usedTokens = (tokens: bigint): CallOutcome => ({
  ...emptyOutcome,
  usage: { ...emptyOutcome.usage, outputTokens: Number(tokens) },
  usageSource: "upstream",
  status: 200
})

/** A ledger entry that somebody posts; the machine hears of it when it is read again. */
export interface WorldPost {
  readonly _tag: "Post"
  readonly refId: string
  readonly amountMicros: bigint
  readonly mode: "strict" | "owe"
}

export const postCommand = (refId: string, amountMicros: bigint, mode: WorldPost["mode"]): WorldPost => ({
  _tag: "Post",
  refId,
  amountMicros,
  mode
})

export const subscriptionState = (
  id: bigint,
  limits: WindowLimits,
  fields: Partial<SubscriptionState> = {}
): SubscriptionState => ({
  id: SubscriptionId.make(id),
  startsAtMs: START_MS - 1,
  endsAtMs: START_MS + 40 * 24 * 3_600_000,
  limits,
  multiplier: MULTIPLIER_ONE,
  groupMultiplier: null,
  windows: fromBuckets({ minutes: [], hours: [] }, START_MS),
  held: fromBuckets({ minutes: [], hours: [] }, START_MS),
  ...fields
})

export const noGroups: AccountGroups = { own: null, redeemed: null }

export const accountState = (
  usdMicros: bigint,
  subscriptions: ReadonlyArray<SubscriptionState> = [],
  owedMicros = 0n
): AccountState => ({
  usdMicros,
  owedMicros,
  heldMicros: 0n,
  openHolds: 0,
  countedOpen: false,
  groups: noGroups,
  subscriptions,
  open: HashMap.empty(),
  ownLimits: noRateLimits,
  uses: noUses
})

const tombstone = (id: string): ReservationRow => ({
  id,
  funding: "free",
  subscriptionId: null,
  price: microPrice,
  billingMultiplier: MULTIPLIER_ONE,
  planMultiplier: MULTIPLIER_ONE,
  groupMultiplier: MULTIPLIER_ONE,
  reservedMicros: 0n,
  outputTokens: 0,
  reservedAtMs: START_MS,
  state: "voided",
  costMicros: 0n,
  chargedMicros: 0n,
  late: false
})

export type Told =
  | { readonly how: "accepted" | "again"; readonly answer: Answer | { readonly _tag: "Posted" } }
  | { readonly how: "refused"; readonly error: AccountError }
  | { readonly how: "short"; readonly availableMicros: bigint }

/** One account. */
export class MachineAccount {
  state: AccountState
  readonly rows = new Map<string, ReservationRow>()
  readonly posts: Array<WorldPost> = []

  constructor(state: AccountState) {
    this.state = state
  }

  tell(command: Command | WorldPost): Told {
    if (command._tag === "Post") return this.post(command)
    const decision = this.decide(command)
    if (decision._tag === "Repeat") return { how: "again", answer: decision.answer }
    if (decision._tag === "Refuse") return { how: "refused", error: decision.error }
    if (decision._tag === "NeedRow") throw new Error("asked for a row that it had been given")
    this.state = evolve(this.state, decision.event)
    this.store(decision.event, decision.answer)
    return { how: "accepted", answer: decision.answer }
  }

  /** Decides without consequences. */
  decide(command: Command): Decision {
    return decide(this.state, command, this.rows.get(command.id) ?? null)
  }

  private post(post: WorldPost): Told {
    const { owedMicros, usdMicros } = this.state
    if (this.posts.some(({ refId }) => refId === post.refId)) return { how: "again", answer: { _tag: "Posted" } }
    const net = usdMicros - owedMicros + post.amountMicros
    if (post.amountMicros < 0n && post.mode === "strict" && usdMicros < -post.amountMicros) {
      return { how: "short", availableMicros: usdMicros }
    }
    this.posts.push(post)
    this.state = { ...this.state, usdMicros: net > 0n ? net : 0n, owedMicros: net < 0n ? -net : 0n }
    return { how: "accepted", answer: { _tag: "Posted" } }
  }

  private store(event: Event, answer: Answer): void {
    if (event._tag !== "Settled") {
      const fresh = { state: "reserved", costMicros: 0n, chargedMicros: 0n, late: false } as const
      this.rows.set(event.reservation.id, { ...event.reservation, ...fresh })
    } else if (answer._tag === "Settlement") {
      const before = this.rows.get(event.id) ?? tombstone(event.id)
      this.rows.set(event.id, { ...before, ...answer.settlement })
    }
  }
}
