/**
 * A chart of what calls came to, as the answer to a request: in the theme and the size that the address asks for, kept by the browser for
 * a while, and unable to do anything but be looked at.
 */
import { DateTime, Effect, Option } from "effect"
import { HttpServerResponse } from "effect/http"
import { type Answer, raw } from "../Answer.ts"
import { type PageContext, sayOf } from "../PageContext.ts"
import type { UsageSeries } from "../../../usage/UsageSeries.ts"
import type { UsageSums } from "../../../usage/UsageSums.ts"
import { readMeasure, stackColors, valueOf } from "./ChartData.ts"
import { type ChartSpec, colorAt } from "./ChartOption.ts"
import { Charts } from "./Charts.ts"

/** A browser keeps a chart for this long, in seconds. */
const CHART_SECONDS = 30

/** As wide as they are shown, so that their texts are as large as the page's. */
const sizes = {
  days: { wide: { width: 720, height: 240 }, narrow: { width: 340, height: 220 } },
  names: { wide: { width: 460, height: 240 }, narrow: { width: 340, height: 220 } }
} as const

/** More names would not be read from a picture. */
export const NAMES_DRAWN_MAX = 8

/** A day named `YYYY-MM-DD`, as the axis of a chart names it. */
export const shortDay = ({ formats }: Pick<PageContext, "formats">, day: string): string =>
  Option.match(DateTime.make(`${day}T12:00:00Z`), {
    onNone: () => day,
    onSome: (at) => formats.dayAndMonth(DateTime.toDateUtc(at))
  })

const HOUR_AT = "YYYY-MM-DD ".length

/** A day or an hour as the axis of a chart names it. */
export const momentLabel = (context: Pick<PageContext, "formats">, { unit }: UsageSeries, moment: string): string =>
  unit === "day" ? shortDay(context, moment) : moment.slice(HOUR_AT)

interface Drawn {
  readonly kind: ChartSpec["kind"]
  readonly labels: ReadonlyArray<string>
  readonly series: ChartSpec["series"]
}

const drawn = (context: PageContext, chart: Drawn): Effect.Effect<Answer, never, Charts> => {
  const spec: ChartSpec = {
    ...chart,
    unit: readMeasure(context) === "spend" ? "usd" : "count",
    emptyText: sayOf(context, "usage")("nothingSpent"),
    ...sizes[chart.kind][context.query.get("size") === "narrow" ? "narrow" : "wide"]
  }
  const theme = context.query.get("theme") === "dark" ? "dark" : "light"
  return Effect.flatMap(Charts, (charts) => charts.render(spec, theme)).pipe(
    Effect.map((svg) =>
      HttpServerResponse.text(svg, {
        contentType: "image/svg+xml",
        headers: {
          "cache-control": `private, max-age=${CHART_SECONDS}`,
          "content-security-policy": "default-src 'none'; sandbox",
          "x-content-type-options": "nosniff"
        }
      })
    ),
    Effect.catchTag("ChartFailed", ({ why }) =>
      Effect.as(
        Effect.logWarning("a chart was not drawn", { why }),
        HttpServerResponse.empty({ status: 503, headers: { "cache-control": "no-store", "retry-after": "1" } })
      )),
    Effect.map(raw)
  )
}

/** A bar for each day or hour, with a part for each model. */
export const momentsAnswer = (context: PageContext, series: UsageSeries, models: ReadonlyArray<string>) => {
  const measure = readMeasure(context)
  return drawn(context, {
    kind: "days",
    labels: series.moments.map(({ moment }) => momentLabel(context, series, moment)),
    series: stackColors(series, models).map(({ color, sums }) => ({ color, values: sums.map(valueOf(measure)) }))
  })
}

/** A bar for each model, in the order of `models`. */
export const namesAnswer = (context: PageContext, models: ReadonlyArray<UsageSums & { readonly name: string }>) => {
  const measure = readMeasure(context)
  const shown = models.slice(0, NAMES_DRAWN_MAX)
  return drawn(context, {
    kind: "names",
    labels: shown.map(({ name }) => name),
    series: shown.map((sums, index) => ({ color: colorAt(index), values: [valueOf(measure)(sums)] }))
  })
}
