/**
 * What the calls of all users came to: a period, its figures and charts, who and what they were for, and how the channels do.
 */
import type { ComponentChildren } from "preact"
import type { UsageReport, UsageShares } from "../../../../usage/AllUsage.ts"
import type { ChannelsReport } from "../../../../usage/ChannelReports.ts"
import { sayOf, type UserContext } from "../../PageContext.ts"
import { RangePicker } from "../../kit/usage/RangePicker.tsx"
import { RefusedCard, type ShownRefusals } from "../../kit/usage/RefusedCard.tsx"
import { RANGE_DAYS_SHOWN_MAX } from "../../kit/usage/UsageRange.ts"
import { SumFigures, sumsRow, SumsTable } from "../../user/usage/UsageView.tsx"
import { ChartImage } from "../../ui/ChartImage.tsx"
import { Notice } from "../../ui/Forms.tsx"
import { Card, Nothing, PageHeading } from "../../ui/Parts.tsx"
import { type AllUsageQuery, queryText } from "./AllUsageQuery.ts"
import { ChannelsCard } from "./ChannelsCard.tsx"

export interface AllUsageProps {
  readonly context: UserContext
  readonly query: AllUsageQuery
  readonly report: UsageReport
  readonly channels: ChannelsReport
  /** Of the one user that the figures are of; undefined where they are those of all users. */
  readonly refused: ShownRefusals | undefined
}

/** Another one after every fold, so that a browser's copy is never older than the page. */
const chartVersion = ({ formats, user }: UserContext, { totals }: UsageReport): string =>
  new URLSearchParams({
    v: [user.id, formats.language, formats.timeZone, totals.calls, totals.chargedMicros].join("-")
  }).toString()

/** Spend by day or hour: a picture, and a table for those who want the figures. */
export const MomentsChart = (
  { query, report, title, context }: Pick<AllUsageProps, "context" | "report"> & {
    readonly query: string
    readonly title: string
  }
) => {
  const say = sayOf(context, "usage")
  return (
    <ChartImage
      width={720}
      src={`/admin/usage/days.svg?${query}&${chartVersion(context, report)}`}
      title={title}
      summary={say("asTable")}
    >
      <SumsTable
        context={context}
        caption={title}
        first={report.unit === "day" ? say("day") : sayOf(context, "allUsage")("hour")}
        rows={report.moments.map((moment) => sumsRow(context, moment.moment, moment))}
      />
    </ChartImage>
  )
}

/** How fresh the figures are. */
export const Freshness = ({ report, context }: Pick<AllUsageProps, "context" | "report">) => {
  const say = sayOf(context, "allUsage")
  return (
    <p class="text-secondary">
      {report.foldedTo === null ? say("fresh.never") : say("fresh", { time: context.formats.time(report.foldedTo) })}
    </p>
  )
}

/** Each share leads to its own figures. */
const SharesTable = (
  { caption, first, nameOf, query, shares, toQuery, context }: Pick<AllUsageProps, "context" | "query"> & {
    readonly shares: UsageShares
    readonly caption: string
    readonly first: string
    readonly nameOf: (share: UsageShares["top"][number]) => ComponentChildren
    /** What is changed in the address; undefined where there is nothing to lead to. */
    readonly toQuery: (share: UsageShares["top"][number]) => Readonly<Record<string, string>> | undefined
  }
) => {
  const say = sayOf(context, "usage")
  if (shares.top.length === 0) return <Nothing icon="usage" title={say("none")} />
  const rows = shares.top.map((share) => {
    const changes = toQuery(share)
    const name = <span class="break-anywhere">{nameOf(share)}</span>
    return sumsRow(
      context,
      changes === undefined ? name : <a href={`/admin/usage?${queryText(query, changes)}`}>{name}</a>,
      share
    )
  })
  const rest = sayOf(context, "allUsage")("others", { count: shares.othersCount })
  const others = shares.others === undefined ? [] : [sumsRow(context, rest, shares.others)]
  return <SumsTable context={context} caption={caption} first={first} rows={[...rows, ...others]} />
}

const Charts = ({ query, report, context }: AllUsageProps) => {
  const say = sayOf(context, "usage")
  const title = report.unit === "day" ? say("byDay") : sayOf(context, "allUsage")("byHour")
  return (
    <>
      <div class="col-lg-7">
        <Card title={title} class="h-100">
          <MomentsChart context={context} report={report} query={queryText(query)} title={title} />
        </Card>
      </div>
      <div class="col-lg-5">
        <Card title={say("byModel")} class="h-100">
          <ChartImage
            width={460}
            src={`/admin/usage/models.svg?${queryText(query)}&${chartVersion(context, report)}`}
            title={say("byModel")}
            summary={say("asTable")}
          >
            <SharesTable
              context={context}
              query={query}
              shares={report.models}
              caption={say("byModel")}
              first={say("model")}
              nameOf={({ name }) => <code>{name}</code>}
              toQuery={({ name }) => ({ model: name })}
            />
          </ChartImage>
        </Card>
      </div>
    </>
  )
}

const UsersCard = ({ query, report, context }: AllUsageProps) => {
  const say = sayOf(context, "allUsage")
  return (
    <Card title={say("byUser")}>
      <SharesTable
        context={context}
        query={query}
        shares={report.users}
        caption={say("byUser")}
        first={say("user")}
        nameOf={({ email, name }) => email ?? name}
        toQuery={({ name }) => ({ user: name })}
      />
    </Card>
  )
}

const ChannelSharesCard = ({ query, report, context }: AllUsageProps) => {
  const say = sayOf(context, "allUsage")
  return (
    <Card title={say("byChannel")}>
      <SharesTable
        context={context}
        query={query}
        shares={report.channels}
        caption={say("byChannel")}
        first={say("channel")}
        nameOf={({ name }) => name === "" ? say("channel.none") : name}
        toQuery={({ name }) => name === "" ? undefined : { channel: name }}
      />
    </Card>
  )
}

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

export const AllUsageView = (props: AllUsageProps) => {
  const { channels, query, refused, report, context } = props
  const say = sayOf(context, "allUsage")
  const { filter, range } = query
  return (
    <>
      <PageHeading title={say("title")}>
        <a class="btn" href={`/admin/usage/calls?${queryText(query)}`}>{say("calls.show")}</a>
      </PageHeading>
      <RangePicker
        context={context}
        range={range}
        path="/admin/usage"
        queryOf={(changes) => queryText(query, changes)}
        kept={{ user: query.userText, model: filter.model ?? "", channel: filter.channel ?? "" }}
      />
      {range.isRefused
        ? <Notice kind="warning">{sayOf(context, "usage")("range.bad", { days: RANGE_DAYS_SHOWN_MAX })}</Notice>
        : null}
      {query.userText !== "" && query.user === undefined
        ? <Notice kind="warning">{say("user.unknown", { name: query.userText })}</Notice>
        : null}
      <Narrowed context={context} query={query} />
      <Freshness context={context} report={report} />
      <div class="row g-3">
        <SumFigures context={context} sums={report.totals} />
        <Charts {...props} />
        <div class="col-12">
          <ChannelSharesCard {...props} />
        </div>
        <div class="col-12">
          <ChannelsCard context={context} report={channels} />
        </div>
        <div class="col-12">
          <UsersCard {...props} />
        </div>
      </div>
      <RefusedCard
        context={context}
        refused={refused}
        path="/admin/usage"
        queryOf={(changes) => queryText(query, changes)}
      />
    </>
  )
}
