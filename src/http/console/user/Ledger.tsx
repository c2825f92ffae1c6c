/**
 * `/ledger`: every credit and debit of the balance with what it was for and the balance after it, and the calls in between as one
 * line each; as a page and as a file. What root noted of an entry is not shown.
 */
import { DateTime, Effect } from "effect"
import { AccountOverview, type AccountView } from "../../../accounts/AccountOverview.ts"
import { ledgerColumns as csvColumns } from "../../../accounts/LedgerCsv.ts"
import type { CallsLine, LedgerLine } from "../../../accounts/LedgerLines.ts"
import { type LedgerItem, LedgerList, orderOf } from "../../../accounts/LedgerList.ts"
import { isUuid } from "../../../domain/Ids.ts"
import { RANGE_DAYS_SHOWN_MAX } from "../../../usage/UsageRange.ts"
import { routes, userPage } from "../ConsoleRoute.ts"
import { csvAnswer, inTurns } from "../Csv.ts"
import { debtText, entryName } from "../kit/Ledger.tsx"
import { type ItemColumn, listPage } from "../kit/List.tsx"
import { Figures, Moment, Small, Usd } from "../kit/Parts.tsx"
import { type PageContext, sayOf, type UserContext } from "../PageContext.ts"
import { idOf } from "../Params.ts"

const PAGE_ENTRIES = 50

const DAY_MS = 86_400_000

/** Where what caused an entry is shown. A recovery names the call whose end paid it. */
const Cause = ({ entry, context }: { readonly context: PageContext; readonly entry: LedgerItem }) => {
  const order = orderOf(entry)
  if (order !== undefined) {
    return <a href={`/orders/${order}`}>{sayOf(context, "ledger")("orderNumber", { id: order.toString() })}</a>
  }
  const [call = ""] = entry.refType === "usage" ? entry.refId.split(":") : []
  return isUuid(call) ? <a href={`/usage/${call}`}>{sayOf(context, "ledger")("calls.show")}</a> : null
}

/** The calls of a line, where the list of calls reaches so far. */
const callsHref = ({ formats: { timeZone }, now }: PageContext, { since, until }: CallsLine): string | undefined => {
  const to = until ?? now
  if (since === null || to.getTime() - since.getTime() > (RANGE_DAYS_SHOWN_MAX - 1) * DAY_MS) return undefined
  const dayOf = (at: Date) => DateTime.formatIsoDate(DateTime.makeZonedUnsafe(at, { timeZone }))
  return `/usage?${new URLSearchParams({
    range: "custom",
    from: dayOf(since),
    to: dayOf(to),
    funding: "balance"
  })}#calls`
}

const CallsText = ({ line, context }: { readonly context: PageContext; readonly line: CallsLine }) => {
  const say = sayOf(context, "ledger")
  const { time } = context.formats
  const href = callsHref(context, line)
  const name = line.amountMicros > 0n ? say("calls.returned") : say("calls")
  const period = line.until === null
    ? [line.since === null ? "" : say("calls.since", { from: time(line.since) }), say("calls.open")].join(" ")
    : line.since === null
    ? say("calls.until", { to: time(line.until) })
    : say("calls.to", { from: time(line.since), to: time(line.until) })
  return (
    <>
      <div>{href === undefined ? name : <a href={href}>{name}</a>}</div>
      <Small>{period}</Small>
    </>
  )
}

const Moved = ({ amountMicros, owedMicros, context }: {
  readonly context: PageContext
  readonly amountMicros: bigint
  readonly owedMicros: bigint
}) => (
  <>
    <span class="nowrap">
      {amountMicros > 0n ? "+" : ""}
      {context.formats.usdFixed(amountMicros)}
    </span>
    <Small>{debtText(context, owedMicros)}</Small>
  </>
)

const After = ({ owedAfterMicros: owed, usdAfterMicros: usd, context }: {
  readonly context: PageContext
  readonly usdAfterMicros: bigint | null
  readonly owedAfterMicros: bigint | null
}) => (
  <>
    <span class="nowrap">{usd === null ? "–" : context.formats.usdFixed(usd)}</span>
    <Small>
      {owed === null || owed === 0n
        ? undefined
        : sayOf(context, "ledger")("owed.after", { amount: context.formats.usd(owed) })}
    </Small>
  </>
)

const columnsOf = (context: PageContext): ReadonlyArray<ItemColumn<LedgerLine>> => {
  const say = sayOf(context, "ledger")
  return [
    {
      title: say("entry"),
      cell: (line) =>
        line._tag === "calls" ? <CallsText context={context} line={line} /> : (
          <>
            <div>
              {entryName(context, line.entry.kind)} <Cause context={context} entry={line.entry} />
            </div>
            <Small>
              <Moment context={context} at={line.entry.createdAt} />
            </Small>
          </>
        )
    },
    {
      title: say("amount"),
      number: true,
      cell: (line) => {
        const moved = line._tag === "entry" ? line.entry : line
        return (
          <>
            <Moved context={context} {...moved} />
            <div class="d-md-none text-secondary small mt-1">
              {say("after")}
              <br />
              <After context={context} {...moved} />
            </div>
          </>
        )
      }
    },
    {
      title: say("after"),
      number: true,
      wide: true,
      cell: (line) => <After context={context} {...line._tag === "entry" ? line.entry : line} />
    }
  ]
}

const Standing = ({ account, context }: { readonly context: PageContext; readonly account: AccountView }) => {
  const say = sayOf(context, "ledger")
  const { heldMicros, owedMicros, usdMicros } = account
  const owed = owedMicros === 0n ? undefined : say("owed.after", { amount: context.formats.usd(owedMicros) })
  return (
    <Figures
      figures={[
        {
          label: say("balance"),
          value: <Usd context={context} micros={usdMicros} />,
          hint: owed === undefined ? undefined : <span class="text-danger">{owed}</span>,
          icon: "topup"
        },
        {
          label: say("held"),
          value: <Usd context={context} micros={heldMicros} />,
          hint: say("held.hint"),
          icon: "clock"
        }
      ]}
    />
  )
}

const show = Effect.fnUntraced(function*(context: UserContext) {
  const say = sayOf(context, "ledger")
  const { account, ledger } = yield* Effect.all({
    account: (yield* AccountOverview).view(context.user.id),
    ledger: (yield* LedgerList).lines(context.user.id, {
      before: idOf(context.query.get("before")),
      limit: PAGE_ENTRIES
    })
  }, { concurrency: "unbounded" })
  return listPage({
    context,
    path: "/ledger",
    title: say("ledger"),
    lead: say("lead"),
    actions: (
      <div class="btn-list">
        <a class="btn" href="/ledger.csv" download>{say("export")}</a>
        <a class="btn btn-primary" href="/topup">{context.say("nav.topup")}</a>
      </div>
    ),
    above: <Standing context={context} account={account} />,
    columns: columnsOf(context),
    items: ledger.lines,
    hasMore: ledger.next !== undefined,
    cursor: { name: "before", of: () => ledger.next ?? 0n },
    empty: { icon: "topup", title: say("none"), text: say("none.text") }
  })
})

const csv = Effect.fnUntraced(function*(context: UserContext) {
  const lines = yield* inTurns(context.user.id, (yield* LedgerList).rows(context.user.id))
  const today = DateTime.formatIsoDate(DateTime.makeUnsafe(context.now))
  return csvAnswer(`realms-ledger-${today}.csv`, csvColumns, lines)
})

export const LedgerRoutes = routes(userPage("/ledger", show), userPage("/ledger.csv", csv))
