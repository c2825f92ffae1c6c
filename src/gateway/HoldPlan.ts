/**
 * What a call holds before it is sent: its input's ceiling, and of its output the client's limit, a first part that is extended
 * as a stream goes, or what the funds allow where nothing can be extended. Pure.
 */
import type { CallClaim, Reserve, ReserveLimits } from "../accounts/AccountState.ts"
import type { Model } from "../catalog/Catalog.ts"
import type { BillingConfig } from "../config/Config.ts"
import type { ApiKeyId } from "../domain/Ids.ts"
import { boundPrices, type PriceSnapshot, PRODUCT_ONE, type ToolPrices } from "../domain/Price.ts"
import type { CallBounds } from "./meter/Bounds.ts"
import type { Call, OutputLimitField } from "./request/Call.ts"

/** How the output of a call is held. Tokens are per choice. */
export interface OutputPlan {
  readonly tokensMin: number
  readonly tokensDefault: number
  readonly tokensMax: number
  /** At most half of the funds that the input leaves are held. */
  readonly halfAvailable: boolean
  /** The hold is raised while the stream runs. */
  readonly extendable: boolean
  /** The field that tells the upstream the limit that is held, where the client named none and nothing can be extended. */
  readonly limitField: OutputLimitField | undefined
}

export interface HoldPlan extends OutputPlan {
  /** Micros × 10^6, before multipliers. */
  readonly baseNumerator: bigint
  /** For one token of each choice. */
  readonly tokenNumerator: bigint
}

/** A reasoning model's default output, in tokens, where nothing else is said. */
const REASONING_OUTPUT_TOKENS_DEFAULT = 16_384

/** What is held where the client names no limit. */
export const defaultOutputOf = (model: Model, billing: BillingConfig): number =>
  Math.min(
    model.defaultOutputTokens ??
      (model.reasoning ? REASONING_OUTPUT_TOKENS_DEFAULT : billing.defaultMaxOutputTokens),
    model.maxOutputTokens
  )

const limitFieldOf = (call: Call, model: Model): OutputLimitField =>
  call.dialect === "responses" ? "max_output_tokens" : model.reasoning ? "max_completion_tokens" : "max_tokens"

/** True when the output cannot be extended, so that its limit depends on what the context leaves. */
export const needsContextLeft = (call: Call, model: Model): boolean =>
  call.dialect !== "embeddings" && call.outputLimit === undefined && (!call.stream || model.reasoning)

/** `leftTokens`: what the context leaves for a call that {@link needsContextLeft}. At least 1. */
export const planOutput = (call: Call, model: Model, billing: BillingConfig, leftTokens: number): OutputPlan => {
  if (call.dialect === "embeddings") return fixed(0)
  if (call.outputLimit !== undefined) return fixed(Math.min(call.outputLimit, model.maxOutputTokens))
  const first = defaultOutputOf(model, billing)
  const extendable = !needsContextLeft(call, model)
  const tokensMax = extendable ? first : Math.min(model.maxOutputTokens, leftTokens)
  return {
    tokensMin: Math.min(billing.defaultMaxOutputTokens, first, tokensMax),
    tokensDefault: Math.min(first, tokensMax),
    tokensMax,
    halfAvailable: !extendable,
    extendable,
    limitField: extendable ? undefined : limitFieldOf(call, model)
  }
}

const fixed = (tokens: number): OutputPlan => ({
  tokensMin: tokens,
  tokensDefault: tokens,
  tokensMax: tokens,
  halfAvailable: false,
  extendable: false,
  limitField: undefined
})

const dearestTool = (tools: ToolPrices | undefined): bigint => {
  const web = tools?.webSearchMicros ?? 0n
  const file = tools?.fileSearchMicros ?? 0n
  return web > file ? web : file
}

/** The hold of an output plan with `inputTokens` of input held. Prices are those of the dearest tier the ceiling can reach. */
export const planHold = (
  call: Call,
  price: PriceSnapshot,
  output: OutputPlan,
  bounds: CallBounds,
  inputTokens: number
): HoldPlan => {
  const prices = boundPrices(price, bounds.input.ceiling)
  return {
    ...output,
    baseNumerator: BigInt(inputTokens) * prices.inputMicrosPer1m +
      BigInt(bounds.toolCalls) * dearestTool(price.tools) * NUMERATOR_PER_MICRO,
    tokenNumerator: BigInt(call.n) * prices.outputMicrosPer1m
  }
}

/** Numerators are micros × 10^6. */
const NUMERATOR_PER_MICRO = 1_000_000n

/** The output tokens (a choice) that `micros` hold at a price. `multiplier`: the product of all ({@link PRODUCT_ONE} is one). */
export const tokensWithin = (
  costs: Pick<HoldPlan, "baseNumerator" | "tokenNumerator">,
  { micros, multiplier }: { readonly micros: bigint; readonly multiplier: bigint }
): number => {
  if (costs.tokenNumerator === 0n || multiplier === 0n) return Number.MAX_SAFE_INTEGER
  const numerator = (micros * NUMERATOR_PER_MICRO * PRODUCT_ONE) / multiplier - costs.baseNumerator
  return numerator <= 0n ? 0 : Number(numerator / costs.tokenNumerator)
}

const endpoints: Readonly<Record<Call["dialect"], string>> = {
  chat: "chat.completions",
  responses: "responses",
  embeddings: "embeddings"
}

/** The reserve command of a planned call. */
export const reserveOf = (
  call: Call,
  plan: HoldPlan,
  model: Model,
  billing: BillingConfig,
  identity: {
    readonly id: string
    readonly keyId: ApiKeyId
    readonly atMs: number
    readonly counted: boolean
    readonly limits: ReserveLimits
    readonly claim: CallClaim | undefined
  }
): Reserve => ({
  _tag: "Reserve",
  id: identity.id,
  keyId: identity.keyId,
  endpoint: endpoints[call.dialect],
  model: model.id,
  stream: call.stream,
  price: model.price,
  billingMultiplier: billing.multiplierMicros,
  billingEnabled: billing.enabled,
  payAsYouGo: billing.payAsYouGo,
  baseNumerator: plan.baseNumerator,
  tokenNumerator: plan.tokenNumerator,
  tokensMin: plan.tokensMin,
  tokensDefault: plan.tokensDefault,
  tokensMax: plan.tokensMax,
  halfAvailable: plan.halfAvailable,
  counted: identity.counted,
  openHoldsMax: billing.maxOpenHoldsPerUser,
  limits: identity.limits,
  ...identity.claim === undefined ? {} : { claim: identity.claim },
  leaseSeconds: billing.reservationLeaseSeconds,
  atMs: identity.atMs
})
