/**
 * The list of all plans, with how many users have each.
 */
import { formatDecimal, MICROS_SCALE } from "../../../../domain/Money.ts"
import type { AdminPlan } from "../../../../subscriptions/PlanAdmin.ts"
import { Icon } from "../../ui/Icon.tsx"
import { Badge, Card, DataTable, Nothing, PageHeading } from "../../ui/Parts.tsx"
import { sayOf, type UserVisit } from "../../Visit.ts"
import { FilterChoice } from "../../ui/FilterParts.tsx"
import { adminPlansText } from "./AdminPlansText.ts"

export interface PlanQuery {
  readonly state: "enabled" | "disabled" | undefined
  readonly before: bigint | undefined
}

interface PlanProps {
  readonly visit: UserVisit
  readonly plan: AdminPlan
}

export const PlanBadges = ({ plan, visit }: PlanProps) => {
  const say = sayOf(visit, adminPlansText)
  return (
    <>
      {plan.disabledAt === null ? null : <Badge tone="secondary">{say("state.disabled")}</Badge>}{" "}
      {plan.declared ? <Badge tone="blue">{say("declared")}</Badge> : null}
    </>
  )
}

/** The limits that there are, each with its window. */
export const PlanLimits = ({ plan, visit }: PlanProps) => {
  const say = sayOf(visit, adminPlansText)
  const limits = [
    [say("limit.5h"), plan.limit5hMicros],
    [say("limit.1d"), plan.limit1dMicros],
    [say("limit.7d"), plan.limit7dMicros],
    [say("limit.30d"), plan.limit30dMicros]
  ] as const
  const set = limits.filter(([, micros]) => micros > 0n)
  return set.length === 0 ? <>{say("limits.none")}</> : (
    <ul class="list-inline mb-0">
      {set.map(([label, micros]) => (
        <li key={label} class="list-inline-item me-3 nowrap">
          <span class="text-secondary">{label}</span> {visit.formats.usd(micros)}
        </li>
      ))}
    </ul>
  )
}

export const planPrice = ({ plan, visit }: PlanProps): string =>
  plan.priceFen === 0n ? sayOf(visit, adminPlansText)("price.zero") : visit.formats.cny(plan.priceFen)

const PlansTable = ({ plans, visit }: { readonly visit: UserVisit; readonly plans: ReadonlyArray<AdminPlan> }) => {
  const say = sayOf(visit, adminPlansText)
  const { count } = visit.formats
  return (
    <DataTable
      caption={say("title")}
      columns={[
        { title: say("plan") },
        { title: say("price"), number: true },
        { title: say("duration"), number: true, wide: true },
        { title: say("limits"), wide: true },
        { title: say("multiplier"), number: true, wide: true },
        { title: say("subscriptions"), number: true },
        { title: say("orders"), number: true, wide: true }
      ]}
      rows={plans.map((plan) => [
        <>
          <a class="break-anywhere" href={`/admin/plans/${plan.id}`}>{plan.name}</a>{" "}
          <PlanBadges visit={visit} plan={plan} />
          <div class="text-secondary small">
            <code>{plan.code}</code>
          </div>
        </>,
        planPrice({ plan, visit }),
        say("days", { count: count(plan.durationDays) }),
        <PlanLimits visit={visit} plan={plan} />,
        formatDecimal(plan.multiplierMicros, MICROS_SCALE, 0),
        count(plan.subscriptions),
        count(plan.pendingOrders)
      ])}
    />
  )
}

const Filter = ({ query, visit }: { readonly visit: UserVisit; readonly query: PlanQuery }) => {
  const say = sayOf(visit, adminPlansText)
  return (
    <form method="get" action="/admin/plans" class="card-body border-bottom">
      <div class="row g-2 align-items-end">
        <FilterChoice
          name="state"
          label={say("state")}
          all={say("state.all")}
          chosen={query.state}
          options={[["enabled", say("state.enabled")], ["disabled", say("state.disabled")]]}
        />
        <div class="col-12 col-sm-auto">
          <button class="btn w-100" type="submit">{say("filter")}</button>
        </div>
      </div>
    </form>
  )
}

const NewPlanLink = ({ visit }: { readonly visit: UserVisit }) => (
  <a class="btn btn-primary" href="/admin/plans/new">
    <Icon name="plus" />
    {sayOf(visit, adminPlansText)("new")}
  </a>
)

const Paging = (
  { hasOlder, last, query, visit }: {
    readonly visit: UserVisit
    readonly query: PlanQuery
    readonly hasOlder: boolean
    readonly last: bigint | undefined
  }
) => {
  const say = sayOf(visit, adminPlansText)
  const kept = { ...(query.state && { state: query.state }) }
  if (query.before === undefined && !hasOlder) return null
  return (
    <div class="card-footer btn-list">
      {query.before === undefined
        ? null
        : <a class="btn btn-sm" href={`/admin/plans?${new URLSearchParams(kept)}`}>{say("first")}</a>}
      {hasOlder && last !== undefined
        ? (
          <a class="btn btn-sm" href={`/admin/plans?${new URLSearchParams({ ...kept, before: last.toString() })}`}>
            {say("older")}
          </a>
        )
        : null}
    </div>
  )
}

export const AdminPlansView = (
  { hasOlder, plans, query, visit }: {
    readonly visit: UserVisit
    readonly plans: ReadonlyArray<AdminPlan>
    readonly query: PlanQuery
    readonly hasOlder: boolean
  }
) => {
  const say = sayOf(visit, adminPlansText)
  const isWhole = query.state === undefined && query.before === undefined
  return (
    <>
      <PageHeading title={say("title")} lead={say("lead")}>
        <NewPlanLink visit={visit} />
      </PageHeading>
      <Card>
        {plans.length === 0 && isWhole
          ? <Nothing icon="plan" title={say("empty")} text={say("empty.text")} />
          : (
            <>
              <Filter visit={visit} query={query} />
              {plans.length === 0
                ? <Nothing icon="filter" title={say("none")} />
                : <PlansTable visit={visit} plans={plans} />}
              <Paging visit={visit} query={query} hasOlder={hasOlder} last={plans.at(-1)?.id} />
            </>
          )}
      </Card>
    </>
  )
}
