/**
 * Why an upstream did not do what it was asked for, in as many words as people can act on: of calls, of tests, and of what else is
 * asked of it.
 */
import { Schema, SchemaTransformation } from "effect"

/**
 * There is no key here, or it does not open, or all keys are out of use; the host may not be called, was not reached, did not answer
 * in time, or broke off; it refused the key, the payment, the address or model, the rate, or something else in the request; it failed
 * itself; or what it answered is not what was asked for.
 */
export const FailureReason = Schema.Literals([
  "no_key",
  "key_unreadable",
  "keys_out",
  "forbidden",
  "connect",
  "timeout",
  "broken",
  "unauthorized",
  "unpaid",
  "not_found",
  "rate_limited",
  "refused",
  "upstream_error",
  "not_chat",
  "not_json"
])
export type FailureReason = typeof FailureReason.Type

const isReason = Schema.is(FailureReason)

/** A reason as it is stored. One that only another version knows is read as `upstream_error`: it is still a failure. */
export const StoredReason = Schema.String.pipe(
  Schema.decodeTo(
    FailureReason,
    SchemaTransformation.transform<FailureReason, string>({
      decode: (text) => isReason(text) ? text : "upstream_error",
      encode: (reason) => reason
    })
  )
)

/** What was said of a failure: why, and by which HTTP status; null where there was none. */
export interface SaidFailure {
  readonly reason: FailureReason
  readonly status: number | null
}

/** Why a key is taken out of use for all calls: the upstream does not take it, or there is no money behind it. */
export const OutReason = Schema.Literals(["unauthorized", "unpaid"])
export type OutReason = typeof OutReason.Type

export const isKeysOwn = (reason: FailureReason | null | undefined): reason is OutReason =>
  reason === "unauthorized" || reason === "unpaid"
