/**
 * Where the limits of a call stand once it was decided on: what its client reads in the `x-ratelimit-*` headers.
 */
import { Schema } from "effect"

/** Where a limit stands, as clients read it. */
export const RateState = Schema.Struct({
  limit: Schema.Int,
  remaining: Schema.Int,
  /** Until all of it is free again, in milliseconds. */
  resetMs: Schema.Int
})
export interface RateState extends Schema.Schema.Type<typeof RateState> {}

/** Where the limits of a call stand once it was decided on; absent: there is no such limit. */
export const RateReport = Schema.Struct({
  requests: Schema.optionalKey(RateState),
  tokens: Schema.optionalKey(RateState)
})
export interface RateReport extends Schema.Schema.Type<typeof RateReport> {}
