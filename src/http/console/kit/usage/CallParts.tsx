/**
 * How a call is spoken of: its state, who paid for it, and the columns of a table of calls.
 */
import { DateTime } from "effect"
import type { CallItem, CallState } from "../../../../usage/CallItem.ts"
import { type PageContext, sayOf } from "../../PageContext.ts"
import { Badge, Moment, type Tone } from "../../ui/Parts.tsx"
import type { ItemColumn } from "../ItemTable.tsx"

const tones: Readonly<Record<CallState, Tone>> = {
  reserved: "blue",
  committed: "green",
  voided: "secondary",
  expired: "orange"
}

export const callStateNames = (context: PageContext): Readonly<Record<CallState, string>> => {
  const say = sayOf(context, "usage")
  return {
    committed: say("state.committed"),
    reserved: say("state.reserved"),
    voided: say("state.voided"),
    expired: say("expired")
  }
}

export const fundingNames = (context: PageContext): Readonly<Record<CallItem["funding"], string>> => {
  const say = sayOf(context, "usage")
  return { balance: say("balance"), subscription: say("plan"), free: say("free") }
}

export const CallBadge = ({ state, context }: { readonly context: PageContext; readonly state: CallState }) => (
  <Badge tone={tones[state]}>{callStateNames(context)[state]}</Badge>
)

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
    funding: { title: say("funding"), wide: true, cell: ({ funding }) => fundingNames(context)[funding] },
    state: {
      title: say("state"),
      wide: true,
      cell: ({ state, usageSource }) => (
        <>
          <CallBadge context={context} state={state} />{" "}
          {usageSource === "estimated" ? <Badge tone="yellow">{say("estimated")}</Badge> : null}
        </>
      )
    }
  } satisfies Readonly<Record<string, ItemColumn<CallItem>>>
}
