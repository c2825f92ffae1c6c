/**
 * How long clients may take to say what they want, and how much at once. Whoever takes longer is answered where that is
 * possible, and cut off; whoever wants more is refused.
 */
import { Context } from "effect"

/** Bounds on a client. Replaced in tests. */
export interface ClientLimits {
  /** Until a request's headers are complete. */
  readonly headersTimeoutMs: number
  /** From the end of the headers until the body is complete. */
  readonly bodyTimeoutMs: number
  /** Between two requests of a connection. */
  readonly keepAliveTimeoutMs: number
  /** How often connections are looked at for the first of these. */
  readonly checkMs: number
  /** Calls open at once with one key. */
  readonly callsPerKeyMax: number
}

export const ClientLimits = Context.Reference<ClientLimits>("realms/http/ClientLimits", {
  defaultValue: () => ({
    headersTimeoutMs: 30_000,
    bodyTimeoutMs: 60_000,
    keepAliveTimeoutMs: 75_000,
    checkMs: 10_000,
    callsPerKeyMax: 4_000
  })
})
