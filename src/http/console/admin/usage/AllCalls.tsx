/**
 * `/admin/usage/calls`: the calls of everybody, as a page and as a file, each with its receipt, which tells administrators more than its
 * user sees.
 */
import { Effect } from "effect"
import { HttpRouter } from "effect/http"
import { AllCalls, type CallOwner, type WideCall } from "../../../../usage/AllCalls.ts"
import { wideCallColumns } from "../../../../usage/CallCsv.ts"
import type { CallReceipt } from "../../../../usage/Receipts.ts"
import { RefusedCalls } from "../../../../usage/RefusedCalls.ts"
import { notFound, page, PageNotFound, redirect } from "../../Answer.ts"
import { adminPage, routes } from "../../ConsoleRoute.ts"
import { csvAnswer, inTurns } from "../../Csv.ts"
import { type ItemColumn, type ListFilter, textColumn } from "../../kit/List.tsx"
import { type Fact, Notice } from "../../kit/Parts.tsx"
import { callColumns, callFilter, CallsCard } from "../../kit/usage/Calls.tsx"
import { ReceiptView } from "../../kit/usage/Receipt.tsx"
import { RefusedView } from "../../kit/usage/Refused.tsx"
import { type PageContext, sayOf, type UserContext } from "../../PageContext.ts"
import { type AllUsageQuery, placeOf, readAllUsage, UsageTop } from "./AllUsageQuery.tsx"

const PATH = "/admin/usage/calls"

/** `request` is an id that was asked for, of which there is no call. */
const filterOf = (context: PageContext, query: AllUsageQuery, request: string): ReadonlyArray<ListFilter> => {
  const say = sayOf(context, "allUsage")
  const { channel, keyId, model } = query.filter
  return [
    { is: "text", name: "user", label: say("user"), value: query.userText, hint: say("user.hint") },
    { is: "text", name: "model", label: say("model"), value: model },
    { is: "text", name: "channel", label: say("channel"), value: channel },
    { is: "text", name: "key", label: say("key.id"), value: keyId?.toString() },
    { is: "text", name: "request", label: say("request"), value: request },
    ...callFilter(context, query)
  ]
}

const columnsOf = (context: PageContext): ReadonlyArray<ItemColumn<WideCall>> => {
  const say = sayOf(context, "allUsage")
  const { charged, duration, key, model, state, time, tokens } = callColumns(context, "/admin/usage")
  return [
    time,
    textColumn(say("user"), ({ email, userId }) => email ?? userId.toString()),
    model,
    key,
    textColumn(say("channel"), ({ channel }) => channel ?? "–", { wide: true }),
    tokens,
    duration,
    charged,
    {
      ...state,
      cell: (call) => (
        <>
          {state.cell(call)}
          {call.reason ? <code class="d-block small break-anywhere">{call.reason}</code> : null}
        </>
      )
    }
  ]
}

const show = Effect.fnUntraced(function*(context: UserContext) {
  const say = sayOf(context, "allUsage")
  const list = yield* AllCalls
  const request = (context.query.get("request") ?? "").trim()
  const isThere = request !== "" &&
    ((yield* list.receipt(request)) ?? (yield* (yield* RefusedCalls).find(request))) !== undefined
  if (isThere) return redirect(`/admin/usage/${request}`)
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
  const calls = yield* inTurns(context.user.id, (yield* AllCalls).rows(filter))
  return csvAnswer(`realms-all-calls-${range.from}-${range.to}.csv`, wideCallColumns, calls)
})

const linkTo = (part: string, id: bigint, text: string | null) => (
  <a class="break-anywhere" href={`${PATH}?${part}=${id}`}>{text ?? id.toString()}</a>
)

/** Whose call it is. */
const ownerFact = (context: PageContext, { email, userId }: CallOwner): Fact => [
  sayOf(context, "allUsage")("user"),
  linkTo("user", userId, email)
]

/** The facts of a receipt that only administrators are told. */
const ownerFacts = (context: PageContext, call: CallReceipt & CallOwner): ReadonlyArray<Fact> => {
  const say = sayOf(context, "allUsage")
  const sayUsage = sayOf(context, "usage")
  return [
    ownerFact(context, call),
    call.keyId === null ? null : [say("key.id"), linkTo("key", call.keyId, null)],
    [say("channel"), call.channel ?? say("channel.none")],
    call.upstreamModel === null
      ? null
      : [say("receipt.model"), <code class="break-anywhere">{call.upstreamModel}</code>],
    call.usageFlagged ? [sayUsage("receipt.source"), say("receipt.flagged")] : null
  ]
}

const receipt = Effect.fnUntraced(function*(context: UserContext) {
  const id = (yield* HttpRouter.params)["id"] ?? ""
  const call = yield* (yield* AllCalls).receipt(id)
  if (call !== undefined) {
    const more = ownerFacts(context, call)
    return page(sayOf(context, "usage")("receipt"), ReceiptView({ context, call, more, back: PATH }))
  }
  const refused = yield* (yield* RefusedCalls).find(id)
  if (refused === undefined) return yield* new PageNotFound()
  const more = [ownerFact(context, refused)]
  return page(sayOf(context, "refused")("refused"), RefusedView({ context, call: refused, more, back: PATH }))
})

export const AllCallsRoutes = routes(
  adminPage("/admin/usage/calls", show),
  adminPage("/admin/usage/calls.csv", csv),
  adminPage("/admin/usage/:id", receipt)
)
