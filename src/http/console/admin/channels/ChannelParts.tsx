/**
 * Badges of a channel: whether it takes calls, and how it does on this server.
 */
import type { AdminChannel } from "../../../../channels/ChannelAdmin.ts"
import { Badge, RowBadges, type Tone } from "../../kit/Parts.tsx"
import { sayOf, type UserContext } from "../../PageContext.ts"

interface ChannelProps {
  readonly context: UserContext
  readonly channel: AdminChannel
}

export const ChannelBadges = ({ channel, context }: ChannelProps) => {
  const say = sayOf(context, "channels")
  return (
    <span class="badges-list">
      {channel.disabledAt === null ? <Badge tone="green">{say("state.enabled")}</Badge> : null}
      <RowBadges context={context} row={channel} />
      {channel.hasKey ? null : <Badge tone="red">{say("state.noKey")}</Badge>}
    </span>
  )
}

export const HealthBadge = ({ channel, context }: ChannelProps) => {
  const say = sayOf(context, "channels")
  const known: Record<AdminChannel["health"], readonly [tone: Tone, text: string, title: string]> = {
    closed: ["green", say("health.closed"), say("health.closed.title")],
    open: ["red", say("health.open"), say("health.open.title")],
    half_open: ["yellow", say("health.half"), say("health.half.title")]
  }
  const [tone, text, title] = known[channel.health]
  return (
    <span title={title}>
      <Badge tone={tone}>{text}</Badge>
    </span>
  )
}
