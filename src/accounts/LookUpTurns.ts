/**
 * Turns at looking up what calls refer to: idempotency keys and ids of stored items. A look-up costs its user nothing, so a user has
 * fewer turns than there are.
 *
 * @internal
 */
import { Context, Layer } from "effect"
import type { UserId } from "../domain/Ids.ts"
import { FairTurns } from "../platform/FairTurns.ts"
import { freeQuestionsMax } from "../postgres/PoolShares.ts"

/** Turns that one user has at once, at most. */
const OF_USER_MAX = 2

export class LookUpTurns extends Context.Service<LookUpTurns, FairTurns<UserId>>()("realms/accounts/LookUpTurns") {
  static readonly layer = Layer.sync(
    LookUpTurns,
    () => new FairTurns<UserId>({ allMax: freeQuestionsMax.callReferences, eachMax: OF_USER_MAX })
  )
}
