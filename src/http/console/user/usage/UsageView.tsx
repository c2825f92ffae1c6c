/**
 * The usage page: a period, what it came to, by day and by model, and the calls one by one.
 */
import type { ComponentChildren } from "preact"
import type { CallItem } from "../../../../usage/CallItem.ts"
import type { CallPage } from "../../../../usage/CallList.ts"
import type { UsageOverview } from "../../../../usage/UsageReports.ts"
import { inputOf, type UsageSums } from "../../../../usage/UsageSums.ts"
import { type PageContext, sayOf } from "../../PageContext.ts"
import { ChartImage } from "../../ui/ChartImage.tsx"
import { Notice } from "../../ui/Forms.tsx"
import { Card, DataTable, Figure, Nothing, PageHeading } from "../../ui/Parts.tsx"
import { CallTable } from "../../kit/usage/CallTable.tsx"
import { type FilterChoices, FilterForm } from "../../kit/usage/FilterForm.tsx"
import { RangePicker } from "../../kit/usage/RangePicker.tsx"
import { RefusedCard, type ShownRefusals } from "../../kit/usage/RefusedCard.tsx"
import { queryText, type UsageQuery } from "../../kit/usage/UsageQuery.ts"
import { RANGE_DAYS_SHOWN_MAX } from "../../kit/usage/UsageRange.ts"

export interface UsageProps {
  readonly context: PageContext
  readonly query: UsageQuery
  readonly overview: UsageOverview
  readonly calls: CallPage<CallItem>
  /** This is not the first page of calls. */
  readonly isContinued: boolean
  readonly refused: ShownRefusals | undefined
  readonly choices: FilterChoices
}

export const SumFigures = ({ sums, context }: { readonly context: PageContext; readonly sums: UsageSums }) => {
  const say = sayOf(context, "usage")
  const { formats } = context
  const input = inputOf(sums)
  const parts = say("tokens.parts", { input: formats.count(input), output: formats.count(sums.outputTokens) })
  return (
    <>
      <div class="col-sm-6 col-lg-4">
        <Figure label={say("spend")} value={formats.usd(sums.chargedMicros)} icon="topup" />
      </div>
      <div class="col-sm-6 col-lg-4">
        <Figure label={say("calls")} value={formats.count(sums.calls)} icon="usage" />
      </div>
      <div class="col-sm-12 col-lg-4">
        <Figure
          label={say("tokens")}
          value={formats.count(input + sums.outputTokens)}
          hint={sums.cachedInputTokens === 0
            ? parts
            : `${parts}, ${say("cached", { count: formats.count(sums.cachedInputTokens) })}`}
          icon="model"
        />
      </div>
    </>
  )
}

/** A row of a {@link SumsTable}. */
export const sumsRow = (
  context: PageContext,
  name: ComponentChildren,
  sums: UsageSums
): ReadonlyArray<ComponentChildren> => [
  name,
  context.formats.count(sums.calls),
  context.formats.count(inputOf(sums)),
  context.formats.count(sums.outputTokens),
  context.formats.usd(sums.chargedMicros)
]

export const SumsTable = (
  { caption, first, rows, context }: {
    readonly context: PageContext
    readonly caption: string
    readonly first: string
    readonly rows: ReadonlyArray<ReadonlyArray<ComponentChildren>>
  }
) => {
  const say = sayOf(context, "usage")
  return (
    <DataTable
      caption={caption}
      columns={[
        { title: first },
        { title: say("calls"), number: true },
        { title: say("in"), number: true, wide: true },
        { title: say("out"), number: true, wide: true },
        { title: say("charged"), number: true }
      ]}
      rows={rows}
    />
  )
}

/** Another one for every reader and after every call, so that a browser's copy is never another's or older than the page. */
const chartVersion = ({ formats, user }: PageContext, { totals }: UsageOverview): string =>
  new URLSearchParams({
    v: [user?.id, formats.language, formats.timeZone, totals.calls, totals.chargedMicros].join("-")
  }).toString()

/** Spend by day: a picture, and a table for those who want the figures. */
export const DaysChart = (
  { overview, query, title, context }: {
    readonly context: PageContext
    readonly query: string
    readonly overview: UsageOverview
    readonly title: string
  }
) => {
  const say = sayOf(context, "usage")
  return (
    <ChartImage
      width={720}
      src={`/usage/days.svg?${query}&${chartVersion(context, overview)}`}
      title={title}
      summary={say("asTable")}
    >
      <SumsTable
        context={context}
        caption={title}
        first={say("day")}
        rows={overview.days.map((day) => sumsRow(context, day.day, day))}
      />
    </ChartImage>
  )
}

const ModelsChart = ({ overview, query, context }: UsageProps) => {
  const say = sayOf(context, "usage")
  const rows = overview.models.map((model) =>
    sumsRow(context, <code class="break-anywhere">{model.model}</code>, model)
  )
  const others = overview.otherModels === undefined ? [] : [sumsRow(context, say("others"), overview.otherModels)]
  return (
    <ChartImage
      width={460}
      src={`/usage/models.svg?${queryText(query)}&${chartVersion(context, overview)}`}
      title={say("byModel")}
      summary={say("asTable")}
    >
      <SumsTable context={context} caption={say("byModel")} first={say("model")} rows={[...rows, ...others]} />
    </ChartImage>
  )
}

const Calls = ({ calls, choices, isContinued, query, context }: UsageProps) => {
  const say = sayOf(context, "usage")
  const older = calls.next === undefined
    ? null
    : <a href={`/usage?${queryText(query, { before: calls.next })}#calls`}>{say("older")}</a>
  return (
    <Card
      title={say("list")}
      actions={
        <a class="btn btn-sm" href={`/usage/calls.csv?${queryText(query)}`} download>
          {say("export")}
        </a>
      }
    >
      <div id="calls" class="card-body border-bottom">
        <FilterForm context={context} query={query} choices={choices} />
      </div>
      {calls.items.length === 0
        ? calls.exhausted
          ? <Nothing icon="usage" title={say("none")} text={say("none.text")} />
          : <Nothing icon="filter" title={say("keepLooking")} />
        : <CallTable context={context} calls={calls.items} />}
      {isContinued || older !== null
        ? (
          <div class="card-footer d-flex justify-content-between">
            {isContinued ? <a href={`/usage?${queryText(query)}#calls`}>{say("newest")}</a> : <span />}
            {older}
          </div>
        )
        : null}
    </Card>
  )
}

export const UsageView = (props: UsageProps) => {
  const { overview, query, refused, context } = props
  const say = sayOf(context, "usage")
  return (
    <>
      <PageHeading title={say("title")} lead={say("lead")} />
      <RangePicker
        context={context}
        range={query.range}
        path="/usage"
        queryOf={(changes) => queryText(query, changes)}
      />
      {query.range.isRefused
        ? <Notice kind="warning">{say("range.bad", { days: RANGE_DAYS_SHOWN_MAX })}</Notice>
        : null}
      {overview.partial ? <Notice kind="info">{say("partial")}</Notice> : null}
      <div class="row g-3 mb-3">
        <SumFigures context={context} sums={overview.totals} />
        <div class="col-lg-7">
          <Card title={say("byDay")} class="h-100">
            <DaysChart context={context} query={queryText(query)} overview={overview} title={say("byDay")} />
          </Card>
        </div>
        <div class="col-lg-5">
          <Card title={say("byModel")} class="h-100">
            <ModelsChart {...props} />
          </Card>
        </div>
      </div>
      <Calls {...props} />
      <RefusedCard context={context} refused={refused} path="/usage" queryOf={(changes) => queryText(query, changes)} />
    </>
  )
}
