/**
 * Users redeem codes: in one transaction the code is counted as used by them and gives what its batch says, credit through the
 * ledger or a subscription, and a group where the batch names one. However many try at once, a user redeems a code once, and a code is
 * redeemed no more often than its batch allows. Guessing is limited by account and by network.
 */
import { Context, Effect, Layer, type Redacted } from "effect"
import { SqlClient } from "effect/sql"
import { postInTransaction } from "../accounts/Ledger.ts"
import { giveRedeemedGroup } from "../accounts/UserGroups.ts"
import type { UserId } from "../domain/Ids.ts"
import { RateLimiter } from "../identity/RateLimiter.ts"
import type { TooManyAttempts } from "../identity/IdentityError.ts"
import { BuyerUnknown } from "../orders/OrderError.ts"
import { type DatabaseUnavailable, orUnavailable } from "../postgres/DatabaseUnavailable.ts"
import { rowOf } from "../postgres/Rows.ts"
import { inTransaction } from "../postgres/Transaction.ts"
import { activate } from "../subscriptions/Subscriptions.ts"
import { hashOfCode } from "./CodeText.ts"
import type { Gift } from "./RedemptionBatch.ts"
import { CodeExpired, CodeRedeemed, CodeUnknown, CodeUsedUp } from "./RedemptionError.ts"
import { GiftColumns, giftOf, lockCode, type LockedCode } from "./RedemptionStore.ts"

/** Who redeems. */
export interface Redeemer {
  readonly userId: UserId
  /** The client's address as text; empty where it is not known. */
  readonly address: string
}

/** What a code has given, and the code's number. */
export interface Redeemed {
  readonly codeId: bigint
  readonly gift: Gift
}

export type RedeemError =
  | CodeUnknown
  | CodeExpired
  | CodeUsedUp
  | CodeRedeemed
  | BuyerUnknown
  | TooManyAttempts
  | DatabaseUnavailable

export class Redemptions extends Context.Service<Redemptions, {
  /** Redeems a code as it was typed. */
  redeem(redeemer: Redeemer, typed: Redacted.Redacted<string>): Effect.Effect<Redeemed, RedeemError>
  /** What a user was given for a code; undefined when they have not redeemed it. */
  given(userId: UserId, codeId: bigint): Effect.Effect<Gift | undefined, DatabaseUnavailable>
}>()("realms/redemption/Redemptions") {
  static readonly layerNoDeps = Layer.effect(Redemptions)(Effect.gen(function*() {
    const sql = yield* SqlClient.SqlClient
    const limits = yield* RateLimiter

    /** Gives it; answers the subscription that was made. The code is locked. */
    const give = Effect.fnUntraced(function*(userId: UserId, code: LockedCode) {
      if (code.gift.kind === "plan") return yield* activate(sql, userId, null, code.gift.terms)
      const posted = yield* postInTransaction(sql, userId, {
        kind: "redemption",
        amountMicros: code.gift.usdMicros,
        refType: "redemption",
        refId: `${code.id}:${userId}`,
        actor: "system",
        note: "",
        mode: "owe"
      })
      return posted.outcome === "posted"
        ? null
        : yield* Effect.die(new Error(`the credit of code ${code.id} for user ${userId} was ${posted.outcome}`))
    })

    const write = Effect.fnUntraced(function*(userId: UserId, codeHash: Uint8Array) {
      // A user's redemptions come one after the other. They may write the user's row, and two that had a shared lock on it would deadlock.
      const [user] = yield* sql`SELECT FROM users WHERE id = ${userId} AND disabled_at IS NULL FOR NO KEY UPDATE`
      if (user === undefined) return yield* new BuyerUnknown({ userId })
      const code = yield* lockCode(sql, codeHash, userId)
      if (code === undefined) return yield* new CodeUnknown()
      const refusal = refusalOf(code)
      if (refusal !== undefined) return yield* refusal
      const subscriptionId = yield* give(userId, code)
      if (code.groupCode !== null) yield* giveRedeemedGroup(sql, userId, code.groupCode)
      yield* sql`UPDATE redemption_codes SET uses = uses + 1 WHERE id = ${code.id}`
      yield* sql`INSERT INTO redemptions (code_id, user_id, subscription_id)
      VALUES (${code.id}, ${userId}, ${subscriptionId}::bigint)`
      return { codeId: code.id, gift: code.gift } satisfies Redeemed
    })

    const redeemOnce = Effect.fnUntraced(function*(userId: UserId, typed: Redacted.Redacted<string>) {
      const codeHash = hashOfCode(typed)
      if (codeHash === undefined) return yield* new CodeUnknown()
      return yield* inTransaction(sql, write(userId, codeHash))
    }, orUnavailable)

    return Redemptions.of({
      redeem: Effect.fn("Redemptions.redeem")(
        function*({ address, userId }: Redeemer, typed: Redacted.Redacted<string>) {
          return yield* limits.limit(
            { kind: "redemption", address, account: `user:${userId}` },
            { countsSuccess: false, counted: guesses },
            redeemOnce(userId, typed)
          )
        }
      ),
      given: Effect.fn("Redemptions.given")(function*(userId: UserId, codeId: bigint) {
        const gift = yield* rowOf(
          GiftColumns,
          sql`
        SELECT b.usd_micros, b.terms FROM redemptions r
          JOIN redemption_codes c ON c.id = r.code_id JOIN redemption_batches b ON b.id = c.batch_id
          WHERE r.code_id = ${codeId} AND r.user_id = ${userId}`
        )
        return gift === undefined ? undefined : yield* giftOf(gift)
      }, orUnavailable)
    })
  }))
  static readonly layer = Redemptions.layerNoDeps.pipe(Layer.provide(RateLimiter.layer))
}

/** A code that was used or has expired might have been guessed as well. */
const guesses = ["CodeUnknown", "CodeExpired", "CodeUsedUp"] as const

const refusalOf = (code: LockedCode) => {
  if (code.isDisabled) return new CodeUnknown()
  if (code.isRedeemed) return new CodeRedeemed()
  if (code.isExpired) return new CodeExpired()
  return code.isUsedUp ? new CodeUsedUp() : undefined
}
