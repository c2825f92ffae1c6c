/**
 * `/usage/days.svg` and `/usage/models.svg`: the charts of a period, drawn from the same figures as the page that shows them.
 */
import { DateTime, Effect, Layer, Option } from "effect"
import { HttpServerResponse } from "effect/http"
import { type UsageOverview, UsageReports } from "../../../../usage/UsageReports.ts"
import { type Answer, raw } from "../../Answer.ts"
import { Charts } from "../../charts/Charts.ts"
import type { ChartSpec } from "../../charts/ChartSpec.ts"
import { userPage } from "../../ConsoleRoute.ts"
import { sayOf, type UserVisit } from "../../Visit.ts"
import { readFilter } from "./UsageQuery.ts"
import { usageText } from "./UsageText.ts"

/** A chart of the same period is asked for again after so many seconds. */
const CHART_SECONDS = 30

const MICROS = 1e6

/** For drawing only. */
const dollars = (micros: bigint): number => Number(micros) / MICROS

/** As wide as they are shown, so that their texts are as large as the page's. */
const sizes = {
  days: { wide: { width: 720, height: 240 }, narrow: { width: 340, height: 220 } },
  names: { wide: { width: 460, height: 240 }, narrow: { width: 340, height: 220 } }
} as const

const shortDay = (visit: UserVisit, day: string): string =>
  Option.match(DateTime.make(`${day}T12:00:00Z`), {
    onNone: () => day,
    onSome: (at) => visit.formats.dayAndMonth(DateTime.toDateUtc(at))
  })

const daySpec = (visit: UserVisit, { days }: UsageOverview): Pick<ChartSpec, "kind" | "labels" | "values"> => ({
  kind: "days",
  labels: days.map(({ day }) => shortDay(visit, day)),
  values: days.map(({ chargedMicros }) => dollars(chargedMicros))
})

/** More would not be read from a picture. */
const MODELS_DRAWN_MAX = 8

const modelSpec = (_visit: UserVisit, { models }: UsageOverview): Pick<ChartSpec, "kind" | "labels" | "values"> => {
  const drawn = models.slice(0, MODELS_DRAWN_MAX)
  return {
    kind: "names",
    labels: drawn.map(({ model }) => model),
    values: drawn.map(({ chargedMicros }) => dollars(chargedMicros))
  }
}

const chart = (specOf: typeof daySpec) =>
  Effect.fnUntraced(function*(visit: UserVisit) {
    const { filter } = readFilter(visit)
    const overview = yield* (yield* UsageReports).overview(visit.user.id, filter, visit.formats.timeZone).pipe(
      Effect.catchTag("UsageRefused", (refused) => Effect.die(refused))
    )
    const drawn = specOf(visit, overview)
    const size = sizes[drawn.kind][visit.query.get("size") === "narrow" ? "narrow" : "wide"]
    const spec = { ...drawn, ...size, emptyText: sayOf(visit, usageText)("nothingSpent") }
    return yield* (yield* Charts).render(spec, visit.query.get("theme") === "dark" ? "dark" : "light").pipe(
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
  })

export const ChartRoutes = Layer.mergeAll(
  userPage("/usage/days.svg", chart(daySpec)),
  userPage("/usage/models.svg", chart(modelSpec))
)
