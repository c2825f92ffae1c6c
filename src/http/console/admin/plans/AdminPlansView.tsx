/**
 * The list of all plans, with how many users have each.
 */
import { formatDecimal, MICROS_SCALE } from "../../../../domain/Money.ts"
import type { AdminPlan, PlanFilter } from "../../../../subscriptions/PlanAdmin.ts"
import type { Page } from "../../Answer.ts"
import { byId, enabledFilter, type Listed, listPage } from "../../kit/List.tsx"
import { Badge, NewLink } from "../../kit/Parts.tsx"
import { sayOf, type UserContext } from "../../PageContext.ts"

interface PlanProps {
  readonly context: UserContext
  readonly plan: AdminPlan
}

export const PlanBadges = ({ plan, context }: PlanProps) => {
  const say = sayOf(context, "adminPlans")
  return (
    <>
      {plan.disabledAt === null ? null : <Badge tone="secondary">{say("state.disabled")}</Badge>}{" "}
      {plan.declared ? <Badge tone="blue">{say("configYaml")}</Badge> : null}
    </>
  )
}

/** The limits that there are, each with its window. */
export const PlanLimits = ({ plan, context }: PlanProps) => {
  const say = sayOf(context, "adminPlans")
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
          <span class="text-secondary">{label}</span> {context.formats.usd(micros)}
        </li>
      ))}
    </ul>
  )
}

export const planPrice = ({ plan, context }: PlanProps): string =>
  plan.priceFen === 0n ? sayOf(context, "adminPlans")("price.zero") : context.formats.cny(plan.priceFen)

export const multiplierText = ({ multiplierMicros }: AdminPlan): string =>
  formatDecimal(multiplierMicros, MICROS_SCALE, 0)

export const plansPage = (context: UserContext, state: PlanFilter["state"], plans: Listed<AdminPlan>): Page => {
  const say = sayOf(context, "adminPlans")
  const { count } = context.formats
  return listPage<AdminPlan>({
    context,
    path: "/admin/plans",
    title: say("plans"),
    lead: say("lead"),
    actions: <NewLink href="/admin/plans/new" text={say("new")} />,
    filter: [enabledFilter(say, state)],
    ...plans,
    cursor: byId,
    empty: { icon: "plan", title: say("noPlansYet"), text: say("empty.text") },
    none: say("none"),
    columns: [
      {
        title: say("plan"),
        cell: (plan) => (
          <>
            <a class="break-anywhere" href={`/admin/plans/${plan.id}`}>{plan.name}</a>{" "}
            <PlanBadges context={context} plan={plan} />
            <div class="text-secondary small">
              <code>{plan.code}</code>
            </div>
          </>
        )
      },
      { title: say("price"), number: true, cell: (plan) => planPrice({ plan, context }) },
      {
        title: say("duration"),
        number: true,
        wide: true,
        cell: ({ durationDays }) => say("days", { count: durationDays })
      },
      { title: say("limits"), wide: true, cell: (plan) => <PlanLimits context={context} plan={plan} /> },
      { title: say("multiplier"), number: true, wide: true, cell: multiplierText },
      { title: say("subscriptions"), number: true, cell: ({ subscriptions }) => count(subscriptions) },
      { title: say("orders"), number: true, wide: true, cell: ({ pendingOrders }) => count(pendingOrders) }
    ]
  })
}
