/**
 * The usage page: a period, what it came to, by day and by model, and the calls one by one.
 */
import type { ComponentChildren } from "preact"
import type { ListedApiKey } from "../../../../identity/ApiKeys.ts"
import type { CallItem } from "../../../../usage/CallItem.ts"
import type { CallPage } from "../../../../usage/CallList.ts"
import type { RefusedPage } from "../../../../usage/RefusedCalls.ts"
import type { UsageOverview } from "../../../../usage/UsageReports.ts"
import { Grid } from "../../kit/Grid.tsx"
import { callColumns } from "../../kit/usage/CallParts.tsx"
import { type CallChoice, callChoices, CallsCard } from "../../kit/usage/CallsCard.tsx"
import { RangePicker } from "../../kit/usage/RangePicker.tsx"
import { RefusedCard } from "../../kit/usage/RefusedCard.tsx"
import { SumFigures, SumsChart, SumsTable } from "../../kit/usage/Sums.tsx"
import { queryText, type UsageQuery } from "../../kit/usage/UsageQuery.ts"
import { type PageContext, sayOf } from "../../PageContext.ts"
import { Notice } from "../../ui/Forms.tsx"
import { PageHeading } from "../../ui/Parts.tsx"

export interface UsageProps {
  readonly context: PageContext
  readonly query: UsageQuery
  readonly overview: UsageOverview
  readonly calls: CallPage<CallItem>
  readonly refused: RefusedPage | undefined
  /** What calls may be narrowed to. */
  readonly models: ReadonlyArray<string>
  readonly keys: ReadonlyArray<ListedApiKey>
}

interface ChartProps {
  readonly context: PageContext
  /** Of the address. */
  readonly query: string
  readonly overview: UsageOverview
  readonly title: string
  readonly actions?: ComponentChildren
}

/** Spend by day. */
export const DaysChart = ({ overview: { days, totals }, ...props }: ChartProps) => (
  <SumsChart {...props} kind="days" path="/usage/days.svg" totals={totals}>
    <SumsTable
      context={props.context}
      caption={props.title}
      first={sayOf(props.context, "usage")("day")}
      lines={days.map((day) => [day.day, day])}
    />
  </SumsChart>
)

const ModelsChart = ({ overview: { models, otherModels, totals }, ...props }: ChartProps) => {
  const say = sayOf(props.context, "usage")
  const named = models.map((sums) => [<code class="break-anywhere">{sums.model}</code>, sums] as const)
  const others = otherModels === undefined ? [] : [[say("others"), otherModels] as const]
  return (
    <SumsChart {...props} kind="names" path="/usage/models.svg" totals={totals}>
      <SumsTable context={props.context} caption={props.title} first={say("model")} lines={[...named, ...others]} />
    </SumsChart>
  )
}

/** A model that is chosen is offered, even where nothing is known of it. */
const choicesOf = ({ keys, models, query, context }: UsageProps): ReadonlyArray<CallChoice> => {
  const say = sayOf(context, "usage")
  const { keyId, model } = query.filter
  const known = new Set([...models, ...(model === undefined ? [] : [model])])
  return [
    { name: "model", label: say("model"), chosen: model, options: Array.from(known, (name) => [name, name]) },
    {
      name: "key",
      label: say("key"),
      chosen: keyId?.toString(),
      options: keys.map(({ hint, id, name }) => [id.toString(), name === "" ? hint : `${name} (${hint})`])
    },
    ...callChoices(context, query)
  ]
}

export const UsageView = (props: UsageProps) => {
  const { calls, overview, query, refused, context } = props
  const say = sayOf(context, "usage")
  const { charged, funding, input, key, model, output, state, time } = callColumns(context, "/usage")
  const chart = { context, overview, query: queryText(query) }
  const page = {
    context,
    path: "/usage",
    queryOf: (changes: Readonly<Record<string, string>> = {}) => queryText(query, changes)
  }
  return (
    <>
      <PageHeading title={say("title")} lead={say("lead")} />
      <RangePicker {...page} range={query.range} />
      {overview.partial ? <Notice kind="info">{say("partial")}</Notice> : null}
      <SumFigures context={context} sums={overview.totals} />
      <Grid
        class="mb-3"
        cells={[
          ["col-lg-7", <DaysChart {...chart} title={say("byDay")} />],
          ["col-lg-5", <ModelsChart {...chart} title={say("byModel")} />]
        ]}
      />
      <CallsCard
        {...page}
        calls={calls}
        query={query}
        csvPath="/usage/calls.csv"
        choices={choicesOf(props)}
        columns={[time, model, key, input, output, charged, funding, state]}
        none={{ title: say("none"), text: say("none.text") }}
      />
      <RefusedCard {...page} refused={refused} />
    </>
  )
}
