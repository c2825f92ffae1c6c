/**
 * Channels and models whose upstreams report more input than was thought possible, with what to change. Nothing is shown
 * where there are none. A page that shows it does not depend on it: what cannot be read is said and logged.
 */
import { Effect } from "effect"
import {
  ClampedCalls,
  type ClampedChannel,
  type ClampedReport,
  type OverfullModel
} from "../../../../usage/ClampedCalls.ts"
import { type PageContext, sayOf } from "../../PageContext.ts"
import { AdminLink } from "../../ui/AdminLink.tsx"
import { Notice } from "../../ui/Forms.tsx"
import { Card } from "../../ui/Parts.tsx"

/** Undefined: it cannot be read at this moment. */
export const readClamped: Effect.Effect<ClampedReport | undefined, never, ClampedCalls> = Effect.flatMap(
  ClampedCalls,
  ({ report }) => report
).pipe(
  Effect.catchTag(
    "DatabaseUnavailable",
    (error) => Effect.as(Effect.logWarning("calls above their ceiling could not be read", error), undefined)
  )
)

const ChannelItem = ({ channel, context }: { readonly context: PageContext; readonly channel: ClampedChannel }) => {
  const say = sayOf(context, "clamped")
  const { count } = context.formats
  const { calls, clamped, id, missingTokens, name } = channel
  const percent = count(Math.round((clamped / calls) * 1_000) / 10)
  return (
    <li class="list-group-item">
      {id === null
        ? <strong class="break-anywhere">{name}</strong>
        : <AdminLink context={context} isText class="break-anywhere" href={`/admin/channels/${id}`}>{name}</AdminLink>}
      <div>{say("channel", { clamped: count(clamped), calls: count(calls), percent })}</div>
      <div class="text-secondary">{say("channel.fix", { tokens: count(missingTokens) })}</div>
    </li>
  )
}

const ModelItem = ({ model, context }: { readonly context: PageContext; readonly model: OverfullModel }) => {
  const say = sayOf(context, "clamped")
  const { count } = context.formats
  const values = {
    count: count(model.aboveContext),
    calls: count(model.calls),
    tokens: count(model.inputTokensMax)
  }
  return (
    <li class="list-group-item">
      <a class="break-anywhere" href={`/admin/usage/calls?${new URLSearchParams({ model: model.model })}`}>
        <code>{model.model}</code>
      </a>
      <div>{say("model", values)}</div>
      <div class="text-secondary">{say("model.fix")}</div>
    </li>
  )
}

export const ClampedCard = (
  { report, context }: { readonly context: PageContext; readonly report: ClampedReport | undefined }
) => {
  const say = sayOf(context, "clamped")
  if (report === undefined) return <Notice kind="warning">{say("unread")}</Notice>
  const { channels, models } = report
  if (channels.length === 0 && models.length === 0) return null
  return (
    <Card title={say("title")} class="mb-3">
      <ul class="list-group list-group-flush">
        {channels.map((channel) => <ChannelItem key={channel.name} context={context} channel={channel} />)}
        {models.map((model) => <ModelItem key={model.model} context={context} model={model} />)}
      </ul>
    </Card>
  )
}
