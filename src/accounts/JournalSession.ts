/**
 * How the journal's connections are set up: bounds of waiting, and plans that stay right while tables grow.
 *
 * @internal
 */

/** Settings of a session of the journal that waits for a lock so long, in milliseconds. */
export const journalSession = (lockTimeoutMs: number): Readonly<Record<string, string>> => ({
  lock_timeout: String(lockTimeoutMs),
  statement_timeout: "8000",
  idle_in_transaction_session_timeout: "5000",
  synchronous_commit: "on",
  // Plans are cached while tables are small; only one index look-up a row stays right when they are not.
  enable_seqscan: "off",
  enable_hashjoin: "off",
  enable_mergejoin: "off",
  jit: "off",
  plan_cache_mode: "force_generic_plan"
})
