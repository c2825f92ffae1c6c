/**
 * `/usage/days.svg` and `/usage/models.svg`: the charts of a period, drawn from the same figures as the page that shows them.
 */
import { DateTime, Effect, Layer, Option } from "effect"
import { type UsageOverview, UsageReports } from "../../../../usage/UsageReports.ts"
import { chartAnswer, dollars, type Drawing, NAMES_DRAWN_MAX } from "../../charts/ChartAnswer.ts"
import { userPage } from "../../ConsoleRoute.ts"
import { sayOf, type UserContext } from "../../PageContext.ts"
import { readFilter } from "../../kit/usage/UsageQuery.ts"

/** A day named `YYYY-MM-DD`, as the axis of a chart names it. */
export const shortDay = (context: UserContext, day: string): string =>
  Option.match(DateTime.make(`${day}T12:00:00Z`), {
    onNone: () => day,
    onSome: (at) => context.formats.dayAndMonth(DateTime.toDateUtc(at))
  })

const drawDays = (context: UserContext, { days }: UsageOverview): Drawing => ({
  kind: "days",
  labels: days.map(({ day }) => shortDay(context, day)),
  values: days.map(({ chargedMicros }) => dollars(chargedMicros)),
  emptyText: sayOf(context, "usage")("nothingSpent")
})

const drawModels = (context: UserContext, { models }: UsageOverview): Drawing => {
  const drawn = models.slice(0, NAMES_DRAWN_MAX)
  return {
    kind: "names",
    labels: drawn.map(({ model }) => model),
    values: drawn.map(({ chargedMicros }) => dollars(chargedMicros)),
    emptyText: sayOf(context, "usage")("nothingSpent")
  }
}

const chart = (draw: typeof drawDays) =>
  Effect.fnUntraced(function*(context: UserContext) {
    const { filter } = readFilter(context)
    const overview = yield* (yield* UsageReports).overview(context.user.id, filter, context.formats.timeZone).pipe(
      Effect.catchTag("UsageRefused", (refused) => Effect.die(refused))
    )
    return yield* chartAnswer(context, draw(context, overview))
  })

export const ChartRoutes = Layer.mergeAll(
  userPage("/usage/days.svg", chart(drawDays)),
  userPage("/usage/models.svg", chart(drawModels))
)
