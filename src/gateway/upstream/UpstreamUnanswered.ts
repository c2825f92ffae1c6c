/**
 * What was asked of an upstream was not answered, and why.
 */
import { Data } from "effect"
import type { SaidFailure } from "../../channels/FailureReason.ts"

export class UpstreamUnanswered extends Data.TaggedError("UpstreamUnanswered")<SaidFailure> {}
