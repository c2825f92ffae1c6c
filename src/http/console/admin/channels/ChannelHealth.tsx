/**
 * How a channel does, for people: in one word, since when, and why it does not; what was taken out of use, on its page and on the
 * overview.
 */
import type { ComponentChildren } from "preact"
import type { AdminChannel } from "../../../../channels/AdminChannel.ts"
import { type ChannelCondition, conditionOf, outKeysOf } from "../../../../channels/ChannelCondition.ts"
import type { OutKey } from "../../../../channels/ChannelKeyAdmin.ts"
import type { SaidFailure } from "../../../../channels/FailureReason.ts"
import { ButtonForm } from "../../kit/Forms.tsx"
import { AdminLink, Badge, Facts, Moment, Notice, Panel, RowBadges, Small, type Tone } from "../../kit/Parts.tsx"
import { type PageContext, sayOf, type UserContext } from "../../PageContext.ts"
import { failureText } from "./ChannelTexts.ts"

interface ChannelProps {
  readonly context: UserContext
  readonly channel: AdminChannel
}

/** A failure in words, and the status behind it. */
export const saidFailure = (context: PageContext, { reason, status }: SaidFailure): string =>
  status === null
    ? failureText(context, reason)
    : sayOf(context, "channels")("failure.status", { reason: failureText(context, reason), status })

export const ChannelBadges = ({ channel, context }: ChannelProps) => {
  const say = sayOf(context, "channels")
  const out = outKeysOf(channel).length
  return (
    <span class="badges-list">
      {channel.disabledAt === null ? <Badge tone="green">{say("state.enabled")}</Badge> : null}
      <RowBadges context={context} row={channel} />
      {channel.hasKey ? null : <Badge tone="red">{say("state.noKey")}</Badge>}
      {out === 0 || out === channel.keys.length
        ? null
        : <Badge tone="orange">{say("state.someOut", { out, all: channel.keys.length })}</Badge>}
    </span>
  )
}

export const HealthBadge = ({ channel, context }: ChannelProps) => {
  const say = sayOf(context, "channels")
  const known: Record<ChannelCondition, readonly [tone: Tone, text: string, title: string]> = {
    out: ["red", say("health.out"), say("health.out.title")],
    avoided: ["red", say("health.open"), say("health.open.title")],
    probing: ["yellow", say("health.half"), say("health.half.title")],
    fails: ["orange", say("health.fails"), say("health.fails.title")],
    works: ["green", say("health.works"), say("health.works.title")],
    untried: ["secondary", say("health.untried"), say("health.untried.title")]
  }
  const [tone, text, title] = known[conditionOf(channel)]
  return (
    <span title={title}>
      <Badge tone={tone}>{text}</Badge>
    </span>
  )
}

/** When its last call failed, and why. */
export const LastFailure = ({ channel: { failure }, context }: ChannelProps) =>
  failure === null ? <>{sayOf(context, "channels")("never")}</> : (
    <>
      <Moment context={context} at={failure.at} />
      <Small>{saidFailure(context, failure)}</Small>
    </>
  )

/** The badge, and below it what the last call came to. */
export const HealthCell = ({ channel, context }: ChannelProps) => {
  const say = sayOf(context, "channels")
  const { failure, successAt } = channel
  const condition = conditionOf(channel)
  const isFailed = failure !== null && (successAt === null || failure.at > successAt)
  return (
    <>
      <HealthBadge context={context} channel={channel} />
      {condition === "untried" ? null : (
        <Small>
          {isFailed ? saidFailure(context, failure) : say("lastSuccess")}{" "}
          <Moment context={context} at={isFailed ? failure.at : successAt ?? channel.createdAt} />
        </Small>
      )}
    </>
  )
}

/** What is said of keys that are out of use: of the channel's own page, or with a link to it. */
export const OutKeysNotice = (
  { keys, context, isOverview = false }: {
    readonly context: UserContext
    readonly keys: ReadonlyArray<OutKey>
    readonly isOverview?: boolean
  }
) => {
  const say = sayOf(context, "channels")
  if (keys.length === 0) return null
  const line = ({ at, channel, channelId, hint, probeAt, reason, status, usable }: OutKey): ComponentChildren => (
    <>
      {isOverview
        ? <AdminLink context={context} isText href={`/admin/channels/${channelId}`}>{channel}</AdminLink>
        : null}
      {isOverview ? " " : null}
      {say("out.key", {
        key: hint,
        reason: saidFailure(context, { reason, status }),
        time: context.formats.time(at),
        next: context.formats.time(probeAt)
      })} {usable === 0 ? <strong>{say("out.all")}</strong> : say("out.others", { count: usable })}
    </>
  )
  return (
    <Notice kind={keys.some(({ usable }) => usable === 0) ? "danger" : "warning"}>
      <div>{say("out.title", { count: keys.length })}</div>
      <ul class="alert-list">{keys.map((key) => <li key={String(key.id)}>{line(key)}</li>)}</ul>
      <div>{say("out.fix")}</div>
    </Notice>
  )
}

/** What was seen of its models, with a way to forget it. */
export const HiddenOutputPanel = ({ channel: { hiddenOutput, id }, context }: ChannelProps) => {
  const say = sayOf(context, "channels")
  return hiddenOutput.length === 0 ? null : (
    <Panel title={say("hidden")} class="mt-3">
      <p class="text-secondary">{say("hidden.text")}</p>
      {hiddenOutput.map((model) => (
        <div key={model} class="d-flex align-items-center gap-2 mb-2">
          <code class="break-anywhere me-auto">{model}</code>
          <ButtonForm
            context={context}
            action={`/admin/channels/${id}/hidden-output`}
            fields={{ model }}
            look="btn-sm"
            button={
              <>
                <span aria-hidden="true">{say("hidden.reset")}</span>
                <span class="visually-hidden">{say("hidden.reset.label", { model })}</span>
              </>
            }
          />
        </div>
      ))}
    </Panel>
  )
}

export const HealthPanel = (
  { channel, firstByteMs, context }: ChannelProps & { readonly firstByteMs: number | null }
) => {
  const say = sayOf(context, "channels")
  return (
    <Panel title={say("state")}>
      <Facts
        facts={[
          [say("health"), <HealthBadge context={context} channel={channel} />],
          [
            say("lastSuccess"),
            channel.successAt === null ? say("never") : <Moment context={context} at={channel.successAt} />
          ],
          [say("lastFailure"), <LastFailure context={context} channel={channel} />],
          [say("firstByte"), firstByteMs === null ? "–" : context.formats.seconds(firstByteMs)],
          [say("created"), <Moment context={context} at={channel.createdAt} />],
          [say("updated"), <Moment context={context} at={channel.updatedAt} />]
        ]}
      />
    </Panel>
  )
}
