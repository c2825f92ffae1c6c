/**
 * Calls one by one, each leading to its receipt.
 */
import { DateTime } from "effect"
import type { CallItem } from "../../../../usage/CallItem.ts"
import { type PageContext, sayOf } from "../../PageContext.ts"
import { DataTable, Moment } from "../../ui/Parts.tsx"
import { CallBadge, EstimatedBadge, fundingName } from "./CallParts.tsx"

/** All kinds of input tokens together; null while they are not known. */
export const inputOfCall = (call: CallItem): number | null =>
  call.inputTokens === null
    ? null
    : call.inputTokens + (call.cachedInputTokens ?? 0) + (call.cacheWriteTokens ?? 0)

export const CallTable = (
  { calls, context }: { readonly context: PageContext; readonly calls: ReadonlyArray<CallItem> }
) => {
  const say = sayOf(context, "usage")
  const { formats } = context
  const count = (tokens: number | null) => tokens === null ? "–" : formats.count(tokens)
  return (
    <DataTable
      caption={say("list")}
      columns={[
        { title: say("time") },
        { title: say("model") },
        { title: say("key"), wide: true },
        { title: say("in"), number: true, wide: true },
        { title: say("out"), number: true, wide: true },
        { title: say("charged"), number: true },
        { title: say("funding"), wide: true },
        { title: say("state"), wide: true }
      ]}
      rows={calls.map((call) => [
        <a href={`/usage/${call.id}`}>
          <Moment context={context} at={DateTime.toDateUtc(DateTime.makeUnsafe(call.atMs))} />
        </a>,
        <code class="break-anywhere">{call.model}</code>,
        call.keyName === null || call.keyName === "" ? call.keyHint ?? say("key.none") : call.keyName,
        count(inputOfCall(call)),
        count(call.outputTokens),
        call.chargedMicros === null ? "–" : formats.usd(call.chargedMicros),
        fundingName(context, call.funding),
        <>
          <CallBadge context={context} state={call.state} />
          {call.usageSource === "estimated"
            ? (
              <>
                {" "}
                <EstimatedBadge context={context} />
              </>
            )
            : null}
        </>
      ])}
    />
  )
}
