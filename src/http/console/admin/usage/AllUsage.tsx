/**
 * `/admin/usage`: what the calls of all users came to. A period, its figures and charts, who and what they were for, and how the channels
 * do.
 */
import { Effect } from "effect"
import type { ComponentChildren } from "preact"
import { AllUsage, type UsageReport, type UsageShares } from "../../../../usage/AllUsage.ts"
import { ChannelReports } from "../../../../usage/ChannelReports.ts"
import { page } from "../../Answer.ts"
import { momentsAnswer, namesAnswer } from "../../charts/ChartAnswer.ts"
import { adminPage, routes } from "../../ConsoleRoute.ts"
import { Card, Grid, Nothing } from "../../kit/Parts.tsx"
import { MomentsChart, NamesChart, type PageChart } from "../../kit/usage/Charts.tsx"
import { SumFigures, SumsTable } from "../../kit/usage/Sums.tsx"
import { sayOf, type UserContext } from "../../PageContext.ts"
import { AllCallsRoutes } from "./AllCalls.tsx"
import { type AllUsageQuery, placeOf, queryText, readAllUsage, UsageTop } from "./AllUsageQuery.tsx"
import { ChannelsCard } from "./Channels.tsx"

interface AllUsageProps {
  readonly context: UserContext
  readonly query: AllUsageQuery
  readonly report: UsageReport
}

interface MomentsProps extends PageChart {
  readonly report: UsageReport
}

const modelsOf = ({ models }: UsageReport): ReadonlyArray<string> => models.top.map(({ name }) => name)

/** By day or hour. */
export const AllMomentsChart = ({ report, ...props }: MomentsProps) => (
  <MomentsChart {...props} path="/admin/usage/days.svg" series={report} models={modelsOf(report)} />
)

/** How fresh the figures are. */
export const Freshness = ({ report, context }: Pick<AllUsageProps, "context" | "report">) => {
  const say = sayOf(context, "allUsage")
  return (
    <p class="text-secondary">
      {report.foldedTo === null ? say("fresh.never") : say("fresh", { time: context.formats.time(report.foldedTo) })}
    </p>
  )
}

type Share = UsageShares["top"][number]

interface SharesProps extends AllUsageProps {
  /** The part of the address that a share's name narrows; a share without a name leads nowhere. */
  readonly part: "user" | "model" | "channel"
  readonly shares: UsageShares
  readonly caption: string
  readonly first: string
  readonly nameOf: (share: Share) => ComponentChildren
}

/** Each share leads to its own figures. */
const SharesTable = ({ nameOf, part, query, shares: { others, othersCount, top }, ...table }: SharesProps) => {
  const { context } = table
  if (top.length === 0) return <Nothing icon="usage" title={sayOf(context, "usage")("none")} />
  const lines = top.map((share) => {
    const name = <span class="break-anywhere">{nameOf(share)}</span>
    const href = `/admin/usage?${queryText(query, { [part]: share.name })}`
    return [share.name === "" ? name : <a href={href}>{name}</a>, share] as const
  })
  const rest = sayOf(context, "allUsage")("others", { count: othersCount })
  return <SumsTable {...table} lines={[...lines, ...others === undefined ? [] : [[rest, others] as const]]} />
}

const ModelsChart = (props: AllUsageProps) => {
  const { query, report: { models, totals }, context } = props
  const say = sayOf(context, "usage")
  const title = say("byModel")
  return (
    <NamesChart
      context={context}
      page={{ path: "/admin/usage", query: queryText(query) }}
      path="/admin/usage/models.svg"
      title={title}
      totals={totals}
      names={models.top}
    >
      <SharesTable
        {...props}
        part="model"
        shares={models}
        caption={title}
        first={say("model")}
        nameOf={({ name }) => <code>{name}</code>}
      />
    </NamesChart>
  )
}

const SharesCard = (props: SharesProps) => (
  <Card title={props.caption}>
    <SharesTable {...props} />
  </Card>
)

/** What the figures are narrowed to, and the way back. */
const Narrowed = ({ query, context }: Pick<AllUsageProps, "context" | "query">) => {
  const say = sayOf(context, "allUsage")
  const { filter, user, userText } = query
  const parts = [
    ["user", user?.email ?? userText],
    ["model", filter.model ?? ""],
    ["channel", filter.channel ?? ""]
  ] as const
  return (
    <>
      {parts.map(([part, name]) =>
        name === "" ? null : (
          <div key={part} class="mb-2">
            {say("only", { name })} ·{" "}
            <a href={`/admin/usage?${queryText(query, { [part]: "" })}`}>{say("only.remove")}</a>
          </div>
        )
      )}
    </>
  )
}

/** The range has been checked when the address was read. */
const reportOf = Effect.fnUntraced(function*(context: UserContext, users = true) {
  const query = yield* readAllUsage(context)
  const report = yield* (yield* AllUsage).report({ ...query.filter, users }, context.formats.timeZone).pipe(
    Effect.catchTag("UsageRefused", Effect.die)
  )
  return { query, report }
})

const show = Effect.fnUntraced(function*(context: UserContext) {
  const say = sayOf(context, "allUsage")
  const { channels, known } = yield* Effect.all({
    known: reportOf(context),
    channels: (yield* ChannelReports).report
  }, { concurrency: "unbounded" })
  const { query, report } = known
  const props = { context, ...known }
  const place = placeOf(context, "/admin/usage", query)
  const other = { path: "/admin/usage/calls", text: say("calls.show") }
  const momentsTitle = sayOf(context, "usage")(report.unit === "day" ? "byDay" : "byHour")
  const users = { part: "user", shares: report.users, caption: say("byUser"), first: say("user") } as const
  const byChannel = {
    part: "channel",
    shares: report.channels,
    caption: say("byChannel"),
    first: say("channel")
  } as const
  return page(
    say("title"),
    <>
      <UsageTop {...place} query={query} title={say("title")} other={other} />
      <Narrowed context={context} query={query} />
      <Freshness context={context} report={report} />
      <SumFigures context={context} sums={report.totals} />
      <Grid
        cells={[
          [
            "col-lg-7",
            <AllMomentsChart
              context={context}
              report={report}
              page={{ path: "/admin/usage", query: queryText(query) }}
              title={momentsTitle}
            />
          ],
          ["col-lg-5", <ModelsChart {...props} />],
          [
            "col-12",
            <SharesCard {...props} {...byChannel} nameOf={({ name }) => name === "" ? say("channel.none") : name} />
          ],
          ["col-12", <ChannelsCard context={context} report={channels} />],
          ["col-12", <SharesCard {...props} {...users} nameOf={({ email, name }) => email ?? name} />]
        ]}
      />
    </>
  )
})

const momentsChart = Effect.fnUntraced(function*(context: UserContext) {
  const { report } = yield* reportOf(context, false)
  return yield* momentsAnswer(context, report, modelsOf(report))
})

const modelsChart = Effect.fnUntraced(function*(context: UserContext) {
  return yield* namesAnswer(context, (yield* reportOf(context, false)).report.models.top)
})

export const AllUsageRoutes = routes(
  adminPage("/admin/usage", show),
  adminPage("/admin/usage/days.svg", momentsChart),
  adminPage("/admin/usage/models.svg", modelsChart),
  AllCallsRoutes
)
