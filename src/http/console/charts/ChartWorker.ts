/**
 * The thread that draws charts: drawing takes milliseconds of computing, which calls under way must not wait for. Gets a
 * specification, answers the SVG text.
 *
 * @internal
 */
import { BarChart } from "echarts/charts"
import { GridComponent, TitleComponent } from "echarts/components"
import { init, use } from "echarts/core"
import { SVGRenderer } from "echarts/renderers"
import { parentPort } from "node:worker_threads"
import { chartOption } from "./ChartOption.ts"
import type { ChartSpec, ChartTheme } from "./ChartSpec.ts"

/** What the thread is asked. */
export interface ChartOrder {
  readonly id: number
  readonly spec: ChartSpec
  readonly theme: ChartTheme
}

/** What it answers; without `svg` the chart could not be drawn. */
export interface ChartAnswer {
  readonly id: number
  readonly svg?: string
}

use([BarChart, GridComponent, TitleComponent, SVGRenderer])

const draw = ({ spec, theme }: ChartOrder): string => {
  const chart = init(null, null, { renderer: "svg", ssr: true, width: spec.width, height: spec.height })
  try {
    chart.setOption(chartOption(spec, theme))
    return chart.renderToSVGString()
  } finally {
    chart.dispose()
  }
}

const answer = (order: ChartOrder): ChartAnswer => {
  try {
    return { id: order.id, svg: draw(order) }
  } catch {
    return { id: order.id }
  }
}

parentPort?.on("message", (order: ChartOrder) => parentPort?.postMessage(answer(order)))
