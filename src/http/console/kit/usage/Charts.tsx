/**
 * Charts of sums: pictures of bars that can be read. What each bar stands for is said where one points at it or moves to it by keys, for
 * which a script reads the list below the picture; without one, the same figures stand in a table.
 */
import type { ComponentChildren } from "preact"
import type { UsageSeries } from "../../../../usage/UsageSeries.ts"
import { inputOf, type UsageSums } from "../../../../usage/UsageSums.ts"
import { momentLabel, NAMES_DRAWN_MAX } from "../../charts/ChartAnswer.ts"
import { type ColoredStack, type Measure, measures, readMeasure, stackColors, valueOf } from "../../charts/ChartData.ts"
import { chartBounds, colorAt } from "../../charts/ChartOption.ts"
import { type PageContext, sayOf } from "../../PageContext.ts"
import { Card, Nothing } from "../Parts.tsx"
import { SumsTable } from "./Sums.tsx"

const measureTexts = { spend: "spend", calls: "calls", tokens: "tokens" } as const

/** A colored square before a name. */
const Dot = ({ color }: { readonly color: string }) => (
  <svg class="chart-dot" width="10" height="10" aria-hidden="true" focusable="false">
    <rect width="10" height="10" rx="2" fill={color} />
  </svg>
)

/** What sums are, in a line. */
const SumsLine = ({ sums, context }: { readonly context: PageContext; readonly sums: UsageSums }) => {
  const say = sayOf(context, "usage")
  const { count, usd } = context.formats
  return (
    <>
      {usd(sums.chargedMicros)} · {say("calls.count", { count: sums.calls })} ·{" "}
      {say("tokens.parts", { input: count(inputOf(sums)), output: count(sums.outputTokens) })}
    </>
  )
}

/** What is said of one bar. */
interface Tip {
  readonly name: string
  readonly sums: UsageSums
  /** Its parts. */
  readonly parts?: ReadonlyArray<{ readonly name: string; readonly color: string; readonly sums: UsageSums }>
}

const measured = ({ formats }: PageContext, measure: Measure, sums: UsageSums): string =>
  measure === "spend" ? formats.usd(sums.chargedMicros) : formats.count(valueOf(measure)(sums))

const Tips = ({ measure, tips, context }: {
  readonly context: PageContext
  readonly measure: Measure
  readonly tips: ReadonlyArray<Tip>
}) => (
  <ul class="chart-tips" hidden>
    {tips.map(({ name, parts = [], sums }, at) => (
      <li key={at}>
        <strong>{name}</strong>
        <div>
          <SumsLine context={context} sums={sums} />
        </div>
        {parts.filter((part) => part.sums.calls > 0).map((part) => (
          <div key={part.name} class="chart-tip-part">
            <Dot color={part.color} /> {part.name} {measured(context, measure, part.sums)}
          </div>
        ))}
      </li>
    ))}
  </ul>
)

interface ChartCardProps {
  readonly context: PageContext
  readonly title: string
  readonly actions?: ComponentChildren
  /** Of the page, and what else its address says. */
  readonly page: { readonly path: string; readonly query: string }
  readonly totals: UsageSums
  /** Of the picture. */
  readonly path: string
  readonly kind: keyof typeof widths
  readonly tips: ReadonlyArray<Tip>
  /** Below the picture. */
  readonly legend?: ComponentChildren
  /** The table. */
  readonly children: ComponentChildren
}

/** Of the wide picture, in pixels. */
const widths = { days: 720, names: 460 }

/**
 * The picture for wide and narrow screens, light and dark, of which a browser loads the one it shows. It has another address for every
 * reader and after every call, so that a browser's copy is never older than the page.
 */
const Picture = ({ kind, page, path, tips, title, totals, context }: ChartCardProps) => {
  const { language, timeZone } = context.formats
  const measure = readMeasure(context)
  const version = [context.user?.id, language, timeZone, totals.calls, totals.chargedMicros].join("-")
  const src = (theme: string, size: string) =>
    `${path}?${page.query}&${new URLSearchParams({ measure, v: version, theme, size })}`
  const { bottom, left, right, top } = chartBounds[kind]
  return (
    <div class="chart-box" data-chart={kind} data-bounds={`${left} ${right} ${top} ${bottom}`} data-title={title}>
      {([["light", "dark"], ["dark", "light"]] as const).map(([theme, hiddenIn]) => (
        <picture key={theme} class={`hide-theme-${hiddenIn}`}>
          <source media="(max-width: 600px)" srcset={src(theme, "narrow")} />
          <img class="chart" src={src(theme, "wide")} alt={title} loading="lazy" width={widths[kind]} height="240" />
        </picture>
      ))}
      <Tips context={context} measure={measure} tips={tips} />
    </div>
  )
}

/** Which of the figures are drawn. */
const MeasureChoice = ({ page, title, context }: Pick<ChartCardProps, "context" | "page" | "title">) => {
  const say = sayOf(context, "usage")
  const shown = readMeasure(context)
  const hrefOf = (measure: Measure) => {
    const query = new URLSearchParams(page.query)
    query.set("measure", measure)
    return `${page.path}?${query}`
  }
  return (
    <nav class="btn-group btn-group-sm chart-measures" aria-label={`${title}: ${say("measure")}`}>
      {measures.map((measure) => (
        <a
          key={measure}
          class={`btn btn-sm ${shown === measure ? "btn-primary" : ""}`}
          href={hrefOf(measure)}
          aria-current={shown === measure ? "true" : undefined}
        >
          {say(measureTexts[measure])}
        </a>
      ))}
    </nav>
  )
}

/** Without calls there is nothing to draw, and no axis of nothing. */
const ChartCard = (props: ChartCardProps) => {
  const { actions, children, legend, title, totals, context } = props
  const say = sayOf(context, "usage")
  if (totals.calls === 0) {
    return (
      <Card title={title} actions={actions} class="h-100">
        <Nothing icon="usage" title={say("none")} text={say("none.text")} />
      </Card>
    )
  }
  return (
    <Card title={title} actions={actions} class="h-100">
      <div class="card-body">
        <MeasureChoice {...props} />
        {valueOf(readMeasure(context))(totals) === 0
          ? <p class="text-secondary mt-3 mb-0">{say("nothingSpent")}</p>
          : (
            <>
              <Picture {...props} />
              {legend}
            </>
          )}
      </div>
      <details class="chart-table">
        <summary>{say("asTable")}</summary>
        {children}
      </details>
    </Card>
  )
}

const Legend = (
  { stacks, context }: { readonly context: PageContext; readonly stacks: ReadonlyArray<ColoredStack> }
) => {
  const say = sayOf(context, "usage")
  return (
    <>
      <ul class="chart-legend" aria-label={say("byModel")}>
        {stacks.map(({ color, model }) => (
          <li key={model}>
            <Dot color={color} /> <span class="break-anywhere">{model ?? say("others")}</span>
          </li>
        ))}
      </ul>
      <p class="text-secondary small mb-0">
        {say("zone", { zone: context.formats.timeZone })} <span data-chart-hint hidden>{say("chart.hint")}</span>
      </p>
    </>
  )
}

/** What a page gives to each of its charts. */
export type PageChart = Pick<ChartCardProps, "context" | "title" | "actions" | "page">

interface MomentsChartProps extends PageChart, Pick<ChartCardProps, "path"> {
  readonly series: UsageSeries & Pick<ChartCardProps, "totals">
  /** Those charged most first. */
  readonly models: ReadonlyArray<string>
}

/** Bars of days or hours, stacked by model. */
export const MomentsChart = ({ models, series, ...card }: MomentsChartProps) => {
  const { context, title } = card
  const say = sayOf(context, "usage")
  const stacks = stackColors(series, models)
  const tips = series.moments.map(({ moment, ...sums }, index): Tip => ({
    name: series.unit === "day" ? momentLabel(context, series, moment) : moment,
    sums,
    parts: stacks.flatMap(({ color, model, sums: parts }) => {
      const part = parts[index]
      return part === undefined ? [] : [{ name: model ?? say("others"), color, sums: part }]
    })
  }))
  return (
    <ChartCard
      {...card}
      kind="days"
      totals={series.totals}
      tips={tips}
      legend={<Legend context={context} stacks={stacks} />}
    >
      <SumsTable
        context={context}
        caption={title}
        first={series.unit === "day" ? say("day") : say("hour")}
        lines={series.moments.map((sums) => [sums.moment, sums])}
      />
    </ChartCard>
  )
}

interface NamesChartProps extends PageChart, Pick<ChartCardProps, "path" | "totals"> {
  readonly names: ReadonlyArray<UsageSums & { readonly name: string }>
  readonly children: ComponentChildren
}

/** A bar for each of the first models. */
export const NamesChart = ({ names, ...card }: NamesChartProps) => (
  <ChartCard
    {...card}
    kind="names"
    tips={names.slice(0, NAMES_DRAWN_MAX).map(({ name, ...sums }, index) => ({
      name,
      sums,
      parts: [{ name, color: colorAt(index), sums }]
    }))}
  />
)
