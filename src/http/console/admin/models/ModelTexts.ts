/**
 * What the terms and prices of a model are called on its pages, and what is said of those that are wrong.
 */
import { Record } from "effect"
import { rowPrefix, type WrongModelForm } from "../../../../catalog/ModelForm.ts"
import { PRICE_TIERS_MAX, TOKENS_MAX } from "../../../../domain/Bounds.ts"
import { tierTerms, toolPrices, unitPrices } from "../../../../domain/ModelRules.ts"
import { IMAGE_TOKENS_MAX_DEFAULT, modelTerms } from "../../../../domain/ModelTerms.ts"
import type { Problems } from "../../Answer.ts"
import { type PageContext, sayOf } from "../../PageContext.ts"
import { capabilityNames } from "../../text/SharedTexts.ts"
import { shownTerms } from "../Terms.tsx"

export const modelTermsOf = (context: PageContext) => {
  const say = sayOf(context, "modelTerm")
  const models = sayOf(context, "adminModels")
  const { count } = context.formats
  const max = count(TOKENS_MAX)
  return shownTerms(context, modelTerms, {
    vendor: { label: say("vendor"), hint: say("vendor.hint") },
    description: { label: say("description"), hint: say("description.hint") },
    capabilities: { label: say("capabilities"), options: capabilityNames(context) },
    contextTokens: { label: say("context"), hint: say("context.hint"), unset: say("unknown") },
    maxOutputTokens: { label: say("output"), hint: say("output.hint"), problem: models("limit.problem", { max }) },
    defaultOutputTokens: {
      label: say("default"),
      hint: say("default.hint"),
      unset: say("default.unset"),
      problem: models("default.problem", { max })
    },
    inputOverheadTokens: { label: say("overhead"), hint: say("overhead.hint") },
    imageTokensMax: {
      label: say("image"),
      hint: say("image.hint", { count: IMAGE_TOKENS_MAX_DEFAULT }),
      unset: count(IMAGE_TOKENS_MAX_DEFAULT)
    },
    tokenizerMarginMicros: { label: say("margin"), hint: say("margin.hint") },
    outputTokensPerSecond: { label: say("speed"), hint: say("speed.hint") },
    reasoning: { label: say("reasoning"), hint: say("reasoning.hint") },
    hostedTools: {
      label: say("hosted"),
      hint: say("hosted.hint"),
      options: { drop: say("hosted.drop"), refuse: say("hosted.refuse"), price: say("hosted.price") },
      problem: models("hosted.problem")
    },
    toolCallsMax: { label: say("calls"), hint: say("calls.hint") }
  })
}

/** The prices of any length, of a tier, and of tools. */
export const pricesOf = (context: PageContext) => {
  const say = sayOf(context, "adminModels")
  const labels = {
    inputMicrosPer1m: { label: say("input"), hint: say("price.hint") },
    outputMicrosPer1m: { label: say("output"), hint: say("price.hint") },
    cachedInputMicrosPer1m: { label: say("cachedInput"), hint: say("cached.hint") },
    cacheWriteMicrosPer1m: { label: say("cacheWrite"), hint: say("write.hint") }
  }
  const short = Record.map(labels, ({ label }) => ({ label }))
  return {
    unit: shownTerms(context, unitPrices, labels),
    tier: shownTerms(context, tierTerms, { aboveInputTokens: { label: say("tiers.above") }, ...short }),
    tool: shownTerms(context, toolPrices, {
      webSearchMicros: { label: say("web_search"), hint: say("tool.hint") },
      fileSearchMicros: { label: say("file_search"), hint: say("tool.hint") }
    })
  }
}

/** What is wrong, beside each field. */
export const modelProblems = (context: PageContext, wrong: ReadonlyArray<string>): Problems => {
  const say = sayOf(context, "adminModels")
  const { tool, unit } = pricesOf(context)
  return {
    ...wrong.includes("id") ? { id: say("id.problem") } : {},
    ...unit.problems(wrong),
    ...wrong.includes("price_tiers") ? { price_tiers: say("tiers.problem", { count: PRICE_TIERS_MAX }) } : {},
    ...modelTermsOf(context).problems(wrong),
    ...tool.problems(wrong)
  }
}

/** What is wrong with a form, beside each field and each input of a tier. */
export const formProblems = (context: PageContext, { fields, tiers }: WrongModelForm): Problems => {
  const { problems } = pricesOf(context).tier
  const ofTiers = tiers.flatMap((tier) => Object.entries(problems(tier.fields, rowPrefix(tier.row))))
  return { ...modelProblems(context, fields), ...Object.fromEntries(ofTiers) }
}
