/**
 * `/admin/statements/liability`: what users have paid for and not used at the end of a day - balances and the unearned part of plans -,
 * and beside it what they owe.
 */
import { DateTime, Effect } from "effect"
import { type Liability, Statements } from "../../../../finance/Statements.ts"
import { adminPage, routes } from "../../ConsoleRoute.ts"
import { Filter } from "../../kit/List.tsx"
import { Card, Figures, Panel, Usd } from "../../kit/Parts.tsx"
import { sayOf, type UserContext } from "../../PageContext.ts"
import { searchText } from "../../Params.ts"
import { minorText } from "../payments/EventParts.tsx"
import { booksPage, BookTabs, unstated } from "./BookParts.tsx"

const path = "/admin/statements/liability"

const Amounts = ({ liability, context }: { readonly context: UserContext; readonly liability: Liability }) => {
  const say = sayOf(context, "books")
  const { owedMicros, prepaidMicros, unearned } = liability
  return (
    <>
      <Figures
        figures={[
          {
            label: say("liability.prepaid"),
            value: <Usd context={context} micros={prepaidMicros} />,
            hint: say("liability.prepaid.hint")
          },
          ...unearned.map(({ currency, minor }) => ({
            label: say("liability.unearned", { currency: currency.toUpperCase() }),
            value: minorText(context, minor, currency),
            hint: say("liability.unearned.hint")
          })),
          {
            label: say("debts"),
            value: <Usd context={context} micros={owedMicros} />,
            hint: say("liability.owed.hint")
          }
        ]}
      />
      <Panel>{say("liability.text", { time: context.formats.time(liability.at), zone: liability.timeZone })}</Panel>
    </>
  )
}

const show = Effect.fnUntraced(function*(context: UserContext) {
  const say = sayOf(context, "books")
  const statements = yield* Statements
  // The last day of this month is the one that is not over.
  const thisMonth = yield* Effect.catchTag(statements.range({}), "RangeRefused", Effect.die)
  const asked = searchText(context.query, "day") ?? DateTime.formatIsoDateUtc(DateTime.fromDateUnsafe(context.now))
  const found = yield* statements.liability(asked).pipe(
    Effect.map((liability) => ({ liability, unknown: undefined, problem: undefined })),
    Effect.catchTags({
      UnknownKind: (unknown) => Effect.succeed({ liability: undefined, unknown, problem: undefined }),
      RangeRefused: (problem) => Effect.succeed({ liability: undefined, unknown: undefined, problem })
    })
  )
  const range = found.problem === undefined ? { from: asked, to: asked } : thisMonth
  return booksPage({
    context,
    problem: found.problem,
    title: say("liability.title"),
    lead: say("liability.lead"),
    children: (
      <>
        <Card class="mb-3">
          <BookTabs context={context} view="liability" range={range} />
          <Filter
            context={context}
            path={path}
            filter={[{ is: "day", name: "day", label: say("liability.day"), value: found.problem ? "" : asked }]}
          />
        </Card>
        {found.unknown === undefined ? null : unstated(context, found.unknown)}
        {found.liability === undefined ? null : <Amounts context={context} liability={found.liability} />}
      </>
    )
  })
})

export const LiabilityRoutes = routes(adminPage(path, show))
