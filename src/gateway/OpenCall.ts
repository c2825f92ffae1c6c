/**
 * A call under way: who asked for what, what it holds, and how it is stopped and settled. The edge fills in who and what,
 * the gateway the rest.
 */
import type { Effect } from "effect"
import type { CallOutcome, Reservation } from "../accounts/AccountState.ts"
import type { ApiKeyIdentity } from "../identity/ApiKeys.ts"
import type { CallClient } from "./CallClient.ts"
import type { CallPlan } from "./CallPlan.ts"
import type { Call } from "./CallRequest.ts"

export interface CallContext {
  /** The reservation's id too. */
  readonly requestId: string
  readonly key: ApiKeyIdentity
  readonly call: Call
  readonly client: CallClient
  readonly startedMs: number
}

/** Why a call is ended from outside. */
export type StopReason = "lease_lost" | "service_unavailable" | "client_gone"

/** A call that holds funds. */
export interface OpenCall {
  readonly context: CallContext
  readonly plan: CallPlan
  reservation: Reservation
  settled: boolean
  /** True once a request of it went upstream. */
  sent: boolean
  /** Set once it was stopped. */
  stopped: StopReason | undefined
  /** Ends the call now, whatever it waits for. Replaced by each stage. */
  stop: (why: StopReason) => void
  readonly settle: (kind: "Commit" | "Void", outcome: CallOutcome) => Effect.Effect<void>
  readonly costOf: (outcome: CallOutcome) => bigint
}
