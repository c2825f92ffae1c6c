/**
 * Why a call was refused or did not end as it should, in words: of the code that its client saw, or of the reason that its row has.
 */
import { type PageContext, sayOf } from "../../PageContext.ts"
import { sayKnown } from "../../text/Texts.ts"

/** Each is a text of its own name. */
const codes = [
  "abandoned",
  "answer_too_large",
  "answers_full",
  "client_gone",
  "context_length_exceeded",
  "funds_held",
  "insufficient_quota",
  "invalid_request_error",
  "key_limit_exceeded",
  "lease_lost",
  "limit_ignored",
  "model_not_allowed",
  "model_not_found",
  "not_found",
  "rate_limit_exceeded",
  "reference_not_found",
  "reserve_unknown",
  "server_is_overloaded",
  "service_unavailable",
  "subscription_quota_exceeded",
  "timeout",
  "truncated",
  "unsupported_parameter",
  "upstream_error",
  "upstream_rate_limited",
  "upstream_refused",
  "upstream_timeout"
] as const

const known = new Map(codes.map((code) => [code as string, code]))

/** A code without words, such as one that an upstream made up, is said as it is. */
export const callReason = (context: Pick<PageContext, "language">, code: string): string =>
  sayKnown(sayOf(context, "callReason"), known, code)
