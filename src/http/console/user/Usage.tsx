/**
 * `/usage`: what the calls of a period came to, by day and by model, and the calls one by one, as a page and as a file, with their receipts.
 */
import { Effect } from "effect"
import { HttpRouter } from "effect/http"
import { ApiKeys, type ListedApiKey } from "../../../identity/ApiKeys.ts"
import { callColumns as csvColumns } from "../../../usage/CallCsv.ts"
import { CallList } from "../../../usage/CallList.ts"
import { Receipts } from "../../../usage/Receipts.ts"
import { RefusedCalls } from "../../../usage/RefusedCalls.ts"
import { type UsageOverview, UsageReports } from "../../../usage/UsageReports.ts"
import { unitOf } from "../../../usage/UsageSeries.ts"
import { type Answer, notFound, page, PageNotFound } from "../Answer.ts"
import { momentsAnswer, namesAnswer } from "../charts/ChartAnswer.ts"
import { routes, userPage } from "../ConsoleRoute.ts"
import { csvAnswer, inTurns } from "../Csv.ts"
import { headedPage } from "../kit/Forms.tsx"
import type { ListFilter } from "../kit/List.tsx"
import { Grid, Notice } from "../kit/Parts.tsx"
import { callColumns, callFilter, CallsCard } from "../kit/usage/Calls.tsx"
import { MomentsChart, NamesChart, type PageChart } from "../kit/usage/Charts.tsx"
import { ReceiptView } from "../kit/usage/Receipt.tsx"
import { RefusedView } from "../kit/usage/Refused.tsx"
import { RangePicker, SumFigures, SumsTable } from "../kit/usage/Sums.tsx"
import { queryText, readFilter, type UsageQuery } from "../kit/usage/UsageQuery.ts"
import { type PageContext, sayOf, type UserContext } from "../PageContext.ts"

interface ChartProps extends PageChart {
  readonly overview: UsageOverview
}

const stackedIn = ({ models }: UsageOverview): ReadonlyArray<string> => models.map(({ model }) => model)

/** By day or hour. */
export const DaysChart = ({ overview, ...props }: ChartProps) => (
  <MomentsChart {...props} path="/usage/days.svg" series={overview} models={stackedIn(overview)} />
)

const namesOf = ({ models }: UsageOverview) => models.map(({ model, ...sums }) => ({ name: model, ...sums }))

const ModelsChart = ({ overview, ...props }: ChartProps) => {
  const { models, otherModels, totals } = overview
  const say = sayOf(props.context, "usage")
  const named = models.map((sums) => [<code class="break-anywhere">{sums.model}</code>, sums] as const)
  const others = otherModels === undefined ? [] : [[say("others"), otherModels] as const]
  return (
    <NamesChart {...props} path="/usage/models.svg" totals={totals} names={namesOf(overview)}>
      <SumsTable context={props.context} caption={props.title} first={say("model")} lines={[...named, ...others]} />
    </NamesChart>
  )
}

interface ChoicesProps {
  readonly query: UsageQuery
  readonly models: ReadonlyArray<string>
  readonly keys: ReadonlyArray<ListedApiKey>
}

/** What calls may be narrowed to. A model that is chosen is offered, even where nothing is known of it. */
const filterOf = (context: PageContext, { keys, models, query }: ChoicesProps): ReadonlyArray<ListFilter> => {
  const say = sayOf(context, "usage")
  const { keyId, model } = query.filter
  const known = new Set([...models, ...(model === undefined ? [] : [model])])
  const keyName = ({ hint, name }: ListedApiKey) => name === "" ? hint : `${name} (${hint})`
  const keyOptions = keys.map((key) => [key.id.toString(), keyName(key)] as const)
  return [
    {
      is: "choice",
      name: "model",
      label: say("model"),
      value: model,
      options: Array.from(known, (name) => [name, name])
    },
    { is: "choice", name: "key", label: say("key"), value: keyId?.toString(), options: keyOptions },
    ...callFilter(context, query)
  ]
}

const show = Effect.fnUntraced(function*(context: UserContext) {
  const query = readFilter(context)
  const cursor = context.query.get("before") ?? undefined
  const reports = yield* UsageReports
  const userId = context.user.id
  const { calls, keys, models, overview } = yield* Effect.all({
    overview: reports.overview(userId, query.filter, context.formats.timeZone, unitOf(query.range)),
    calls: (yield* CallList).page(userId, query.filter, cursor),
    models: reports.models(userId),
    keys: (yield* ApiKeys).list(userId)
  }, { concurrency: "unbounded" }).pipe(
    // A period is checked when the address is read, so it is the cursor that cannot be read.
    Effect.catchTag("UsageRefused", notFound)
  )
  const say = sayOf(context, "usage")
  const { charged, duration, key, model, state, time, tokens } = callColumns(context, "/usage")
  const chart = { context, overview, page: { path: "/usage", query: queryText(query) } }
  const shown = {
    context,
    path: "/usage",
    queryOf: (changes: Readonly<Record<string, string>> = {}) => queryText(query, changes)
  }
  return headedPage({
    context,
    title: say("title"),
    lead: say("lead"),
    children: (
      <>
        <RangePicker {...shown} range={query.range} />
        {overview.partial ? <Notice kind="info">{say("partial")}</Notice> : null}
        <SumFigures context={context} sums={overview.totals} />
        <Grid
          class="mb-3"
          cells={[
            ["col-lg-7", <DaysChart {...chart} title={say(overview.unit === "day" ? "byDay" : "byHour")} />],
            ["col-lg-5", <ModelsChart {...chart} title={say("byModel")} />]
          ]}
        />
        <CallsCard
          {...shown}
          calls={calls}
          query={query}
          csvPath="/usage/calls.csv"
          filter={filterOf(context, { keys, models, query })}
          columns={[time, model, key, tokens, duration, charged, state]}
          none={{ title: say("none"), text: say("none.text") }}
        />
      </>
    )
  })
})

/** A chart is drawn from the same figures as the page that shows it. */
function chart<R>(answerOf: (context: UserContext, overview: UsageOverview) => Effect.Effect<Answer, never, R>) {
  return Effect.fnUntraced(function*(context: UserContext) {
    const { filter, range } = readFilter(context)
    const reports = yield* UsageReports
    const overview = yield* reports.overview(context.user.id, filter, context.formats.timeZone, unitOf(range)).pipe(
      Effect.catchTag("UsageRefused", Effect.die)
    )
    return yield* answerOf(context, overview)
  })
}

const daysChart = chart((context, overview) => momentsAnswer(context, overview, stackedIn(overview)))

const modelsChart = chart((context, overview) => namesAnswer(context, namesOf(overview)))

const csv = Effect.fnUntraced(function*(context: UserContext) {
  const { filter, range } = readFilter(context)
  const calls = yield* inTurns(context.user.id, (yield* CallList).rows(context.user.id, filter))
  return csvAnswer(`realms-calls-${range.from}-${range.to}.csv`, csvColumns, calls)
})

const receipt = Effect.fnUntraced(function*(context: UserContext) {
  const id = (yield* HttpRouter.params)["id"] ?? ""
  const found = yield* (yield* Receipts).receipt(context.user.id, id)
  if (found !== undefined) return page(sayOf(context, "usage")("receipt"), ReceiptView({ context, call: found }))
  const refused = yield* (yield* RefusedCalls).find(id, context.user.id)
  if (refused === undefined) return yield* new PageNotFound()
  return page(sayOf(context, "refused")("refused"), RefusedView({ context, call: refused }))
})

export const UsageRoutes = routes(
  userPage("/usage", show),
  userPage("/usage/days.svg", daysChart),
  userPage("/usage/models.svg", modelsChart),
  userPage("/usage/calls.csv", csv),
  userPage("/usage/:id", receipt)
)
