/**
 * What the list of channels and the page of one have in common: badges, and what was done last.
 */
import type { AdminChannel } from "../../../../channels/ChannelAdmin.ts"
import { sayOf, type UserContext } from "../../PageContext.ts"
import { Notice } from "../../ui/Forms.tsx"
import { Badge, type Tone } from "../../ui/Parts.tsx"

interface ChannelProps {
  readonly context: UserContext
  readonly channel: AdminChannel
}

export const StateBadge = ({ channel, context }: ChannelProps) => {
  const say = sayOf(context, "channels")
  return (
    <span class="badges-list">
      {channel.disabledAt === null
        ? <Badge tone="green">{say("state.active")}</Badge>
        : <Badge tone="secondary">{say("state.disabled")}</Badge>}
      {channel.hasKey ? null : <Badge tone="red">{say("state.noKey")}</Badge>}
      {channel.declared ? <Badge tone="blue">{say("state.declared")}</Badge> : null}
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

export const DoneNotice = ({ context }: { readonly context: UserContext }) => {
  const say = sayOf(context, "channels")
  if (context.isForm) return null
  switch (context.query.get("done")) {
    case "created":
      return <Notice kind="success">{say("done.created")}</Notice>
    case "saved":
      return <Notice kind="success">{say("done.saved")}</Notice>
    case "disabled":
      return <Notice kind="success">{say("done.disabled")}</Notice>
    case "enabled":
      return <Notice kind="success">{say("done.enabled")}</Notice>
    case "reset":
      return <Notice kind="success">{say("done.reset")}</Notice>
    default:
      return null
  }
}
