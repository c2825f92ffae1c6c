/**
 * What a call holds before it is made: an upper bound of its input, and of its output the client's limit, the model's,
 * or - for a stream that names none - a first part that is extended as it goes.
 */
import type { Reserve } from "../accounts/AccountState.ts"
import { inputTokenBound, type PriceSnapshot } from "../domain/Price.ts"
import type { BillingConfig } from "../platform/RealmsConfig.ts"
import { type Call, holdInputTokens, type OutputLimitField } from "./CallRequest.ts"

/** A model as far as a hold depends on it. */
export interface PlannedModel {
  readonly id: string
  readonly price: PriceSnapshot
  readonly maxOutputTokens: number
  readonly reasoning: boolean
}

/** How the output of a call is bounded. */
export interface CallPlan {
  /** Output tokens a choice: the hold takes as many as the funds allow between the two. */
  readonly tokensMin: number
  readonly tokensMax: number
  /** The hold is raised while the stream runs; otherwise the upstream is told the limit that was held. */
  readonly extendable: boolean
  /** The field that tells the upstream, when the client named no limit and the call cannot be extended. */
  readonly limitField: OutputLimitField | undefined
  readonly baseNumerator: bigint
  readonly tokenNumerator: bigint
}

/** Undefined when the client's limit is above what the model can give. */
export const planCall = (call: Call, model: PlannedModel, billing: BillingConfig): CallPlan | undefined => {
  const base = BigInt(holdInputTokens(call)) * inputTokenBound(model.price)
  const token = BigInt(call.n) * model.price.outputMicrosPer1m
  const costs = { baseNumerator: base, tokenNumerator: token }
  if (call.outputLimit !== undefined) {
    if (call.outputLimit > model.maxOutputTokens) return undefined
    return {
      tokensMin: call.outputLimit,
      tokensMax: call.outputLimit,
      extendable: false,
      limitField: undefined,
      ...costs
    }
  }
  const first = Math.min(billing.defaultMaxOutputTokens, model.maxOutputTokens)
  if (call.stream && !model.reasoning) {
    return { tokensMin: first, tokensMax: first, extendable: true, limitField: undefined, ...costs }
  }
  return {
    tokensMin: first,
    tokensMax: model.maxOutputTokens,
    extendable: false,
    limitField: call.dialect === "responses"
      ? "max_output_tokens"
      : model.reasoning
      ? "max_completion_tokens"
      : "max_tokens",
    ...costs
  }
}

/** The output tokens (a choice) that `micros` hold at a price, with the product of both multipliers (10^12 is one). */
export const tokensWithin = (
  costs: Pick<CallPlan, "baseNumerator" | "tokenNumerator">,
  multiplier: bigint,
  micros: bigint
): number => {
  if (costs.tokenNumerator === 0n || multiplier === 0n) return Number.MAX_SAFE_INTEGER
  const numerator = (micros * 1_000_000_000_000_000_000n) / multiplier - costs.baseNumerator
  return numerator <= 0n ? 0 : Number(numerator / costs.tokenNumerator)
}

/** The reserve command of a planned call. */
export const reserveOf = (
  call: Call,
  plan: CallPlan,
  model: PlannedModel,
  billing: BillingConfig,
  identity: { readonly id: string; readonly keyId: bigint; readonly atMs: number }
): Reserve => ({
  _tag: "Reserve",
  id: identity.id,
  keyId: identity.keyId,
  endpoint: call.dialect === "chat" ? "chat.completions" : "responses",
  model: model.id,
  stream: call.stream,
  price: model.price,
  billingMultiplier: billing.multiplierMicros,
  billingEnabled: billing.enabled,
  payAsYouGo: billing.payAsYouGo,
  baseNumerator: plan.baseNumerator,
  tokenNumerator: plan.tokenNumerator,
  tokensMin: plan.tokensMin,
  tokensMax: plan.tokensMax,
  leaseSeconds: billing.reservationLeaseSeconds,
  atMs: identity.atMs
})
