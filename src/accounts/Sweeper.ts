/**
 * Ends holds whose lease has passed: those of processes that died. It runs in every server and judges by PostgreSQL's clock,
 * so it does not matter which one gets to a hold first.
 */
import { Effect, Layer } from "effect"
import { inRounds } from "../platform/Rounds.ts"
import { Accounts } from "./Accounts.ts"

const SWEEP_INTERVAL_MS = 1_000

/** Sweeps as long as the layer lives. */
export const SweeperLayer = Layer.effectDiscard(Effect.gen(function*() {
  const accounts = yield* Accounts
  const sweep = Effect.tap(
    accounts.sweep,
    (ended) => ended > 0 ? Effect.logInfo("expired reservations ended", { ended }) : Effect.void
  )
  yield* Effect.forkScoped(
    inRounds(sweep, { failure: "expired reservations could not be ended", everyMs: SWEEP_INTERVAL_MS })
  )
}))
