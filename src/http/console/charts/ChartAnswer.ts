/**
 * A chart as the answer to a request: in the theme and the size that the address asks for, kept by the browser for a while,
 * and unable to do anything but be looked at.
 */
import { Effect } from "effect"
import { HttpServerResponse } from "effect/http"
import { type Answer, raw } from "../Answer.ts"
import type { PageContext } from "../PageContext.ts"
import { Charts } from "./Charts.ts"
import type { ChartSpec } from "./ChartSpec.ts"

/** A chart of the same period is asked for again after so many seconds. */
const CHART_SECONDS = 30

/** As wide as they are shown, so that their texts are as large as the page's. */
const sizes = {
  days: { wide: { width: 720, height: 240 }, narrow: { width: 340, height: 220 } },
  names: { wide: { width: 460, height: 240 }, narrow: { width: 340, height: 220 } }
} as const

const MICROS = 1e6

/** For drawing only. */
export const dollars = (micros: bigint): number => Number(micros) / MICROS

/** More names would not be read from a picture. */
export const NAMES_DRAWN_MAX = 8

/** What a chart shows, without how. */
export type Drawing = Pick<ChartSpec, "kind" | "labels" | "values" | "emptyText">

export const chartAnswer = (
  context: Pick<PageContext, "query">,
  drawing: Drawing
): Effect.Effect<Answer, never, Charts> => {
  const size = sizes[drawing.kind][context.query.get("size") === "narrow" ? "narrow" : "wide"]
  const theme = context.query.get("theme") === "dark" ? "dark" : "light"
  return Effect.flatMap(Charts, (charts) => charts.render({ ...drawing, ...size }, theme)).pipe(
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
    Effect.map((response): Answer => raw(response))
  )
}
