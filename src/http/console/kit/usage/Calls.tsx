/**
 * Calls one by one, those that failed or were refused among them: their states, who paid for them, their table with what it is
 * narrowed by, and their file.
 */
import { DateTime } from "effect"
import { inputOfCall, type ListedCall, type ListedState } from "../../../../usage/CallItem.ts"
import type { CallPage, StatusClass } from "../../../../usage/CallList.ts"
import { REFUSED_PER_USER_MAX } from "../../../../usage/RefusedCalls.ts"
import { type PageContext, sayOf } from "../../PageContext.ts"
import type { TextKey } from "../../text/Texts.ts"
import { Filter, type ItemColumn, ItemTable, type ListFilter, Pager } from "../List.tsx"
import { Badge, Card, Moment, Nothing, Small, StateBadge, type States } from "../Parts.tsx"
import { callReason } from "./CallReasons.ts"
import type { UsagePage, UsageQuery } from "./UsageQuery.ts"

export const callStates: States<ListedState, TextKey<"usage">> = {
  committed: ["green", "state.committed"],
  reserved: ["blue", "state.reserved"],
  voided: ["secondary", "state.voided"],
  refused: ["red", "state.refused"],
  expired: ["orange", "expired"]
}

/** The texts that name who paid. */
export const fundings = { balance: "balance", subscription: "plan", free: "free" } as const

export const CallMoment = ({ call, context }: { readonly context: PageContext; readonly call: { atMs: number } }) => (
  <Moment context={context} at={DateTime.toDateUtc(DateTime.makeUnsafe(call.atMs))} />
)

/** The name of the key that a call was made with, or what is known of it. */
export const keyText = (context: PageContext, { keyHint, keyName }: Pick<ListedCall, "keyHint" | "keyName">): string =>
  keyName === null || keyName === "" ? keyHint ?? sayOf(context, "usage")("key.none") : keyName

export const ModelCode = ({ model }: { readonly model: string | null }) =>
  model === null ? <>–</> : <code class="break-anywhere">{model}</code>

/** Where a call was sent, and whether its answer came piece by piece. */
export const endpointText = (context: PageContext, { endpoint, stream }: Pick<ListedCall, "endpoint" | "stream">) =>
  stream ? `${endpoint} (${sayOf(context, "usage")("receipt.stream")})` : endpoint

/** The columns of calls, by name: each table shows some of them. A call leads to its receipt, below `path`. */
export const callColumns = (context: PageContext, path: string) => {
  const say = sayOf(context, "usage")
  const { count, seconds, usdFixed } = context.formats
  const tokens = (of: number | null) => of === null ? "–" : count(of)
  return {
    time: {
      title: say("time"),
      cell: (call) => (
        <>
          <a href={`${path}/${call.id}`}>
            <CallMoment context={context} call={call} />
          </a>
          <div class="d-md-none small">
            <ModelCode model={call.model} />
          </div>
        </>
      )
    },
    model: {
      title: say("model"),
      wide: true,
      cell: (call) => (
        <>
          <ModelCode model={call.model} />
          <div class="text-secondary small nowrap">{endpointText(context, call)}</div>
        </>
      )
    },
    key: {
      title: say("key"),
      wide: true,
      cell: (call) => <span class="break-anywhere">{keyText(context, call)}</span>
    },
    tokens: {
      title: say("inOut"),
      number: true,
      wide: true,
      cell: (call) => `${tokens(inputOfCall(call))} / ${tokens(call.outputTokens)}`
    },
    duration: {
      title: say("duration"),
      number: true,
      wide: true,
      cell: ({ latencyMs, ttftMs }) => (
        <>
          <span class="nowrap">{latencyMs === null ? "–" : seconds(latencyMs)}</span>
          {ttftMs === null
            ? null
            : <div class="text-secondary small nowrap">{say("firstToken", { time: seconds(ttftMs) })}</div>}
        </>
      )
    },
    charged: {
      title: say("charged"),
      number: true,
      cell: ({ chargedMicros, funding }) => (
        <>
          {chargedMicros === null ? "–" : usdFixed(chargedMicros)}
          <Small>{funding === null ? undefined : say(fundings[funding])}</Small>
        </>
      )
    },
    state: {
      title: say("state"),
      cell: ({ reason, state, status, usageSource }) => (
        <>
          <StateBadge say={say} states={callStates} state={state} />{" "}
          {usageSource === "estimated" ? <Badge tone="yellow">{say("estimated")}</Badge> : null}
          <Small>
            {[
              status === null || status === 200 ? "" : status.toString(),
              reason === null || reason === "" ? "" : callReason(context, reason)
            ].filter((part) => part !== "").join(" · ")}
          </Small>
        </>
      )
    }
  } satisfies Readonly<Record<string, ItemColumn<ListedCall>>>
}

/** What every list of calls is narrowed by. */
export const callFilter = (context: PageContext, { filter }: UsageQuery): ReadonlyArray<ListFilter> => {
  const say = sayOf(context, "usage")
  const states = Object.entries(callStates).map(([state, [, key]]) => [state, say(key)] as const)
  const payers = Object.entries(fundings).map(([funding, key]) => [funding, say(key)] as const)
  const statuses: Readonly<Record<StatusClass, string>> = {
    "2xx": say("status.2xx"),
    "4xx": say("status.4xx"),
    "5xx": say("status.5xx"),
    "none": say("status.none"),
    "trouble": say("status.trouble")
  }
  return [
    { is: "choice", name: "state", label: say("state"), value: filter.state, options: states },
    { is: "choice", name: "status", label: say("status"), value: filter.status, options: Object.entries(statuses) },
    { is: "choice", name: "funding", label: say("funding"), value: filter.funding, options: payers }
  ]
}

interface CallsCardProps<Call> extends UsagePage {
  readonly calls: CallPage<Call>
  readonly columns: ReadonlyArray<ItemColumn<Call>>
  readonly query: UsageQuery
  /** Of the file. */
  readonly csvPath: string
  readonly filter: ReadonlyArray<ListFilter>
  readonly none: { readonly title: string; readonly text: string }
}

export function CallsCard<Call extends ListedCall>(props: CallsCardProps<Call>) {
  const { calls, columns, csvPath, filter, none, path, query, queryOf, context } = props
  const { range } = query
  const say = sayOf(context, "usage")
  const kept = { range: range.name, ...(range.name === "custom" ? { from: range.from, to: range.to } : {}) }
  const csv = <a class="btn btn-sm" href={`${csvPath}?${queryOf()}`} download>{say("export")}</a>
  const hrefOf = (changes?: Readonly<Record<string, string>>) => `${path}?${queryOf(changes)}#calls`
  return (
    <Card title={say("list")} actions={csv}>
      <div id="calls">
        <Filter context={context} path={path} at="#calls" kept={kept} filter={filter} />
      </div>
      {query.filter.state === "refused"
        ? (
          <div class="card-body border-bottom text-secondary">
            {sayOf(context, "refused")("refused.lead", { count: REFUSED_PER_USER_MAX })}
          </div>
        )
        : null}
      {calls.items.length > 0
        ? <ItemTable caption={say("list")} columns={columns} items={calls.items} />
        : calls.exhausted
        ? <Nothing icon="usage" {...none} />
        : <Nothing icon="filter" title={say("keepLooking")} />}
      <Pager
        newest={context.query.has("before") ? { href: hrefOf(), text: say("newest") } : undefined}
        older={calls.next === undefined ? undefined : { href: hrefOf({ before: calls.next }), text: say("older") }}
      />
    </Card>
  )
}
