/**
 * How long clients may take to say what they want, and how much at once. A client that takes longer is answered where that is
 * possible, and cut off; one that wants more is refused.
 */
import { Context } from "effect"
import type { ByteBudgetLimits } from "../platform/ByteBudget.ts"

/** Bounds on a client. Replaced in tests. */
export interface ClientLimits {
  /** Until a request's headers are complete. */
  readonly headersTimeoutMs: number
  /** From the end of the headers until the body of a page's or an administrator's request is complete. */
  readonly bodyTimeoutMs: number
  /** From then on the body of a call must have arrived at the least rate. */
  readonly bodySlowAfterMs: number
  /** That rate, on average. */
  readonly bodyBytesPerSecondMin: number
  /** Of the bytes of request bodies in memory. A user's part is also the most that one body may have. */
  readonly bodyBudget: ByteBudgetLimits
  /** After an answer that was given before the body was read, what the client still sends is discarded for so long. */
  readonly discardMs: number
  /** A client that takes no byte of its answer for so long is gone. */
  readonly stalledMs: number
  /** The same where the system does not say what a client has taken. */
  readonly blindStalledMs: number
  /** Between two looks at clients for which something waits. */
  readonly stallCheckMs: number
  /** A client reads what it has taken ahead no slower than this. */
  readonly slowBytesPerSecond: number
  /** What a client has taken ahead of its reading, at most: a socket's buffer in the client's program. */
  readonly aheadBytesMax: number
  /** Between two requests of a connection. */
  readonly keepAliveTimeoutMs: number
  /** How often connections are looked at for the first of these. */
  readonly checkMs: number
  /** Calls open at once with one key. */
  readonly callsPerKeyMax: number
  /** Answers with an idempotency key in memory, until they are kept; one that finds no room is not kept. */
  readonly keptBudget: ByteBudgetLimits
}

export const ClientLimits = Context.Reference<ClientLimits>("realms/http/ClientLimits", {
  defaultValue: () => ({
    headersTimeoutMs: 30_000,
    bodyTimeoutMs: 60_000,
    bodySlowAfterMs: 5_000,
    bodyBytesPerSecondMin: 32_768,
    bodyBudget: { processBytesMax: 536_870_912, userBytesMax: 134_217_728, freeBytes: 65_536 },
    discardMs: 5_000,
    stalledMs: 60_000,
    blindStalledMs: 600_000,
    stallCheckMs: 5_000,
    slowBytesPerSecond: 512,
    aheadBytesMax: 65_536,
    keepAliveTimeoutMs: 75_000,
    checkMs: 10_000,
    callsPerKeyMax: 4_000,
    keptBudget: { processBytesMax: 134_217_728, userBytesMax: 33_554_432, freeBytes: 16_384 }
  })
})
