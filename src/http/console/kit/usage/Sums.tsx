/**
 * What calls came to: as figures, as a table, and as a chart with its table.
 */
import type { ComponentChildren } from "preact"
import { inputOf, type UsageSums } from "../../../../usage/UsageSums.ts"
import { type PageContext, sayOf } from "../../PageContext.ts"
import { ChartImage } from "../../ui/ChartImage.tsx"
import { Card, Usd } from "../../ui/Parts.tsx"
import { Figures } from "../Figures.tsx"
import { ItemTable } from "../ItemTable.tsx"

export const SumFigures = ({ sums, context }: { readonly context: PageContext; readonly sums: UsageSums }) => {
  const say = sayOf(context, "usage")
  const { count } = context.formats
  const input = inputOf(sums)
  const parts = say("tokens.parts", { input: count(input), output: count(sums.outputTokens) })
  const cached = sums.cachedInputTokens === 0 ? [] : [say("cached", { count: count(sums.cachedInputTokens) })]
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
  /** The name of the first column. */
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

interface SumsChartProps {
  readonly context: PageContext
  readonly kind: keyof typeof widths
  /** Of the picture, and what it is asked for. */
  readonly path: string
  readonly query: string
  readonly title: string
  /** Beside the title. */
  readonly actions?: ComponentChildren
  /** Of everything that is drawn. */
  readonly totals: UsageSums
  /** A table of the same figures. */
  readonly children: ComponentChildren
}

/** Of the wide picture, in pixels. */
const widths = { days: 720, names: 460 }

/**
 * A card with a picture of sums, and a table for those who want the figures. The picture has another address for every reader and
 * after every call, so that a browser's copy is never older than the page.
 */
export const SumsChart = ({ actions, children, kind, path, query, title, totals, context }: SumsChartProps) => {
  const { language, timeZone } = context.formats
  const version = [context.user?.id, language, timeZone, totals.calls, totals.chargedMicros].join("-")
  return (
    <Card title={title} actions={actions} class="h-100">
      <ChartImage
        width={widths[kind]}
        src={`${path}?${query}&${new URLSearchParams({ v: version })}`}
        title={title}
        summary={sayOf(context, "usage")("asTable")}
      >
        {children}
      </ChartImage>
    </Card>
  )
}
