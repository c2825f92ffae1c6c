/**
 * Calls one by one, each leading to its receipt.
 */
import { DateTime } from "effect"
import type { CallItem } from "../../../../usage/CallItem.ts"
import { DataTable, Moment } from "../../ui/Parts.tsx"
import { sayOf, type Visit } from "../../Visit.ts"
import { CallBadge, EstimatedBadge, fundingName } from "./CallParts.tsx"
import { usageText } from "./UsageText.ts"

/** All kinds of input tokens together; null while they are not known. */
export const inputOfCall = (call: CallItem): number | null =>
  call.inputTokens === null
    ? null
    : call.inputTokens + (call.cachedInputTokens ?? 0) + (call.cacheWriteTokens ?? 0)

export const CallTable = (
  { calls, visit }: { readonly visit: Visit; readonly calls: ReadonlyArray<CallItem> }
) => {
  const say = sayOf(visit, usageText)
  const { formats } = visit
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
          <Moment visit={visit} at={DateTime.toDateUtc(DateTime.makeUnsafe(call.atMs))} />
        </a>,
        <code class="break-anywhere">{call.model}</code>,
        call.keyName === null || call.keyName === "" ? call.keyHint ?? say("key.none") : call.keyName,
        count(inputOfCall(call)),
        count(call.outputTokens),
        call.chargedMicros === null ? "–" : formats.usd(call.chargedMicros),
        fundingName(visit, call.funding),
        <>
          <CallBadge visit={visit} state={call.state} />
          {call.usageSource === "estimated"
            ? (
              <>
                {" "}
                <EstimatedBadge visit={visit} />
              </>
            )
            : null}
        </>
      ])}
    />
  )
}
