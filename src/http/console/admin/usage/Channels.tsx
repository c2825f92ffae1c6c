/**
 * How the channels do, as administrators see it: whether calls go to them, how many failed and how long they took; and those whose
 * upstreams report more input than was thought possible, with what to change.
 */
import { Effect } from "effect"
import type { ComponentChildren } from "preact"
import {
  type ChannelReport,
  type ChannelsReport,
  type ChannelWindow,
  HEALTH_CALLS_MAX
} from "../../../../usage/ChannelReports.ts"
import { ClampedCalls, type ClampedReport } from "../../../../usage/ClampedCalls.ts"
import { type ItemColumn, TableCard } from "../../kit/List.tsx"
import { AdminLink, Card, Notice, StateBadge, type States } from "../../kit/Parts.tsx"
import { type PageContext, sayOf } from "../../PageContext.ts"
import type { TextKey } from "../../text/Texts.ts"

/** How many calls out of all, in percent with one decimal. */
export const percentText = ({ formats }: Pick<PageContext, "formats">, part: number, whole: number): string =>
  formats.count(Math.round((part / whole) * 1_000) / 10)

type ChannelState = ChannelReport["breaker"] | "gone" | "disabled"

const states: States<ChannelState, TextKey<"allUsage">> = {
  gone: ["secondary", "gone"],
  disabled: ["secondary", "state.disabled"],
  closed: ["green", "breaker.closed"],
  half_open: ["yellow", "breaker.half_open"],
  open: ["red", "breaker.open"]
}

const stateOf = ({ breaker, id, isDisabled }: ChannelReport): ChannelState =>
  id === null ? "gone" : isDisabled ? "disabled" : breaker

const Calls = ({ of: { calls, failures }, context }: { readonly context: PageContext; readonly of: ChannelWindow }) => {
  const say = sayOf(context, "allUsage")
  if (calls === 0) return <span class="text-secondary">{say("health.idle")}</span>
  const failed = { count: failures, percent: percentText(context, failures, calls) }
  return (
    <>
      <div>{say("health.calls", { count: calls })}</div>
      {failures === 0 ? null : <div class="text-danger">{say("health.rate", failed)}</div>}
    </>
  )
}

/** Within how long half of the calls were done, and nearly all. */
const timesColumn = (
  context: PageContext,
  title: string,
  of: (day: ChannelWindow) => readonly [p50: number | null, p95: number | null]
): ItemColumn<ChannelReport> => ({
  title: `${title} p50 / p95`,
  number: true,
  wide: true,
  cell: ({ day }) => {
    const [half, most] = of(day).map((ms) => ms === null ? undefined : context.formats.seconds(ms))
    return half === undefined || most === undefined
      ? <span class="text-secondary">–</span>
      : <span title={sayOf(context, "allUsage")("health.median", { p50: half, p95: most })}>{half} / {most}</span>
  }
})

interface ChannelsProps {
  readonly context: PageContext
  readonly report: ChannelsReport
}

export const ChannelsCard = ({ report: { channels, lookedFrom }, context }: ChannelsProps) => {
  const say = sayOf(context, "allUsage")
  const { time } = context.formats
  return (
    <TableCard
      class=""
      title={say("health")}
      items={channels}
      empty={{ icon: "channel", title: say("health.none") }}
      columns={[
        {
          title: say("channel"),
          cell: ({ name }) => (
            <a class="break-anywhere" href={`/admin/usage/calls?${new URLSearchParams({ channel: name })}`}>{name}</a>
          )
        },
        { title: say("state"), cell: (channel) => <StateBadge say={say} states={states} state={stateOf(channel)} /> },
        { title: say("health.hour"), cell: ({ hour }) => <Calls context={context} of={hour} /> },
        { title: say("health.day"), wide: true, cell: ({ day }) => <Calls context={context} of={day} /> },
        timesColumn(context, say("duration"), (day) => [day.latencyP50Ms, day.latencyP95Ms]),
        timesColumn(context, say("health.first"), (day) => [day.firstByteP50Ms, day.firstByteP95Ms])
      ]}
    >
      <div class="card-footer text-secondary">
        {say("health.lead")}{" "}
        {lookedFrom === null ? null : say("health.bounded", { count: HEALTH_CALLS_MAX, time: time(lookedFrom) })}
      </div>
    </TableCard>
  )
}

/** Undefined where it cannot be read at this moment, which is logged: a page that shows it does not depend on it. */
export const readClamped: Effect.Effect<ClampedReport | undefined, never, ClampedCalls> = Effect.flatMap(
  ClampedCalls,
  ({ report }) => report
).pipe(
  Effect.catchTag(
    "DatabaseUnavailable",
    (error) => Effect.as(Effect.logWarning("calls above their ceiling could not be read", error), undefined)
  )
)

interface Finding {
  readonly name: ComponentChildren
  readonly text: string
  readonly fix: string
}

const findingsOf = (context: PageContext, { channels, models }: ClampedReport): ReadonlyArray<Finding> => {
  const say = sayOf(context, "clamped")
  const { count } = context.formats
  return [
    ...channels.map(({ calls, clamped, id, missingTokens, name }) => ({
      name: id === null
        ? <strong class="break-anywhere">{name}</strong>
        : <AdminLink context={context} isText class="break-anywhere" href={`/admin/channels/${id}`}>{name}</AdminLink>,
      text: say("channel", {
        clamped: count(clamped),
        calls: count(calls),
        percent: percentText(context, clamped, calls)
      }),
      fix: say("channel.fix", { tokens: count(missingTokens) })
    })),
    ...models.map(({ aboveContext, calls, inputTokensMax, model }) => ({
      name: (
        <a class="break-anywhere" href={`/admin/usage/calls?${new URLSearchParams({ model })}`}>
          <code>{model}</code>
        </a>
      ),
      text: say("model", { count: aboveContext, calls: count(calls), tokens: count(inputTokensMax) }),
      fix: say("model.fix")
    }))
  ]
}

export const ClampedCard = (
  { report, context }: { readonly context: PageContext; readonly report: ClampedReport | undefined }
) => {
  const say = sayOf(context, "clamped")
  if (report === undefined) return <Notice kind="warning">{say("unread")}</Notice>
  const findings = findingsOf(context, report)
  return findings.length === 0 ? null : (
    <Card title={say("title")} class="mb-3">
      <ul class="list-group list-group-flush">
        {findings.map(({ fix, name, text }, at) => (
          <li key={at} class="list-group-item">
            {name}
            <div>{text}</div>
            <div class="text-secondary">{fix}</div>
          </li>
        ))}
      </ul>
    </Card>
  )
}
