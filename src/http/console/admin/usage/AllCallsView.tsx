/**
 * The calls of everybody, filtered, each leading to its receipt; and what a receipt tells root besides what its user sees.
 */
import { DateTime } from "effect"
import type { CallOwner, WideCall } from "../../../../usage/AllCalls.ts"
import { statusClasses } from "../../../../usage/AllCalls.ts"
import type { CallPage } from "../../../../usage/CallList.ts"
import type { CallReceipt } from "../../../../usage/Receipts.ts"
import { type PageContext, sayOf } from "../../PageContext.ts"
import { CallBadge, callStateName, EstimatedBadge, fundingName } from "../../kit/usage/CallParts.tsx"
import { inputOfCall } from "../../kit/usage/CallTable.tsx"
import { RangePicker } from "../../kit/usage/RangePicker.tsx"
import { callStates, fundings } from "../../kit/usage/UsageQuery.ts"
import { RANGE_DAYS_SHOWN_MAX } from "../../kit/usage/UsageRange.ts"
import { FilterChoice } from "../../ui/FilterParts.tsx"
import { Notice } from "../../ui/Forms.tsx"
import { Card, DataTable, Moment, Nothing, PageHeading } from "../../ui/Parts.tsx"
import { type AllUsageQuery, queryText } from "./AllUsageQuery.ts"

const PATH = "/admin/usage/calls"

interface Props {
  readonly context: PageContext
  readonly query: AllUsageQuery
  readonly calls: CallPage<WideCall>
  /** This is not the first page of calls. */
  readonly isContinued: boolean
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

const Filters = ({ query, unknownRequest, context }: Props) => {
  const say = sayOf(context, "allUsage")
  const sayUsage = sayOf(context, "usage")
  const { filter, range } = query
  const all = sayUsage("all")
  const statusNames = {
    "2xx": say("status.2xx"),
    "4xx": say("status.4xx"),
    "5xx": say("status.5xx"),
    "none": say("status.none"),
    "trouble": say("status.trouble")
  }
  const cleared = queryText(query, {
    user: "",
    model: "",
    channel: "",
    key: "",
    state: "",
    status: "",
    funding: ""
  })
  return (
    <form method="get" action={PATH} class="row g-2 align-items-end">
      <input type="hidden" name="range" value={range.name} />
      {range.name === "custom"
        ? (
          <>
            <input type="hidden" name="from" value={range.from} />
            <input type="hidden" name="to" value={range.to} />
          </>
        )
        : null}
      <Text name="user" label={say("user")} value={query.userText} hint={say("user.hint")} />
      <Text name="model" label={sayUsage("model")} value={filter.model ?? ""} />
      <Text name="channel" label={say("channel")} value={filter.channel ?? ""} />
      <Text name="key" label={say("key.id")} value={filter.keyId?.toString() ?? ""} />
      <FilterChoice
        name="state"
        label={sayUsage("state")}
        all={all}
        chosen={filter.state}
        options={callStates.map((state) => [state, callStateName(context, state)])}
      />
      <FilterChoice
        name="status"
        label={say("status")}
        all={all}
        chosen={filter.status}
        options={statusClasses.map((status) => [status, statusNames[status]])}
      />
      <FilterChoice
        name="funding"
        label={sayUsage("funding")}
        all={all}
        chosen={filter.funding}
        options={fundings.map((funding) => [funding, fundingName(context, funding)])}
      />
      <Text name="request" label={say("request")} value={unknownRequest ?? ""} />
      <div class="col-12 col-md-auto d-flex gap-2">
        <button class="btn btn-primary flex-fill" type="submit">{sayUsage("filter")}</button>
        {query.isFiltered ? <a class="btn" href={`${PATH}?${cleared}`}>{say("reset")}</a> : null}
      </div>
    </form>
  )
}

const Table = ({ calls, context }: { readonly context: PageContext; readonly calls: ReadonlyArray<WideCall> }) => {
  const say = sayOf(context, "usage")
  const sayAll = sayOf(context, "allUsage")
  const { formats } = context
  const count = (tokens: number | null) => tokens === null ? "–" : formats.count(tokens)
  return (
    <DataTable
      caption={say("list")}
      columns={[
        { title: say("time") },
        { title: sayAll("user") },
        { title: say("model"), wide: true },
        { title: sayAll("channel"), wide: true },
        { title: `${say("in")} / ${say("out")}`, number: true, wide: true },
        { title: say("charged"), number: true },
        { title: say("state"), wide: true }
      ]}
      rows={calls.map((call) => [
        <a href={`/admin/usage/${call.id}`}>
          <Moment context={context} at={DateTime.toDateUtc(DateTime.makeUnsafe(call.atMs))} />
        </a>,
        <span class="break-anywhere">{call.email ?? call.userId.toString()}</span>,
        <code class="break-anywhere">{call.model}</code>,
        <span class="break-anywhere">{call.channel ?? "–"}</span>,
        `${count(inputOfCall(call))} / ${count(call.outputTokens)}`,
        call.chargedMicros === null ? "–" : formats.usd(call.chargedMicros),
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
          {call.reason === null || call.reason === "" ? null : (
            <div class="text-secondary small break-anywhere">
              <code>{call.reason}</code>
            </div>
          )}
        </>
      ])}
    />
  )
}

const Turning = ({ calls, isContinued, query, context }: Props) => {
  const say = sayOf(context, "usage")
  if (!isContinued && calls.next === undefined) return null
  return (
    <div class="card-footer d-flex justify-content-between">
      {isContinued ? <a href={`${PATH}?${queryText(query)}`}>{say("newest")}</a> : <span />}
      {calls.next === undefined
        ? null
        : <a href={`${PATH}?${queryText(query, { before: calls.next })}`}>{say("older")}</a>}
    </div>
  )
}

export const AllCallsView = (props: Props) => {
  const { calls, query, unknownRequest, context } = props
  const say = sayOf(context, "allUsage")
  const sayUsage = sayOf(context, "usage")
  const { filter, range } = query
  const kept = {
    user: query.userText,
    model: filter.model ?? "",
    channel: filter.channel ?? "",
    key: filter.keyId?.toString() ?? "",
    state: filter.state ?? "",
    status: filter.status ?? "",
    funding: filter.funding ?? ""
  }
  return (
    <>
      <PageHeading title={say("calls.title")}>
        <a class="btn" href={`/admin/usage?${queryText(query)}`}>{say("figures.show")}</a>
      </PageHeading>
      <RangePicker
        context={context}
        range={range}
        path={PATH}
        queryOf={(changes) => queryText(query, changes)}
        kept={kept}
      />
      {range.isRefused
        ? <Notice kind="warning">{sayUsage("range.bad", { days: RANGE_DAYS_SHOWN_MAX })}</Notice>
        : null}
      {query.userText !== "" && query.user === undefined
        ? <Notice kind="warning">{say("user.unknown", { name: query.userText })}</Notice>
        : null}
      {unknownRequest === undefined
        ? null
        : <Notice kind="warning">{say("request.unknown", { id: unknownRequest })}</Notice>}
      <Card
        title={sayUsage("list")}
        actions={
          <a class="btn btn-sm" href={`${PATH}.csv?${queryText(query)}`} download>
            {sayUsage("export")}
          </a>
        }
      >
        <div class="card-body border-bottom">
          <Filters {...props} />
        </div>
        {calls.items.length === 0
          ? calls.exhausted
            ? <Nothing icon="usage" title={say("none")} text={say("none.text")} />
            : <Nothing icon="filter" title={sayUsage("keepLooking")} />
          : <Table context={context} calls={calls.items} />}
        <Turning {...props} />
      </Card>
    </>
  )
}

/** The facts of a receipt that only root is told. */
export const OwnerFacts = (
  { call, context }: { readonly context: PageContext; readonly call: CallReceipt & CallOwner }
) => {
  const say = sayOf(context, "allUsage")
  return (
    <>
      <dt>{say("user")}</dt>
      <dd>
        <a class="break-anywhere" href={`${PATH}?user=${call.userId}`}>{call.email ?? call.userId.toString()}</a>
      </dd>
      <dt>{sayOf(context, "usage")("key")}</dt>
      <dd>
        {call.keyId === null
          ? sayOf(context, "usage")("key.none")
          : <a class="break-anywhere" href={`${PATH}?key=${call.keyId}`}>{call.keyHint ?? call.keyId.toString()}</a>}
      </dd>
      <dt>{say("channel")}</dt>
      <dd>{call.channel ?? say("channel.none")}</dd>
      {call.upstreamModel === null ? null : (
        <>
          <dt>{say("receipt.model")}</dt>
          <dd>
            <code class="break-anywhere">{call.upstreamModel}</code>
          </dd>
        </>
      )}
      {call.usageFlagged
        ? (
          <>
            <dt>{sayOf(context, "usage")("receipt.source")}</dt>
            <dd>{say("receipt.flagged")}</dd>
          </>
        )
        : null}
    </>
  )
}
