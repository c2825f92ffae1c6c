/**
 * What of the sums of calls a chart draws, and in which color: the same for its picture, its legend and what it says on hover.
 */
import { stacksOf, type UsageSeries, type UsageStack } from "../../../usage/UsageSeries.ts"
import { inputOf, type UsageSums } from "../../../usage/UsageSums.ts"
import type { PageContext } from "../PageContext.ts"
import { oneOf } from "../Params.ts"
import { colorAt, othersColor } from "./ChartOption.ts"

export const measures = ["spend", "calls", "tokens"] as const
export type Measure = typeof measures[number]

/** What the address asks for; spend where it asks for nothing. */
export const readMeasure = ({ query }: Pick<PageContext, "query">): Measure =>
  oneOf(measures, query.get("measure")) ?? "spend"

export const tokensOf = (sums: UsageSums): number => inputOf(sums) + sums.outputTokens

const MICROS = 1e6

/** For drawing. */
export const valueOf = (measure: Measure) => (sums: UsageSums): number =>
  measure === "spend" ? Number(sums.chargedMicros) / MICROS : measure === "calls" ? sums.calls : tokensOf(sums)

export interface ColoredStack extends UsageStack {
  readonly color: string
}

const colored = (stack: UsageStack, index: number): ColoredStack => ({
  ...stack,
  color: stack.model === undefined ? othersColor : colorAt(index)
})

export const stackColors = (series: UsageSeries, models: ReadonlyArray<string>): ReadonlyArray<ColoredStack> =>
  stacksOf(series, models).map(colored)
