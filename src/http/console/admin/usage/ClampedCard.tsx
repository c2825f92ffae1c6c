/**
 * Channels and models whose upstreams report more input than was thought possible, with what to change. Nothing is shown
 * where there are none. A page that shows it does not depend on it: what cannot be read is said and logged.
 */
import { Effect } from "effect"
import type { ComponentChildren } from "preact"
import { ClampedCalls, type ClampedReport } from "../../../../usage/ClampedCalls.ts"
import { AdminLink, Card, Notice } from "../../kit/Parts.tsx"
import { type PageContext, sayOf } from "../../PageContext.ts"
import { percentText } from "./Percent.ts"

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
      text: say("model", { count: count(aboveContext), calls: count(calls), tokens: count(inputTokensMax) }),
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
