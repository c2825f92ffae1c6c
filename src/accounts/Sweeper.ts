/**
 * Ends holds whose lease has passed: those of processes that died. It runs in every server and judges by PostgreSQL's clock,
 * so it does not matter which one gets to a hold first.
 */
import { Effect } from "effect"
import { Accounts } from "./Accounts.ts"

const SWEEP_INTERVAL_MS = 1_000

/** Runs the sweeper until interrupted. Failures wait for the next round. */
export const sweeper: Effect.Effect<never, never, Accounts> = Effect.gen(function*() {
  const accounts = yield* Accounts
  return yield* accounts.sweep.pipe(
    Effect.tap((ended) => ended > 0 ? Effect.logInfo("expired reservations ended", { ended }) : Effect.void),
    Effect.ignore,
    Effect.andThen(Effect.sleep(SWEEP_INTERVAL_MS)),
    Effect.forever
  )
})
