/**
 * What a chart shows, as plain data that a worker can be sent and a cache can compare, and how it looks: quiet bars on nothing, with few
 * lines and few labels. Values are for drawing only: whatever is exact is in the table beside the chart and in what it says on hover.
 */
import type { BarSeriesOption } from "echarts/charts"
import type { GridComponentOption, TitleComponentOption } from "echarts/components"
import type { ComposeOption } from "echarts/core"

/** Values of one name: a part of each bar of a row of moments, or bars of their own. */
export interface ChartSeries {
  readonly color: string
  readonly values: ReadonlyArray<number>
}

export interface ChartSpec {
  /** `days`: a bar for each of a row of days or hours, its series on top of one another. `names`: a bar for each series, the first on top. */
  readonly kind: "days" | "names"
  readonly labels: ReadonlyArray<string>
  readonly series: ReadonlyArray<ChartSeries>
  readonly unit: "usd" | "count"
  /** Said in the middle when there is nothing to draw. */
  readonly emptyText: string
  readonly width: number
  readonly height: number
}

export type ChartTheme = "light" | "dark"

/** Bars drawn, at most; more would be thinner than a pixel. */
export const POINTS_MAX = 400

/** Series drawn, at most. */
export const SERIES_MAX = 10

export type ChartOption = ComposeOption<BarSeriesOption | GridComponentOption | TitleComponentOption>

/** Of series, in their order; all others are grey. Each is told from its neighbours, and seen on white and on black. */
const palette = ["#2f86d8", "#d9822b", "#2f9e6f", "#a05bd0", "#d04a6e", "#8a8f2a", "#1f9aa8", "#a8713f"] as const
export const othersColor = "#868e96"

export const colorAt = (index: number): string => palette[index] ?? othersColor

const colors = {
  light: { line: "#e6e7e9", text: "#49566c" },
  dark: { line: "#3a4451", text: "#a7b3c2" }
} as const

/** Where the bars of each kind are, in pixels from the edges of the picture: what points at them has to know. */
export const chartBounds = {
  days: { left: 66, right: 12, top: 12, bottom: 28 },
  names: { left: 138, right: 30, top: 8, bottom: 28 }
} as const

const FONT = "ui-sans-serif, system-ui, -apple-system, 'Segoe UI', Roboto, 'Noto Sans', 'Noto Sans CJK SC', sans-serif"
const FONT_SIZE = 12
const NAME_WIDTH = 122
const NARROW = 400
const BAR_WIDTH_MAX = 28
const CENT = 0.01

const shortened = (text: string): string => text.replace(/(\.\d*?)0+$/, "$1").replace(/\.$/, "")

const thousands = [[1e9, "B"], [1e6, "M"], [1e3, "k"]] as const

/** As many decimals as the axis needs, and never an exponent. */
export const axisLabel = (value: number, unit: ChartSpec["unit"] = "usd"): string => {
  if (unit === "count") {
    const [size, letter] = thousands.find(([least]) => Math.abs(value) >= least) ?? [1, ""]
    return `${shortened((value / size).toFixed(2))}${letter}`
  }
  if (value === 0) return "$0"
  const decimals = Math.abs(value) >= 10 ? 0 : Math.abs(value) >= CENT ? 2 : 6
  return `$${shortened(value.toFixed(decimals))}`
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

/** A series with the bars of its own color; of names, one bar each. */
const seriesOf = ({ kind, series }: ChartSpec): ReadonlyArray<BarSeriesOption> => {
  const bar = { type: "bar" as const, barMaxWidth: BAR_WIDTH_MAX, barCategoryGap: "30%" }
  if (kind === "days") {
    return series.map(({ color, values }) => ({ ...bar, stack: "all", data: [...values], itemStyle: { color } }))
  }
  const data = series.map(({ color, values: [value = 0] }) => ({
    value,
    itemStyle: { color, borderRadius: [0, 3, 3, 0] }
  }))
  return [{ ...bar, data }]
}

/** The option of a chart; a chart of nothing but zeros says that there is nothing. */
export const chartOption = (spec: ChartSpec, theme: ChartTheme): ChartOption => {
  if (!spec.series.some(({ values }) => values.some((value) => value > 0))) return empty(spec, theme)
  const { line, text } = colors[theme]
  const label = { color: text, fontFamily: FONT, fontSize: FONT_SIZE }
  const values = {
    type: "value" as const,
    splitNumber: spec.width < NARROW ? 2 : 4,
    ...spec.unit === "count" ? { minInterval: 1 } : {},
    axisLabel: { ...label, formatter: (value: number) => axisLabel(value, spec.unit), hideOverlap: true },
    splitLine: { lineStyle: { color: line } }
  }
  const names = {
    type: "category" as const,
    data: [...spec.labels],
    axisTick: { show: false },
    axisLine: { lineStyle: { color: line } }
  }
  const common = {
    animation: false,
    grid: { ...chartBounds[spec.kind], outerBoundsMode: "none" as const },
    series: [...seriesOf(spec)]
  }
  return spec.kind === "days"
    ? { ...common, xAxis: { ...names, axisLabel: { ...label, hideOverlap: true } }, yAxis: values }
    : {
      ...common,
      xAxis: values,
      yAxis: { ...names, inverse: true, axisLabel: { ...label, width: NAME_WIDTH, overflow: "truncate" } }
    }
}
