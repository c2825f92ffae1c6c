/**
 * Calls one by one: their states, who paid for them, their table with what it is narrowed by, their file, and refused calls.
 */
import { DateTime, Effect } from "effect"
import type { UserId } from "../../../../domain/Ids.ts"
import { type CallItem, type CallState, inputOfCall } from "../../../../usage/CallItem.ts"
import type { CallPage } from "../../../../usage/CallList.ts"
import { REFUSED_DAYS, REFUSED_PER_USER_MAX, RefusedCalls, type RefusedPage } from "../../../../usage/RefusedCalls.ts"
import { type PageContext, sayOf } from "../../PageContext.ts"
import type { TextKey } from "../../text/Texts.ts"
import { Filter, type ItemColumn, ItemTable, type ListFilter, Pager } from "../List.tsx"
import { Badge, Card, Moment, Nothing, StateBadge, type States } from "../Parts.tsx"
import type { UsagePage, UsageQuery } from "./UsageQuery.ts"

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
    input: { title: say("in"), number: true, wide: true, cell: (call) => tokens(inputOfCall(call)) },
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

/** What every list of calls is narrowed by. */
export const callFilter = (context: PageContext, { filter }: UsageQuery): ReadonlyArray<ListFilter> => {
  const say = sayOf(context, "usage")
  const states = Object.entries(callStates).map(([state, [, key]]) => [state, say(key)] as const)
  const payers = Object.entries(fundings).map(([funding, key]) => [funding, say(key)] as const)
  return [
    { is: "choice", name: "state", label: say("state"), value: filter.state, options: states },
    { is: "choice", name: "funding", label: say("funding"), value: filter.funding, options: payers }
  ]
}

interface CursorLinksProps extends UsagePage {
  /** The list's name in the page, and in its query. */
  readonly at: string
  readonly name: string
  readonly next: string | undefined
  readonly texts: readonly [newest: string, older: string]
}

/** The links to other pages of a list. */
const CursorLinks = ({ at, name, next, path, queryOf, texts: [newest, older], context }: CursorLinksProps) => {
  const hrefOf = (changes?: Readonly<Record<string, string>>) => `${path}?${queryOf(changes)}#${at}`
  return (
    <Pager
      newest={context.query.has(name) ? { href: hrefOf(), text: newest } : undefined}
      older={next === undefined ? undefined : { href: hrefOf({ [name]: next }), text: older }}
    />
  )
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

export function CallsCard<Call extends CallItem>(props: CallsCardProps<Call>) {
  const { calls, columns, csvPath, filter, none, path, query: { range }, queryOf, context } = props
  const say = sayOf(context, "usage")
  const kept = { range: range.name, ...(range.name === "custom" ? { from: range.from, to: range.to } : {}) }
  const csv = <a class="btn btn-sm" href={`${csvPath}?${queryOf()}`} download>{say("export")}</a>
  return (
    <Card title={say("list")} actions={csv}>
      <div id="calls">
        <Filter context={context} path={path} at="#calls" kept={kept} filter={filter} />
      </div>
      {calls.items.length > 0
        ? <ItemTable caption={say("list")} columns={columns} items={calls.items} />
        : calls.exhausted
        ? <Nothing icon="usage" {...none} />
        : <Nothing icon="filter" title={say("keepLooking")} />}
      <CursorLinks {...props} at="calls" name="before" next={calls.next} texts={[say("newest"), say("older")]} />
    </Card>
  )
}

/** The part of an address that names the page of refused calls. */
const CURSOR = "refused_before"

/** Undefined where the address asks for calls of a state or a payer, which refused calls do not have. */
export const readRefused = Effect.fnUntraced(function*(context: PageContext, userId: UserId, { filter }: UsageQuery) {
  return filter.state !== undefined || filter.funding !== undefined
    ? undefined
    : yield* (yield* RefusedCalls).list(userId, filter, context.query.get(CURSOR) ?? undefined)
})

interface RefusedProps extends UsagePage {
  readonly refused: RefusedPage | undefined
}

export const RefusedCard = ({ refused, ...page }: RefusedProps) => {
  const { context } = page
  const say = sayOf(context, "refused")
  const sayUsage = sayOf(context, "usage")
  if (refused === undefined || (refused.items.length === 0 && !context.query.has(CURSOR))) return null
  const { items, next } = refused
  return (
    <Card title={say("refused")} class="mt-3">
      <div id="refused" class="card-body border-bottom text-secondary">
        {say("refused.lead", { count: REFUSED_PER_USER_MAX, days: REFUSED_DAYS })}
      </div>
      {items.length === 0 ? <Nothing icon="usage" title={say("refused.none")} /> : (
        <ItemTable
          caption={say("refused")}
          columns={[
            { title: sayUsage("time"), cell: (call) => <CallMoment context={context} call={call} /> },
            {
              title: sayUsage("model"),
              cell: ({ model }) => model === null ? "–" : <code class="break-anywhere">{model}</code>
            },
            { title: sayUsage("key"), wide: true, cell: (call) => keyText(context, call) },
            { title: sayUsage("receipt.endpoint"), wide: true, cell: ({ endpoint }) => endpoint },
            {
              title: sayUsage("status"),
              cell: ({ code, status }) => [`${status} `, <code class="break-anywhere">{code}</code>]
            },
            { title: sayUsage("receipt.id"), wide: true, cell: ({ id }) => <code class="break-anywhere">{id}</code> }
          ]}
          items={items}
        />
      )}
      <CursorLinks
        {...page}
        at="refused"
        name={CURSOR}
        next={next}
        texts={[say("refused.newest"), say("refused.older")]}
      />
    </Card>
  )
}
