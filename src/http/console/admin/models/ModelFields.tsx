/**
 * The fields of a model's form, in groups: prices, prices of long contexts, lengths and bounds, tools.
 */
import type { ComponentChildren } from "preact"
import { defaultTerms, type ModelTermName, modelTerms } from "../../../../domain/ModelTerms.ts"
import type { FormState } from "../../Answer.ts"
import { sayOf, type UserContext } from "../../PageContext.ts"
import { Field } from "../../ui/Forms.tsx"
import { TermInput } from "../terms/TermInput.tsx"
import { modelLabels } from "./ModelLabels.ts"
import { cellName, rowsShown, type TierCell } from "./TierForm.ts"

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

const price = { inputmode: "decimal", autocomplete: "off", prefix: "$" } as const

const Group = (
  { children, hint, title }: {
    readonly title: string
    readonly hint?: string
    readonly children: ComponentChildren
  }
) => (
  <fieldset class="form-group-section">
    <legend>{title}</legend>
    {hint === undefined ? null : <p class="form-hint">{hint}</p>}
    {children}
  </fieldset>
)

const Columns = ({ children }: { readonly children: ReadonlyArray<ComponentChildren> }) => (
  <div class="row gx-3">
    {children.map((child, at) => <div key={at} class="col-md-6">{child}</div>)}
  </div>
)

const PriceFields = ({ state, context }: FieldsProps) => {
  const say = sayOf(context, "adminModels")
  return (
    <Group title={say("prices")}>
      <Columns>
        {[
          <Field {...price} state={state} name="input" label={say("input")} hint={say("price.hint")} required />,
          <Field {...price} state={state} name="output" label={say("output")} hint={say("price.hint")} required />,
          <Field {...price} state={state} name="cached_input" label={say("cachedInput")} hint={say("cached.hint")} />,
          <Field {...price} state={state} name="cache_write" label={say("cacheWrite")} hint={say("write.hint")} />
        ]}
      </Columns>
    </Group>
  )
}

const TierRow = ({ row, state, context }: FieldsProps & { readonly row: number }) => {
  const say = sayOf(context, "adminModels")
  const cell = (name: TierCell, label: string) => (
    <div class="col-6 col-md">
      <Field {...price} state={state} name={cellName(row, name)} label={label} />
    </div>
  )
  return (
    <div class="row gx-2 tier-row" role="group" aria-label={say("tiers.row", { number: row + 1 })}>
      <div class="col-12 col-md">
        <Field
          state={state}
          name={cellName(row, "above")}
          label={say("tiers.above")}
          inputmode="numeric"
          autocomplete="off"
        />
      </div>
      {cell("input", say("input"))}
      {cell("output", say("output"))}
      {cell("cached_input", say("cachedInput"))}
      {cell("cache_write", say("cacheWrite"))}
    </div>
  )
}

const TierFields = ({ state, context }: FieldsProps) => {
  const say = sayOf(context, "adminModels")
  const problem = state.problems["price_tiers"]
  return (
    <Group title={say("tiers")} hint={say("tiers.hint")}>
      {problem === undefined
        ? null
        : <div id="field-price_tiers-problem" class="invalid-feedback d-block mb-2">{problem}</div>}
      {rowsShown(state.values).map((row) => <TierRow key={row} context={context} state={state} row={row} />)}
    </Group>
  )
}

const termFields = ({ state, context }: FieldsProps, names: ReadonlyArray<ModelTermName>) => {
  const labels = modelLabels(context)
  return names.map((name) => (
    <TermInput
      key={name}
      context={context}
      state={state}
      name={modelTerms.keys[name]}
      field={modelTerms.fields[name]}
      label={labels[name]}
      value={defaultTerms[name]}
    />
  ))
}

export const ModelFields = (props: FieldsProps) => {
  const { state, context } = props
  const say = sayOf(context, "adminModels")
  return (
    <>
      <PriceFields {...props} />
      <TierFields {...props} />
      <Group title={say("lengths")}>
        <Columns>{termFields(props, lengthTerms)}</Columns>
      </Group>
      <Group title={say("tools")}>
        <Columns>
          {[
            ...termFields(props, toolTerms),
            <Field {...price} state={state} name="web_search" label={say("web_search")} hint={say("tool.hint")} />,
            <Field {...price} state={state} name="file_search" label={say("file_search")} hint={say("tool.hint")} />
          ]}
        </Columns>
      </Group>
    </>
  )
}
