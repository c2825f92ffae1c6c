/**
 * A chart of what was spent, as the answer to a request: in the theme and the size that the address asks for, kept by the browser for
 * a while, and unable to do anything but be looked at.
 */
import { DateTime, Effect, Option } from "effect"
import { HttpServerResponse } from "effect/http"
import { type Answer, raw } from "../Answer.ts"
import { type PageContext, sayOf } from "../PageContext.ts"
import type { ChartSpec } from "./ChartOption.ts"
import { Charts } from "./Charts.ts"

/** A browser keeps a chart for this long, in seconds. */
const CHART_SECONDS = 30

/** As wide as they are shown, so that their texts are as large as the page's. */
const sizes = {
  days: { wide: { width: 720, height: 240 }, narrow: { width: 340, height: 220 } },
  names: { wide: { width: 460, height: 240 }, narrow: { width: 340, height: 220 } }
} as const

const MICROS = 1e6

/** More names would not be read from a picture. */
const NAMES_DRAWN_MAX = 8

/** A day named `YYYY-MM-DD`, as the axis of a chart names it. */
export const shortDay = ({ formats }: Pick<PageContext, "formats">, day: string): string =>
  Option.match(DateTime.make(`${day}T12:00:00Z`), {
    onNone: () => day,
    onSome: (at) => formats.dayAndMonth(DateTime.toDateUtc(at))
  })

/** What was spent on a day, or by the name of something. */
export type Spend = readonly [label: string, micros: bigint]

const specOf = (context: PageContext, kind: ChartSpec["kind"], spends: ReadonlyArray<Spend>): ChartSpec => {
  const drawn = kind === "names" ? spends.slice(0, NAMES_DRAWN_MAX) : spends
  return {
    kind,
    labels: drawn.map(([label]) => label),
    values: drawn.map(([, micros]) => Number(micros) / MICROS),
    emptyText: sayOf(context, "usage")("nothingSpent"),
    ...sizes[kind][context.query.get("size") === "narrow" ? "narrow" : "wide"]
  }
}

export const chartAnswer = (
  context: PageContext,
  kind: ChartSpec["kind"],
  spends: ReadonlyArray<Spend>
): Effect.Effect<Answer, never, Charts> => {
  const theme = context.query.get("theme") === "dark" ? "dark" : "light"
  return Effect.flatMap(Charts, (charts) => charts.render(specOf(context, kind, spends), theme)).pipe(
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
