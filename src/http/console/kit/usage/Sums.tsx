/**
 * What the calls of a period came to: the choice of the period, figures and tables.
 */
import type { ComponentChildren } from "preact"
import { RANGE_DAYS_SHOWN_MAX, type UsageRange } from "../../../../usage/UsageRange.ts"
import { inputOf, type UsageSums } from "../../../../usage/UsageSums.ts"
import { emptyForm } from "../../Answer.ts"
import { type PageContext, sayOf } from "../../PageContext.ts"
import { Hidden } from "../Forms.tsx"
import { Inputs } from "../Inputs.tsx"
import { ItemTable } from "../List.tsx"
import { Figures, Notice, Usd } from "../Parts.tsx"
import type { UsagePage } from "./UsageQuery.ts"

interface RangePickerProps extends UsagePage {
  readonly range: UsageRange
  /** What the page goes on asking for when the days are typed. */
  readonly kept?: Readonly<Record<string, string>>
}

export const RangePicker = ({ kept = {}, path, queryOf, range, context }: RangePickerProps) => {
  const say = sayOf(context, "usage")
  const presets = [
    ["today", say("range.today")],
    ["7d", say("range.7")],
    ["30d", say("range.30")],
    ["90d", say("range.90d")]
  ] as const
  return (
    <>
      <div class="d-flex flex-wrap align-items-start gap-2 mb-3">
        <nav class="btn-group" aria-label={say("range")}>
          {presets.map(([name, text]) => (
            <a
              key={name}
              class={`btn ${range.name === name ? "btn-primary" : ""}`}
              href={`${path}?${queryOf({ range: name, from: "", to: "" })}`}
              aria-current={range.name === name ? "true" : undefined}
            >
              {text}
            </a>
          ))}
        </nav>
        <details class="range-custom" open={range.name === "custom"}>
          <summary class="btn">{say("range.custom")}</summary>
          <form method="get" action={path} class="range-form">
            <input type="hidden" name="range" value="custom" />
            <Hidden fields={kept} />
            <Inputs
              state={emptyForm}
              inputs={[
                { is: "date", name: "from", label: say("from"), initial: range.from },
                { is: "date", name: "to", label: say("to"), initial: range.to }
              ]}
            />
            <button class="btn btn-primary" type="submit">{say("show")}</button>
          </form>
        </details>
      </div>
      {range.isRefused ? <Notice kind="warning">{say("range.bad", { days: RANGE_DAYS_SHOWN_MAX })}</Notice> : null}
    </>
  )
}

export const SumFigures = ({ sums, context }: { readonly context: PageContext; readonly sums: UsageSums }) => {
  const say = sayOf(context, "usage")
  const { count } = context.formats
  const input = inputOf(sums)
  const parts = say("tokens.parts", { input: count(input), output: count(sums.outputTokens) })
  const cached = sums.cachedInputTokens === 0 ? [] : [say("cached", { count: sums.cachedInputTokens })]
  return (
    <Figures
      figures={[
        { label: say("spend"), value: <Usd context={context} micros={sums.chargedMicros} />, icon: "topup" },
        { label: say("calls"), value: count(sums.calls), icon: "usage" },
        {
          label: say("tokens"),
          value: count(input + sums.outputTokens),
          hint: [parts, ...cached].join(", "),
          icon: "model"
        }
      ]}
    />
  )
}

export interface SumsTableProps {
  readonly context: PageContext
  readonly caption: string
  readonly first: string
  readonly lines: ReadonlyArray<readonly [name: ComponentChildren, sums: UsageSums]>
}

export const SumsTable = ({ caption, first, lines, context }: SumsTableProps) => {
  const say = sayOf(context, "usage")
  const { count, usdFixed } = context.formats
  return (
    <ItemTable
      caption={caption}
      columns={[
        { title: first, cell: ([name]) => name },
        { title: say("calls"), number: true, cell: ([, { calls }]) => count(calls) },
        { title: say("in"), number: true, wide: true, cell: ([, sums]) => count(inputOf(sums)) },
        { title: say("out"), number: true, wide: true, cell: ([, { outputTokens }]) => count(outputTokens) },
        { title: say("charged"), number: true, cell: ([, { chargedMicros }]) => usdFixed(chargedMicros) }
      ]}
      items={lines}
    />
  )
}
