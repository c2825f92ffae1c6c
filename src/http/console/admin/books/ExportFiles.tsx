/**
 * `/admin/exports`: rows of the books as files, by the days on which they were booked, each kind with what it has.
 */
import { Effect } from "effect"
import { exportFilters, type ExportName, exportNames, Exports } from "../../../../finance/Exports.ts"
import { HttpRouter } from "effect/http"
import { notFound, raw, redirect } from "../../Answer.ts"
import { adminPage, routes } from "../../ConsoleRoute.ts"
import { csvResponse, inTurns } from "../../Csv.ts"
import { ItemTable, type ListFilter } from "../../kit/List.tsx"
import { Card, Small } from "../../kit/Parts.tsx"
import { type PageContext, sayOf, type UserContext } from "../../PageContext.ts"
import { oneOf, searchText } from "../../Params.ts"
import { sourceFilter, sources } from "../payments/EventParts.tsx"
import { booksPage, RangeForm, rangeQuery, readRange } from "./BookParts.tsx"

const path = "/admin/exports"

const nameOf = (context: PageContext, name: ExportName) => {
  const say = sayOf(context, "books")
  return ({
    orders: [say("export.orders"), say("export.orders.text")],
    payments: [say("export.payments"), say("export.payments.text")],
    refunds: [say("export.refunds"), say("export.refunds.text")],
    disputes: [say("export.disputes"), say("export.disputes.text")],
    ledger: [say("export.ledger"), say("export.ledger.text")],
    cash: [say("export.cash"), say("export.cash.text")]
  } as const)[name]
}

/** What an address narrows files by. Those that know no such column are not narrowed. */
const readNarrowed = ({ query }: PageContext) => {
  const provider = oneOf(sources, query.get("provider"))
  const currency = searchText(query, "currency")?.toLowerCase()
  return {
    provider,
    currency,
    of: (name: ExportName) => ({
      ...exportFilters(name).includes("provider") && provider !== undefined ? { provider } : {},
      ...exportFilters(name).includes("currency") && currency !== undefined ? { currency } : {}
    })
  }
}

const show = Effect.fnUntraced(function*(context: UserContext) {
  const say = sayOf(context, "books")
  const { problem, range } = yield* readRange(context)
  const narrowed = readNarrowed(context)
  const filter: ReadonlyArray<ListFilter> = [
    sourceFilter(context, say("provider"), narrowed.provider),
    { is: "text", name: "currency", label: say("currency"), value: narrowed.currency?.toUpperCase(), hint: "CNY" }
  ]
  return booksPage({
    context,
    problem,
    title: say("exports.title"),
    lead: say("exports.lead"),
    children: (
      <>
        <Card>
          <RangeForm context={context} path={path} range={range} filter={filter} />
          <ItemTable<ExportName>
            caption={say("exports.title")}
            items={exportNames}
            columns={[
              {
                title: say("export.rows"),
                cell: (name) => {
                  const [title, text] = nameOf(context, name)
                  return (
                    <>
                      <strong>{title}</strong>
                      <Small>{text}</Small>
                    </>
                  )
                }
              },
              {
                title: say("export.file"),
                number: true,
                cell: (name) => {
                  const query = new URLSearchParams({ ...rangeQuery(range), ...narrowed.of(name) })
                  const [title] = nameOf(context, name)
                  return (
                    <a
                      class="btn btn-sm nowrap"
                      href={`${path}/${name}?${query}`}
                      download
                      aria-label={say("export.label", { name: title })}
                    >
                      CSV
                    </a>
                  )
                }
              }
            ]}
          />
        </Card>
      </>
    )
  })
})

const file = Effect.fnUntraced(function*(context: UserContext) {
  const kind = oneOf(exportNames, (yield* HttpRouter.params)["kind"])
  if (kind === undefined) return yield* notFound()
  const { problem, range } = yield* readRange(context)
  // The page says what is wrong with the days: a file of others is not what was asked for.
  if (problem !== undefined) return redirect(`${path}?${context.query}`)
  const pieces = yield* (yield* Exports).csv(kind, { ...range, ...readNarrowed(context).of(kind) }).pipe(
    Effect.catchTag("FilterRefused", Effect.die)
  )
  return raw(csvResponse(`${kind}-${range.from}-${range.to}.csv`, yield* inTurns(context.user.id, pieces)))
})

export const ExportsRoutes = routes(adminPage(path, show), adminPage(`${path}/:kind`, file))
