/**
 * The fields of a model's form, in groups: prices, prices of long contexts, lengths and bounds, tools.
 */
import { defaultTerms, type ModelTermName, modelTerms } from "../../../../domain/ModelTerms.ts"
import type { FormState } from "../../Answer.ts"
import { Group, Inputs } from "../../kit/Inputs.tsx"
import { sayOf, type UserContext } from "../../PageContext.ts"
import { TermInputs } from "../terms/TermParts.tsx"
import { modelLabels } from "./ModelLabels.ts"
import { cellName, rowsShown } from "./TierForm.ts"

interface FieldsProps {
  readonly context: UserContext
  readonly state: FormState
}

const lengthTerms: ReadonlyArray<ModelTermName> = [
  "contextTokens",
  "maxOutputTokens",
  "defaultOutputTokens",
  "outputTokensPerSecond",
  "inputOverheadTokens",
  "imageTokensMax",
  "tokenizerMarginMicros",
  "reasoning"
]

const toolTerms: ReadonlyArray<ModelTermName> = ["hostedTools", "toolCallsMax"]

const TierRow = ({ row, state, context }: FieldsProps & { readonly row: number }) => {
  const say = sayOf(context, "adminModels")
  const inputs = [
    { is: "integer", name: cellName(row, "above"), label: say("tiers.above") },
    { is: "usd", name: cellName(row, "input"), label: say("input") },
    { is: "usd", name: cellName(row, "output"), label: say("output") },
    { is: "usd", name: cellName(row, "cached_input"), label: say("cachedInput") },
    { is: "usd", name: cellName(row, "cache_write"), label: say("cacheWrite") }
  ] as const
  return (
    <div class="row gx-2 tier-row" role="group" aria-label={say("tiers.row", { number: row + 1 })}>
      {inputs.map((input) => (
        <div key={input.name} class={`${input.is === "integer" ? "col-12" : "col-6"} col-md`}>
          <Inputs state={state} inputs={[input]} />
        </div>
      ))}
    </div>
  )
}

const TierFields = ({ state, context }: FieldsProps) => {
  const say = sayOf(context, "adminModels")
  const problem = state.problems["price_tiers"]
  return (
    <Group name="price_tiers" title={say("tiers")} hint={say("tiers.hint")}>
      {problem === undefined
        ? null
        : <div id="field-price_tiers-problem" class="invalid-feedback d-block mb-2">{problem}</div>}
      {rowsShown(state.values).map((row) => <TierRow key={row} context={context} state={state} row={row} />)}
    </Group>
  )
}

export const ModelFields = (props: FieldsProps) => {
  const { state, context } = props
  const say = sayOf(context, "adminModels")
  const terms = { state, model: modelTerms, labels: modelLabels(context), initial: defaultTerms }
  return (
    <>
      <Group title={say("prices")}>
        <Inputs
          state={state}
          inputs={[[
            { is: "usd", name: "input", label: say("input"), hint: say("price.hint"), required: true },
            { is: "usd", name: "output", label: say("output"), hint: say("price.hint"), required: true },
            { is: "usd", name: "cached_input", label: say("cachedInput"), hint: say("cached.hint") },
            { is: "usd", name: "cache_write", label: say("cacheWrite"), hint: say("write.hint") }
          ]]}
        />
      </Group>
      <TierFields {...props} />
      <Group title={say("lengths")}>
        <TermInputs {...terms} names={lengthTerms} />
      </Group>
      <Group title={say("tools")}>
        <TermInputs {...terms} names={toolTerms} />
        <Inputs
          state={state}
          inputs={[[
            { is: "usd", name: "web_search", label: say("web_search"), hint: say("tool.hint") },
            { is: "usd", name: "file_search", label: say("file_search"), hint: say("tool.hint") }
          ]]}
        />
      </Group>
    </>
  )
}
