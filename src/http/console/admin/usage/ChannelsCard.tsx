/**
 * How the channels do, as root sees it: whether calls go to them, how many failed, and how long they took.
 */
import {
  type ChannelReport,
  type ChannelsReport,
  type ChannelWindow,
  HEALTH_CALLS_MAX
} from "../../../../usage/ChannelReports.ts"
import { type PageContext, sayOf } from "../../PageContext.ts"
import { Badge, Card, DataTable, Nothing, type Tone } from "../../ui/Parts.tsx"

const stateOf = (
  context: PageContext,
  { breaker, id, isDisabled }: ChannelReport
): readonly [tone: Tone, text: string] => {
  const say = sayOf(context, "allUsage")
  if (id === null) return ["secondary", say("gone")]
  if (isDisabled) return ["secondary", say("disabled")]
  switch (breaker) {
    case "closed":
      return ["green", say("breaker.closed")]
    case "half_open":
      return ["yellow", say("breaker.half_open")]
    case "open":
      return ["red", say("breaker.open")]
  }
}

export const ChannelState = (
  { channel, context }: { readonly context: PageContext; readonly channel: ChannelReport }
) => {
  const [tone, text] = stateOf(context, channel)
  return <Badge tone={tone}>{text}</Badge>
}

const Calls = ({ of, context }: { readonly context: PageContext; readonly of: ChannelWindow }) => {
  const say = sayOf(context, "allUsage")
  const { formats } = context
  if (of.calls === 0) return <span class="text-secondary">{say("health.idle")}</span>
  const percent = formats.count(Math.round((of.failures / of.calls) * 1_000) / 10)
  return (
    <>
      <div>{say("health.calls", { count: of.calls })}</div>
      {of.failures === 0
        ? null
        : <div class="text-danger">{say("health.rate", { count: formats.count(of.failures), percent })}</div>}
    </>
  )
}

const Times = (
  { p50, p95, context }: { readonly context: PageContext; readonly p50: number | null; readonly p95: number | null }
) => {
  if (p50 === null || p95 === null) return <span class="text-secondary">–</span>
  const [half, most] = [context.formats.seconds(p50), context.formats.seconds(p95)]
  return <span title={sayOf(context, "allUsage")("health.median", { p50: half, p95: most })}>{half} / {most}</span>
}

export const ChannelsCard = (
  { report, context }: { readonly context: PageContext; readonly report: ChannelsReport }
) => {
  const say = sayOf(context, "allUsage")
  const { channels, lookedFrom } = report
  if (channels.length === 0) {
    return (
      <Card title={say("health")}>
        <Nothing icon="channel" title={say("health.none")} />
      </Card>
    )
  }
  return (
    <Card title={say("health")}>
      <DataTable
        caption={say("health")}
        columns={[
          { title: say("channel") },
          { title: say("state") },
          { title: say("health.hour") },
          { title: say("health.day"), wide: true },
          { title: `${say("duration")} p50 / p95`, number: true, wide: true },
          { title: `${say("health.first")} p50 / p95`, number: true, wide: true }
        ]}
        rows={channels.map((channel) => [
          <a class="break-anywhere" href={`/admin/usage/calls?${new URLSearchParams({ channel: channel.name })}`}>
            {channel.name}
          </a>,
          <ChannelState context={context} channel={channel} />,
          <Calls context={context} of={channel.hour} />,
          <Calls context={context} of={channel.day} />,
          <Times context={context} p50={channel.day.latencyP50Ms} p95={channel.day.latencyP95Ms} />,
          <Times context={context} p50={channel.day.firstByteP50Ms} p95={channel.day.firstByteP95Ms} />
        ])}
      />
      <div class="card-footer text-secondary">
        {say("health.lead")} {lookedFrom === null ? null : say("health.bounded", {
          count: context.formats.count(HEALTH_CALLS_MAX),
          time: context.formats.time(lookedFrom)
        })}
      </div>
    </Card>
  )
}
