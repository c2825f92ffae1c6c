/**
 * The usage page: a period, what it came to, by day and by model, and the calls one by one.
 */
import type { ComponentChildren } from "preact"
import type { CallItem } from "../../../../usage/CallItem.ts"
import type { CallPage } from "../../../../usage/CallList.ts"
import type { UsageOverview } from "../../../../usage/UsageReports.ts"
import { inputOf, type UsageSums } from "../../../../usage/UsageSums.ts"
import { ChartImage } from "../../ui/ChartImage.tsx"
import { Notice } from "../../ui/Forms.tsx"
import { Card, DataTable, Figure, Nothing, PageHeading } from "../../ui/Parts.tsx"
import { sayOf, type Visit } from "../../Visit.ts"
import { CallTable } from "./CallTable.tsx"
import { type FilterChoices, FilterForm } from "./FilterForm.tsx"
import { RangePicker } from "./RangePicker.tsx"
import { RefusedCard, type ShownRefusals } from "./RefusedCard.tsx"
import { queryText, type UsageQuery } from "./UsageQuery.ts"
import { RANGE_DAYS_SHOWN_MAX } from "./UsageRange.ts"
import { usageText } from "./UsageText.ts"

export interface UsageProps {
  readonly visit: Visit
  readonly query: UsageQuery
  readonly overview: UsageOverview
  readonly calls: CallPage<CallItem>
  /** This is not the first page of calls. */
  readonly isContinued: boolean
  readonly refused: ShownRefusals | undefined
  readonly choices: FilterChoices
}

export const SumFigures = ({ sums, visit }: { readonly visit: Visit; readonly sums: UsageSums }) => {
  const say = sayOf(visit, usageText)
  const { formats } = visit
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
export const sumsRow = (visit: Visit, name: ComponentChildren, sums: UsageSums): ReadonlyArray<ComponentChildren> => [
  name,
  visit.formats.count(sums.calls),
  visit.formats.count(inputOf(sums)),
  visit.formats.count(sums.outputTokens),
  visit.formats.usd(sums.chargedMicros)
]

export const SumsTable = (
  { caption, first, rows, visit }: {
    readonly visit: Visit
    readonly caption: string
    readonly first: string
    readonly rows: ReadonlyArray<ReadonlyArray<ComponentChildren>>
  }
) => {
  const say = sayOf(visit, usageText)
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
const chartVersion = ({ formats, user }: Visit, { totals }: UsageOverview): string =>
  new URLSearchParams({
    v: [user?.id, formats.language, formats.timeZone, totals.calls, totals.chargedMicros].join("-")
  }).toString()

/** Spend by day: a picture, and a table for those who want the figures. */
export const DaysChart = (
  { overview, query, title, visit }: {
    readonly visit: Visit
    readonly query: string
    readonly overview: UsageOverview
    readonly title: string
  }
) => {
  const say = sayOf(visit, usageText)
  return (
    <ChartImage
      width={720}
      src={`/usage/days.svg?${query}&${chartVersion(visit, overview)}`}
      title={title}
      summary={say("asTable")}
    >
      <SumsTable
        visit={visit}
        caption={title}
        first={say("day")}
        rows={overview.days.map((day) => sumsRow(visit, day.day, day))}
      />
    </ChartImage>
  )
}

const ModelsChart = ({ overview, query, visit }: UsageProps) => {
  const say = sayOf(visit, usageText)
  const rows = overview.models.map((model) => sumsRow(visit, <code class="break-anywhere">{model.model}</code>, model))
  const others = overview.otherModels === undefined ? [] : [sumsRow(visit, say("others"), overview.otherModels)]
  return (
    <ChartImage
      width={460}
      src={`/usage/models.svg?${queryText(query)}&${chartVersion(visit, overview)}`}
      title={say("byModel")}
      summary={say("asTable")}
    >
      <SumsTable visit={visit} caption={say("byModel")} first={say("model")} rows={[...rows, ...others]} />
    </ChartImage>
  )
}

const Calls = ({ calls, choices, isContinued, query, visit }: UsageProps) => {
  const say = sayOf(visit, usageText)
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
        <FilterForm visit={visit} query={query} choices={choices} />
      </div>
      {calls.items.length === 0
        ? calls.exhausted
          ? <Nothing icon="usage" title={say("none")} text={say("none.text")} />
          : <Nothing icon="filter" title={say("keepLooking")} />
        : <CallTable visit={visit} calls={calls.items} />}
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
  const { overview, query, refused, visit } = props
  const say = sayOf(visit, usageText)
  return (
    <>
      <PageHeading title={say("title")} lead={say("lead")} />
      <RangePicker
        visit={visit}
        range={query.range}
        path="/usage"
        queryOf={(changes) => queryText(query, changes)}
      />
      {query.range.isRefused
        ? <Notice kind="warning">{say("range.bad", { days: RANGE_DAYS_SHOWN_MAX })}</Notice>
        : null}
      {overview.partial ? <Notice kind="info">{say("partial")}</Notice> : null}
      <div class="row g-3 mb-3">
        <SumFigures visit={visit} sums={overview.totals} />
        <div class="col-lg-7">
          <Card title={say("byDay")} class="h-100">
            <DaysChart visit={visit} query={queryText(query)} overview={overview} title={say("byDay")} />
          </Card>
        </div>
        <div class="col-lg-5">
          <Card title={say("byModel")} class="h-100">
            <ModelsChart {...props} />
          </Card>
        </div>
      </div>
      <Calls {...props} />
      <RefusedCard visit={visit} refused={refused} path="/usage" queryOf={(changes) => queryText(query, changes)} />
    </>
  )
}
