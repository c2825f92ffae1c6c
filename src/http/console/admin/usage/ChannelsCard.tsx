/**
 * How the channels do, as root sees it: whether calls go to them, how many failed, and how long they took.
 */
import {
  type ChannelReport,
  type ChannelsReport,
  type ChannelWindow,
  HEALTH_CALLS_MAX
} from "../../../../usage/ChannelReports.ts"
import { Badge, Card, DataTable, Nothing, type Tone } from "../../ui/Parts.tsx"
import { sayOf, type Visit } from "../../Visit.ts"
import { allUsageText } from "./AllUsageText.ts"

const stateOf = (visit: Visit, { breaker, id, isDisabled }: ChannelReport): readonly [tone: Tone, text: string] => {
  const say = sayOf(visit, allUsageText)
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

export const ChannelState = ({ channel, visit }: { readonly visit: Visit; readonly channel: ChannelReport }) => {
  const [tone, text] = stateOf(visit, channel)
  return <Badge tone={tone}>{text}</Badge>
}

const Calls = ({ of, visit }: { readonly visit: Visit; readonly of: ChannelWindow }) => {
  const say = sayOf(visit, allUsageText)
  const { formats } = visit
  if (of.calls === 0) return <span class="text-secondary">{say("health.idle")}</span>
  const percent = formats.count(Math.round((of.failures / of.calls) * 1_000) / 10)
  return (
    <>
      <div>{say("health.calls", { count: formats.count(of.calls) })}</div>
      {of.failures === 0
        ? null
        : <div class="text-danger">{say("health.rate", { count: formats.count(of.failures), percent })}</div>}
    </>
  )
}

const Times = (
  { p50, p95, visit }: { readonly visit: Visit; readonly p50: number | null; readonly p95: number | null }
) => {
  if (p50 === null || p95 === null) return <span class="text-secondary">–</span>
  const [half, most] = [visit.formats.seconds(p50), visit.formats.seconds(p95)]
  return <span title={sayOf(visit, allUsageText)("health.median", { p50: half, p95: most })}>{half} / {most}</span>
}

export const ChannelsCard = ({ report, visit }: { readonly visit: Visit; readonly report: ChannelsReport }) => {
  const say = sayOf(visit, allUsageText)
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
          { title: say("health.state") },
          { title: say("health.hour") },
          { title: say("health.day"), wide: true },
          { title: `${say("health.latency")} p50 / p95`, number: true, wide: true },
          { title: `${say("health.first")} p50 / p95`, number: true, wide: true }
        ]}
        rows={channels.map((channel) => [
          <a class="break-anywhere" href={`/admin/usage/calls?${new URLSearchParams({ channel: channel.name })}`}>
            {channel.name}
          </a>,
          <ChannelState visit={visit} channel={channel} />,
          <Calls visit={visit} of={channel.hour} />,
          <Calls visit={visit} of={channel.day} />,
          <Times visit={visit} p50={channel.day.latencyP50Ms} p95={channel.day.latencyP95Ms} />,
          <Times visit={visit} p50={channel.day.firstByteP50Ms} p95={channel.day.firstByteP95Ms} />
        ])}
      />
      <div class="card-footer text-secondary">
        {say("health.lead")} {lookedFrom === null ? null : say("health.bounded", {
          count: visit.formats.count(HEALTH_CALLS_MAX),
          time: visit.formats.time(lookedFrom)
        })}
      </div>
    </Card>
  )
}
