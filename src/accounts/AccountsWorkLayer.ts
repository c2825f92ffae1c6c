/**
 * What a server does with accounts besides calls: it replays what an earlier stop left, sweeps, looks for drift, keeps partitions, cleans,
 * and on the way down drains before the database goes.
 */
import { Effect, Layer } from "effect"
import { AccountCleanerLayer } from "./AccountCleaner.ts"
import { Accounts } from "./Accounts.ts"
import { LedgerDrift } from "./LedgerDrift.ts"
import { ReferencePartitionsLayer } from "./ResponseReferences.ts"
import { SweeperLayer } from "./Sweeper.ts"
import { UsagePartitionsLayer } from "./UsagePartitions.ts"

/** After the last call has ended, settlements have so long to land before they go to the outbox file. */
const DRAIN_MS_MAX = 10_000

/** The replay is not waited for: one account that is stuck does not keep the server from starting. */
const ReplayAndDrainLayer = Layer.effectDiscard(Effect.gen(function*() {
  const accounts = yield* Accounts
  yield* Effect.addFinalizer(() => accounts.drain(DRAIN_MS_MAX))
  yield* Effect.forkScoped(accounts.replay)
  yield* Effect.forkScoped(accounts.adopt)
}))

export const AccountsWorkLayer = Layer.mergeAll(
  AccountCleanerLayer,
  LedgerDrift.layer,
  ReferencePartitionsLayer,
  SweeperLayer,
  UsagePartitionsLayer
).pipe(Layer.provideMerge(ReplayAndDrainLayer))
