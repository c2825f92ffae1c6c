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
import { serveOrders } from "../../../platform/ServeOrders.ts"
import { chartOption, type ChartSpec, type ChartTheme } from "./ChartOption.ts"

/** What the thread is asked. */
export interface ChartOrder {
  readonly spec: ChartSpec
  readonly theme: ChartTheme
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

serveOrders((order: ChartOrder): string | null => {
  try {
    return draw(order)
  } catch {
    return null
  }
})
