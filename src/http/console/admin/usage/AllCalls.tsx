/**
 * `/admin/usage/calls`: the calls of everybody, as a page and as a file, each with its receipt, which tells administrators more than its
 * user sees.
 */
import { Effect } from "effect"
import { HttpRouter } from "effect/http"
import { AllCalls, type CallOwner, type WideCall } from "../../../../usage/AllCalls.ts"
import { wideCallColumns } from "../../../../usage/CallCsv.ts"
import type { CallReceipt } from "../../../../usage/Receipts.ts"
import { notFound, page, PageNotFound, redirect } from "../../Answer.ts"
import { adminPage, routes } from "../../ConsoleRoute.ts"
import { csvAnswer } from "../../Csv.ts"
import { type ItemColumn, type ListFilter, textColumn } from "../../kit/List.tsx"
import { type Fact, Notice } from "../../kit/Parts.tsx"
import { callColumns, callFilter, CallsCard } from "../../kit/usage/Calls.tsx"
import { ReceiptView } from "../../kit/usage/Receipt.tsx"
import { type PageContext, sayOf, type UserContext } from "../../PageContext.ts"
import { type AllUsageQuery, placeOf, readAllUsage, UsageTop } from "./AllUsageQuery.tsx"

const PATH = "/admin/usage/calls"

/** `request` is an id that was asked for, of which there is no call. */
const filterOf = (context: PageContext, query: AllUsageQuery, request: string): ReadonlyArray<ListFilter> => {
  const say = sayOf(context, "allUsage")
  const { channel, keyId, model, status } = query.filter
  const statuses = {
    "2xx": say("status.2xx"),
    "4xx": say("status.4xx"),
    "5xx": say("status.5xx"),
    "none": say("status.none"),
    "trouble": say("status.trouble")
  }
  return [
    { is: "text", name: "user", label: say("user"), value: query.userText, hint: say("user.hint") },
    { is: "text", name: "model", label: say("model"), value: model },
    { is: "text", name: "channel", label: say("channel"), value: channel },
    { is: "text", name: "key", label: say("key.id"), value: keyId?.toString() },
    { is: "text", name: "request", label: say("request"), value: request },
    ...callFilter(context, query),
    { is: "choice", name: "status", label: say("status"), value: status, options: Object.entries(statuses) }
  ]
}

const columnsOf = (context: PageContext): ReadonlyArray<ItemColumn<WideCall>> => {
  const say = sayOf(context, "allUsage")
  const { charged, input, model, output, state, time } = callColumns(context, "/admin/usage")
  return [
    time,
    textColumn(say("user"), ({ email, userId }) => email ?? userId.toString()),
    { ...model, wide: true },
    textColumn(say("channel"), ({ channel }) => channel ?? "–", { wide: true }),
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
          {call.reason ? <code class="d-block text-secondary small break-anywhere">{call.reason}</code> : null}
        </>
      )
    }
  ]
}

const show = Effect.fnUntraced(function*(context: UserContext) {
  const say = sayOf(context, "allUsage")
  const list = yield* AllCalls
  const request = (context.query.get("request") ?? "").trim()
  if (request !== "" && (yield* list.receipt(request)) !== undefined) return redirect(`/admin/usage/${request}`)
  const query = yield* readAllUsage(context)
  // The range has been checked when the address was read, so it is the cursor that cannot be read.
  const calls = yield* list.page(query.filter, context.query.get("before") ?? undefined).pipe(
    Effect.catchTag("UsageRefused", notFound)
  )
  const place = placeOf(context, PATH, query)
  const other = { path: "/admin/usage", text: say("figures.show") }
  return page(
    say("calls.title"),
    <>
      <UsageTop {...place} query={query} title={say("calls.title")} other={other} />
      {request === "" ? null : <Notice kind="warning">{say("request.unknown", { id: request })}</Notice>}
      <CallsCard
        {...place}
        calls={calls}
        query={query}
        csvPath={`${PATH}.csv`}
        filter={filterOf(context, query, request)}
        columns={columnsOf(context)}
        none={{ title: say("none"), text: say("none.text") }}
      />
    </>
  )
})

const csv = Effect.fnUntraced(function*(context: UserContext) {
  const { filter, range } = yield* readAllUsage(context)
  return csvAnswer(`realms-all-calls-${range.from}-${range.to}.csv`, wideCallColumns, (yield* AllCalls).rows(filter))
})

/** The facts of a receipt that only administrators are told. */
const ownerFacts = (context: PageContext, call: CallReceipt & CallOwner): ReadonlyArray<Fact> => {
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

const receipt = Effect.fnUntraced(function*(context: UserContext) {
  const call = yield* (yield* AllCalls).receipt((yield* HttpRouter.params)["id"] ?? "")
  if (call === undefined) return yield* new PageNotFound()
  const more = ownerFacts(context, call)
  return page(sayOf(context, "usage")("receipt"), ReceiptView({ context, call, more, back: PATH }))
})

export const AllCallsRoutes = routes(
  adminPage("/admin/usage/calls", show),
  adminPage("/admin/usage/calls.csv", csv),
  adminPage("/admin/usage/:id", receipt)
)
