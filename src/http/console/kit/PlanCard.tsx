/**
 * A plan for sale, as buyers see it wherever it is offered: its name, whether it is recommended, its price, what it is for and what it
 * gives.
 */
import type { ComponentChildren } from "preact"
import type { PlanForSale } from "../../../subscriptions/PlansForSale.ts"
import { type PageContext, sayOf } from "../PageContext.ts"
import { Icon } from "./Icon.tsx"
import { Badge } from "./Parts.tsx"

interface PlanCardProps {
  readonly context: PageContext
  readonly plan: PlanForSale
  /** What it gives, a line each. */
  readonly lines: ReadonlyArray<string>
  /** How it is bought. */
  readonly children?: ComponentChildren
}

export const PlanCard = ({ lines, plan, context, children }: PlanCardProps) => {
  const say = sayOf(context, "subscription")
  const description = plan.description[context.language] || plan.description.en || plan.description.zh
  return (
    <section class={`card h-100 ${plan.recommended ? "border-primary" : ""}`}>
      <div class="card-body d-flex flex-column">
        <div class="d-flex align-items-start justify-content-between gap-2">
          <h3 class="subheader break-anywhere">{plan.name}</h3>
          {plan.recommended ? <Badge tone="blue">{say("recommended")}</Badge> : null}
        </div>
        <div class="d-flex align-items-baseline gap-2 my-2">
          <span class="display-6 fw-bold">{context.formats.cny(plan.priceFen)}</span>
          <span class="text-secondary">/ {say("days", { count: plan.durationDays })}</span>
        </div>
        {description === "" ? null : <p class="text-secondary break-anywhere">{description}</p>}
        <ul class="list-unstyled mb-4">
          {lines.map((line) => (
            <li key={line} class="d-flex gap-2 mb-1">
              <Icon name="check" class="text-green flex-shrink-0" />
              <span>{line}</span>
            </li>
          ))}
        </ul>
        {children}
      </div>
    </section>
  )
}
