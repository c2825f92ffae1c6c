/**
 * What a chart shows, as plain data that a worker can be sent and a cache can compare, and how it looks: quiet bars in the console's
 * colours on nothing, with few lines and few labels. Values are for drawing only: whatever is exact is in the table beside the chart.
 */
import type { BarSeriesOption } from "echarts/charts"
import type { GridComponentOption, TitleComponentOption } from "echarts/components"
import type { ComposeOption } from "echarts/core"

export interface ChartSpec {
  /** `days`: a bar for each of a row of days. `names`: bars of named things, the first on top. */
  readonly kind: "days" | "names"
  readonly labels: ReadonlyArray<string>
  /** USD. */
  readonly values: ReadonlyArray<number>
  /** Said in the middle when there is nothing to draw. */
  readonly emptyText: string
  readonly width: number
  readonly height: number
}

export type ChartTheme = "light" | "dark"

/** Points drawn, at most; more would be thinner than a pixel. */
export const POINTS_MAX = 400

export type ChartOption = ComposeOption<BarSeriesOption | GridComponentOption | TitleComponentOption>

const colors = {
  light: { bar: "#066fd1", line: "#e6e7e9", text: "#49566c" },
  dark: { bar: "#4299e1", line: "#3a4451", text: "#a7b3c2" }
} as const

const FONT = "ui-sans-serif, system-ui, -apple-system, 'Segoe UI', Roboto, 'Noto Sans', 'Noto Sans CJK SC', sans-serif"
const FONT_SIZE = 12
const NAME_WIDTH = 150
const NARROW = 400
const BAR_WIDTH_MAX = 28
const CENT = 0.01

/** As many decimals as the axis needs, and never an exponent. */
export const axisLabel = (value: number): string => {
  if (value === 0) return "$0"
  const decimals = Math.abs(value) >= 10 ? 0 : Math.abs(value) >= CENT ? 2 : 6
  return `$${value.toFixed(decimals).replace(/(\.\d*?)0+$/, "$1").replace(/\.$/, "")}`
}

const empty = (spec: ChartSpec, theme: ChartTheme): ChartOption => ({
  animation: false,
  title: {
    text: spec.emptyText,
    left: "center",
    top: "middle",
    textStyle: { color: colors[theme].text, fontFamily: FONT, fontSize: FONT_SIZE + 2, fontWeight: "normal" }
  }
})

/** The option of a chart; a chart of nothing but zeros says that there is nothing. */
export const chartOption = (spec: ChartSpec, theme: ChartTheme): ChartOption => {
  if (!spec.values.some((value) => value > 0)) return empty(spec, theme)
  const { bar, line, text } = colors[theme]
  const label = { color: text, fontFamily: FONT, fontSize: FONT_SIZE }
  const values = {
    type: "value" as const,
    splitNumber: spec.width < NARROW ? 2 : 4,
    axisLabel: { ...label, formatter: axisLabel, hideOverlap: true },
    splitLine: { lineStyle: { color: line } }
  }
  const names = {
    type: "category" as const,
    data: [...spec.labels],
    axisTick: { show: false },
    axisLine: { lineStyle: { color: line } }
  }
  const series: BarSeriesOption = {
    type: "bar",
    data: [...spec.values],
    barMaxWidth: BAR_WIDTH_MAX,
    barCategoryGap: "30%",
    itemStyle: { color: bar, borderRadius: spec.kind === "days" ? [3, 3, 0, 0] : [0, 3, 3, 0] }
  }
  // Texts are measured without a font, and turn out a little wider.
  const bounds = { left: 14, right: 24, top: 12, bottom: 4 }
  const grid = {
    ...bounds,
    outerBoundsMode: "same" as const,
    outerBounds: bounds,
    outerBoundsContain: "axisLabel" as const
  }
  return spec.kind === "days"
    ? {
      animation: false,
      grid,
      xAxis: { ...names, axisLabel: { ...label, hideOverlap: true } },
      yAxis: values,
      series: [series]
    }
    : {
      animation: false,
      grid,
      xAxis: values,
      yAxis: { ...names, inverse: true, axisLabel: { ...label, width: NAME_WIDTH, overflow: "truncate" } },
      series: [series]
    }
}
