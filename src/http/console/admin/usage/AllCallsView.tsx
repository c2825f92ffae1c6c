/**
 * The calls of everybody, filtered, each leading to its receipt; and what a receipt tells root besides what its user sees.
 */
import { Record } from "effect"
import type { CallOwner, WideCall } from "../../../../usage/AllCalls.ts"
import type { CallPage } from "../../../../usage/CallList.ts"
import type { CallReceipt } from "../../../../usage/Receipts.ts"
import type { ItemColumn } from "../../kit/List.tsx"
import { type Fact, Notice, PageHeading } from "../../kit/Parts.tsx"
import { type CallChoice, callChoices, callColumns, CallsCard } from "../../kit/usage/Calls.tsx"
import { RangePicker } from "../../kit/usage/Sums.tsx"
import { type PageContext, sayOf } from "../../PageContext.ts"
import { type AllUsageQuery, queryText } from "./AllUsageQuery.ts"

const PATH = "/admin/usage/calls"

interface Props {
  readonly context: PageContext
  readonly query: AllUsageQuery
  readonly calls: CallPage<WideCall>
  /** A request id was asked for, and there is no such call. */
  readonly unknownRequest: string | undefined
}

const Text = (
  { hint, label, name, value }: {
    readonly name: string
    readonly label: string
    readonly value: string
    readonly hint?: string
  }
) => (
  <div class="col-6 col-md-3">
    <label class="form-label" for={`filter-${name}`}>{label}</label>
    <input
      type="text"
      class="form-control"
      id={`filter-${name}`}
      name={name}
      value={value}
      placeholder={hint}
      maxlength={256}
      autocomplete="off"
    />
  </div>
)

const Texts = ({ query: { filter, userText }, unknownRequest, context }: Props) => {
  const say = sayOf(context, "allUsage")
  return (
    <>
      <Text name="user" label={say("user")} value={userText} hint={say("user.hint")} />
      <Text name="model" label={say("model")} value={filter.model ?? ""} />
      <Text name="channel" label={say("channel")} value={filter.channel ?? ""} />
      <Text name="key" label={say("key.id")} value={filter.keyId?.toString() ?? ""} />
      <Text name="request" label={say("request")} value={unknownRequest ?? ""} />
    </>
  )
}

const statusChoice = ({ query: { filter }, context }: Props): CallChoice => {
  const say = sayOf(context, "allUsage")
  const names = {
    "2xx": say("status.2xx"),
    "4xx": say("status.4xx"),
    "5xx": say("status.5xx"),
    "none": say("status.none"),
    "trouble": say("status.trouble")
  }
  return { name: "status", label: say("status"), chosen: filter.status, options: Object.entries(names) }
}

const columnsOf = (context: PageContext): ReadonlyArray<ItemColumn<WideCall>> => {
  const say = sayOf(context, "allUsage")
  const { charged, input, model, output, state, time } = callColumns(context, "/admin/usage")
  return [
    time,
    {
      title: say("user"),
      cell: ({ email, userId }) => <span class="break-anywhere">{email ?? userId.toString()}</span>
    },
    { ...model, wide: true },
    { title: say("channel"), wide: true, cell: ({ channel }) => <span class="break-anywhere">{channel ?? "–"}</span> },
    {
      ...input,
      title: `${input.title} / ${output.title}`,
      cell: (call) => `${input.cell(call)} / ${output.cell(call)}`
    },
    charged,
    {
      ...state,
      cell: (call) => (
        <>
          {state.cell(call)}
          {call.reason === null || call.reason === "" ? null : (
            <div class="text-secondary small break-anywhere">
              <code>{call.reason}</code>
            </div>
          )}
        </>
      )
    }
  ]
}

/** The parts of the address besides the period. */
const partsOf = ({ filter, userText }: AllUsageQuery) => ({
  user: userText,
  model: filter.model ?? "",
  channel: filter.channel ?? "",
  key: filter.keyId?.toString() ?? "",
  state: filter.state ?? "",
  status: filter.status ?? "",
  funding: filter.funding ?? ""
})

export const AllCallsView = (props: Props) => {
  const { calls, query, unknownRequest, context } = props
  const say = sayOf(context, "allUsage")
  const page = {
    context,
    path: PATH,
    queryOf: (changes: Readonly<Record<string, string>> = {}) => queryText(query, changes)
  }
  const kept = partsOf(query)
  const cleared = queryText(query, Record.map(kept, () => ""))
  return (
    <>
      <PageHeading title={say("calls.title")}>
        <a class="btn" href={`/admin/usage?${queryText(query)}`}>{say("figures.show")}</a>
      </PageHeading>
      <RangePicker {...page} range={query.range} kept={kept} />
      {query.userText !== "" && query.user === undefined
        ? <Notice kind="warning">{say("user.unknown", { name: query.userText })}</Notice>
        : null}
      {unknownRequest === undefined
        ? null
        : <Notice kind="warning">{say("request.unknown", { id: unknownRequest })}</Notice>}
      <CallsCard
        {...page}
        calls={calls}
        query={query}
        csvPath={`${PATH}.csv`}
        texts={<Texts {...props} />}
        choices={[...callChoices(context, query), statusChoice(props)]}
        actions={query.isFiltered ? <a class="btn" href={`${PATH}?${cleared}`}>{say("reset")}</a> : null}
        columns={columnsOf(context)}
        none={{ title: say("none"), text: say("none.text") }}
      />
    </>
  )
}

/** The facts of a receipt that only root is told. */
export const ownerFacts = (context: PageContext, call: CallReceipt & CallOwner): ReadonlyArray<Fact> => {
  const say = sayOf(context, "allUsage")
  const sayUsage = sayOf(context, "usage")
  const link = (part: string, id: bigint, text: string | null) => (
    <a class="break-anywhere" href={`${PATH}?${part}=${id}`}>{text ?? id.toString()}</a>
  )
  return [
    [say("user"), link("user", call.userId, call.email)],
    [say("key"), call.keyId === null ? sayUsage("key.none") : link("key", call.keyId, call.keyHint)],
    [say("channel"), call.channel ?? say("channel.none")],
    call.upstreamModel === null
      ? null
      : [say("receipt.model"), <code class="break-anywhere">{call.upstreamModel}</code>],
    call.usageFlagged ? [sayUsage("receipt.source"), say("receipt.flagged")] : null
  ]
}
