/**
 * Brings the rules of the model to a parsed call: tools that the upstream would run, lifetimes of cached input, files, and how
 * long an answer may be.
 */
import type { HostedToolPolicy } from "../../domain/ModelTerms.ts"
import type { ToolPrices } from "../../domain/Price.ts"
import type { Admitted, Call, Refused } from "./Call.ts"
import { dialectTables } from "./DialectTables.ts"
import { withoutHosted } from "./HostedTools.ts"
import { contextOf, inputBounds } from "./InputBounds.ts"
import { unsupported } from "./Refusal.ts"

export interface AdmissionRules {
  readonly hostedTools: HostedToolPolicy
  /** Calls of priced tools that one call may make, at most. */
  readonly toolCallsMax: number
  /** Null: not known. */
  readonly contextTokens: number | null
  readonly maxOutputTokens: number
  readonly toolPrices: ToolPrices | undefined
  /** Cached input with a long lifetime has its price. */
  readonly cacheTtlPriced: boolean
}

/** The call as the model admits it, its output limit lowered to the model's; or why it is refused (400). */
export function admit(call: Call, rules: AdmissionRules): Admitted | Refused {
  const refused = refusalOf(call, rules)
  if (refused !== undefined) return refused
  const limit = call.outputLimit
  const clamped = limit === undefined || limit <= rules.maxOutputTokens
    ? call
    : { ...call, outputLimit: rules.maxOutputTokens }
  if (call.hostedTools.length === 0) return { _tag: "Admitted", call: clamped, pricedToolCalls: 0, dropped: [] }
  if (rules.hostedTools === "drop") {
    return { _tag: "Admitted", call: clamped, pricedToolCalls: 0, ...withoutHosted(call) }
  }
  const pricedToolCalls = Math.min(call.toolCallsMax ?? rules.toolCallsMax, rules.toolCallsMax)
  return { _tag: "Admitted", call: clamped, pricedToolCalls, dropped: [] }
}

function refusalOf(call: Call, rules: AdmissionRules): Refused | undefined {
  const ttl = call.places?.longCacheTtl
  if (ttl !== undefined && !rules.cacheTtlPriced) {
    return unsupported(ttl, `Unsupported value: '${ttl}'. This model does not price such a lifetime of cached input.`)
  }
  const file = call.places?.file
  if (file !== undefined && rules.contextTokens === null) {
    return unsupported(file, "Unsupported input: inline files need a model whose context length is configured.")
  }
  const { lowerTokens } = inputBounds(call)
  const context = contextOf(call, rules.contextTokens)
  if (context !== null && lowerTokens > context) {
    return {
      _tag: "Refused",
      status: 400,
      code: "context_length_exceeded",
      param: dialectTables[call.dialect].input,
      message:
        `This model's maximum context length is ${rules.contextTokens} tokens. Your input has at least ${lowerTokens} tokens.`
    }
  }
  return call.hostedTools.length === 0 || rules.hostedTools === "drop" ? undefined : hostedRefusal(call, rules)
}

function hostedRefusal(call: Call, rules: AdmissionRules): Refused | undefined {
  const param = call.places?.hostedTool ?? "tools"
  const refuse = (why: string): Refused => unsupported(param, `Unsupported tool: ${why}`)
  if (rules.hostedTools === "refuse") {
    return refuse(`this model does not admit tools that the upstream runs (${call.hostedTools.join(", ")}).`)
  }
  const unpriced = call.hostedTools.find((type) => priceOf(call, type, rules.toolPrices) === null)
  if (unpriced !== undefined) return refuse(`this model has no price for '${unpriced}', which the upstream would run.`)
  if (rules.contextTokens === null) {
    return refuse("tools that the upstream runs need a model whose context length is configured.")
  }
  return rules.toolCallsMax < 1 ? refuse("this model admits no calls of tools that the upstream runs.") : undefined
}

/** `web_search` and its dated versions; the preview is another product. */
const webSearch = /^web_search(?:_\d{4}_\d{2}_\d{2})?$/

/** What a call of the tool costs, in micros; null when it has no price. Only `/v1/responses` reports the calls it made. */
const priceOf = (call: Call, type: string, prices: ToolPrices | undefined): bigint | null => {
  if (call.dialect !== "responses" || prices === undefined) return null
  if (webSearch.test(type)) return prices.webSearchMicros
  return type === "file_search" ? prices.fileSearchMicros : null
}
