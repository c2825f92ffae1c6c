/**
 * How a call is spoken of: its state, who paid for it, and the columns of a table of calls.
 */
import { DateTime } from "effect"
import type { CallItem, CallState } from "../../../../usage/CallItem.ts"
import { type PageContext, sayOf } from "../../PageContext.ts"
import type { TextKey } from "../../text/Texts.ts"
import { Badge, Moment } from "../../ui/Parts.tsx"
import type { ItemColumn } from "../ItemTable.tsx"
import { StateBadge, type States } from "../StateBadge.tsx"

export const callStates: States<CallState, TextKey<"usage">> = {
  committed: ["green", "state.committed"],
  reserved: ["blue", "state.reserved"],
  voided: ["secondary", "state.voided"],
  expired: ["orange", "expired"]
}

/** The texts that name who paid. */
export const fundings = { balance: "balance", subscription: "plan", free: "free" } as const

export const CallMoment = ({ call, context }: { readonly context: PageContext; readonly call: { atMs: number } }) => (
  <Moment context={context} at={DateTime.toDateUtc(DateTime.makeUnsafe(call.atMs))} />
)

/** The name of the key that a call was made with, or what is known of it. */
export const keyText = (context: PageContext, { keyHint, keyName }: Pick<CallItem, "keyHint" | "keyName">): string =>
  keyName === null || keyName === "" ? keyHint ?? sayOf(context, "usage")("key.none") : keyName

/** All kinds of input tokens together; null while they are not known. */
const inputOf = ({ cacheWriteTokens, cachedInputTokens, inputTokens }: CallItem): number | null =>
  inputTokens === null ? null : inputTokens + (cachedInputTokens ?? 0) + (cacheWriteTokens ?? 0)

/** The columns of calls, by name: each table shows some of them. A call leads to its receipt, below `path`. */
export const callColumns = (context: PageContext, path: string) => {
  const say = sayOf(context, "usage")
  const { count, usdFixed } = context.formats
  const tokens = (of: number | null) => of === null ? "–" : count(of)
  return {
    time: {
      title: say("time"),
      cell: (call) => (
        <a href={`${path}/${call.id}`}>
          <CallMoment context={context} call={call} />
        </a>
      )
    },
    model: { title: say("model"), cell: ({ model }) => <code class="break-anywhere">{model}</code> },
    key: { title: say("key"), wide: true, cell: (call) => keyText(context, call) },
    input: { title: say("in"), number: true, wide: true, cell: (call) => tokens(inputOf(call)) },
    output: { title: say("out"), number: true, wide: true, cell: ({ outputTokens }) => tokens(outputTokens) },
    charged: {
      title: say("charged"),
      number: true,
      cell: ({ chargedMicros }) => chargedMicros === null ? "–" : usdFixed(chargedMicros)
    },
    funding: { title: say("funding"), wide: true, cell: ({ funding }) => say(fundings[funding]) },
    state: {
      title: say("state"),
      wide: true,
      cell: ({ state, usageSource }) => (
        <>
          <StateBadge say={say} states={callStates} state={state} />{" "}
          {usageSource === "estimated" ? <Badge tone="yellow">{say("estimated")}</Badge> : null}
        </>
      )
    }
  } satisfies Readonly<Record<string, ItemColumn<CallItem>>>
}
