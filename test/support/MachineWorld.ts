/**
 * The account machine with the least that has to stand behind it: it remembers stored reservations and posted entries as
 * the database does. Used for tables of commands and for properties over random ones.
 */
import { HashMap } from "effect"
import type { AccountError } from "../../src/accounts/AccountError.ts"
import { decide, type Decision, type Event, evolve } from "../../src/accounts/AccountMachine.ts"
import {
  type AccountState,
  type Answer,
  type CallOutcome,
  type Command,
  emptyOutcome,
  type Post,
  type ReservationRow,
  type Reserve,
  type SubscriptionState
} from "../../src/accounts/AccountState.ts"
import { fromBuckets, type WindowLimits } from "../../src/accounts/SubscriptionWindows.ts"
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

export const postCommand = (refId: string, amountMicros: bigint, mode: Post["mode"]): Post => ({
  _tag: "Post",
  kind: "adjustment",
  amountMicros,
  refType: "test",
  refId,
  actor: "test",
  note: "",
  mode
})

export const subscriptionState = (
  id: bigint,
  limits: WindowLimits,
  fields: Partial<SubscriptionState> = {}
): SubscriptionState => ({
  id,
  startsAtMs: START_MS - 1,
  endsAtMs: START_MS + 40 * 24 * 3_600_000,
  limits,
  multiplier: MULTIPLIER_ONE,
  windows: fromBuckets([], [], START_MS),
  ...fields
})

export const accountState = (
  usdMicros: bigint,
  subscriptions: ReadonlyArray<SubscriptionState> = [],
  owedMicros = 0n
): AccountState => ({ usdMicros, owedMicros, subscriptions, open: HashMap.empty() })

const tombstone = (id: string): ReservationRow => ({
  id,
  funding: "free",
  subscriptionId: null,
  price: microPrice,
  billingMultiplier: MULTIPLIER_ONE,
  planMultiplier: MULTIPLIER_ONE,
  reservedMicros: 0n,
  outputTokens: 0,
  reservedAtMs: START_MS,
  state: "voided",
  costMicros: 0n,
  chargedMicros: 0n,
  late: false
})

export type Told =
  | { readonly how: "accepted" | "again"; readonly answer: Answer }
  | { readonly how: "refused"; readonly error: AccountError }

/** One account. */
export class MachineWorld {
  state: AccountState
  readonly rows = new Map<string, ReservationRow>()
  readonly posts: Array<Post> = []

  constructor(state: AccountState) {
    this.state = state
  }

  tell(command: Command): Told {
    if (command._tag === "Post" && this.posts.some((post) => post.refId === command.refId)) {
      const { owedMicros, usdMicros } = this.state
      return { how: "again", answer: { _tag: "Posted", posted: { usdMicros, owedMicros, repeated: true } } }
    }
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
    const row = command._tag === "Post" ? undefined : this.rows.get(command.id) ?? null
    return decide(this.state, command, row)
  }

  private store(event: Event, answer: Answer): void {
    if (event._tag === "EntryPosted") this.posts.push(event.entry)
    else if (event._tag !== "Settled") {
      const fresh = { state: "reserved", costMicros: 0n, chargedMicros: 0n, late: false } as const
      this.rows.set(event.reservation.id, { ...event.reservation, ...fresh })
    } else if (answer._tag === "Settlement") {
      const before = this.rows.get(event.id) ?? tombstone(event.id)
      this.rows.set(event.id, { ...before, ...answer.settlement })
    }
  }
}
