/**
 * Where plans are bought: what runs now with how full it is, and the plans for sale side by side.
 */
import type { SubscriptionOverview, SuspendedOverview } from "../../../../accounts/AccountOverview.ts"
import { formatDecimal, MICROS_SCALE } from "../../../../domain/Money.ts"
import { MULTIPLIER_ONE } from "../../../../domain/Price.ts"
import type { Gift } from "../../../../redemption/RedemptionBatch.ts"
import type { PlanForSale } from "../../../../subscriptions/PlansForSale.ts"
import type { FormState } from "../../Answer.ts"
import { ButtonForm } from "../../kit/ButtonForm.tsx"
import { Grid } from "../../kit/Grid.tsx"
import { type PageContext, sayOf } from "../../PageContext.ts"
import { FormAlert, Notice } from "../../ui/Forms.tsx"
import { Icon } from "../../ui/Icon.tsx"
import { limitLines } from "../../ui/OrderParts.tsx"
import { Card, Nothing, PageHeading } from "../../ui/Parts.tsx"
import { SubscriptionCard, SuspendedNotices } from "../../ui/SubscriptionParts.tsx"
import { GivenNotice, RedeemCard } from "../redeem/RedeemCard.tsx"

export interface SubscriptionProps {
  readonly context: PageContext
  readonly subscriptions: ReadonlyArray<SubscriptionOverview>
  readonly suspended: ReadonlyArray<SuspendedOverview>
  readonly plans: ReadonlyArray<PlanForSale>
  readonly payable: boolean
  readonly payAsYouGo: boolean
  /** What a code has just given. */
  readonly gift: Gift | undefined
  readonly state: FormState
}

const PlanCard = (
  { payable, plan, subscriptions, context }: SubscriptionProps & { readonly plan: PlanForSale }
) => {
  const say = sayOf(context, "subscription")
  const isOwned = subscriptions.some(({ planCode }) => planCode === plan.code)
  const multiplier = formatDecimal(plan.multiplierMicros, MICROS_SCALE, 0)
  const lines = [
    ...limitLines(context, plan.limits),
    ...(plan.multiplierMicros === MULTIPLIER_ONE ? [] : [say("multiplier", { multiplier })])
  ]
  return (
    <section class="card h-100">
      <div class="card-body d-flex flex-column">
        <h3 class="subheader break-anywhere">{plan.name}</h3>
        <div class="d-flex align-items-baseline gap-2 my-2">
          <span class="display-6 fw-bold">{context.formats.cny(plan.priceFen)}</span>
          <span class="text-secondary">/ {say("days", { count: plan.durationDays })}</span>
        </div>
        <ul class="list-unstyled mb-4">
          {lines.map((line) => (
            <li key={line} class="d-flex gap-2 mb-1">
              <Icon name="check" class="text-green flex-shrink-0" />
              <span>{line}</span>
            </li>
          ))}
        </ul>
        {payable
          ? (
            <ButtonForm
              context={context}
              action="/subscription/create"
              class="mt-auto"
              fields={{ plan_code: plan.code }}
              look={`w-100 ${isOwned ? "btn-outline-primary" : "btn-primary"}`}
              button={<span class="text-truncate">{say(isOwned ? "again" : "buy", { name: plan.name })}</span>}
            />
          )
          : null}
      </div>
    </section>
  )
}

const Current = ({ subscriptions, context }: SubscriptionProps) =>
  subscriptions.length === 0 ? null : (
    <>
      <h2 class="mb-2">{sayOf(context, "subscription")("current")}</h2>
      <Grid
        class="mb-4"
        cells={subscriptions.map((subscription) => [
          "col-md-6 col-xl-4",
          <SubscriptionCard context={context} subscription={subscription} />
        ])}
      />
    </>
  )

const Offers = (props: SubscriptionProps) => {
  const say = sayOf(props.context, "subscription")
  if (props.plans.length === 0) {
    return (
      <Card>
        <Nothing icon="plan" title={say("none")} text={say("none.text")} />
      </Card>
    )
  }
  return (
    <>
      <h2 class="mb-2">{say("offers")}</h2>
      <Grid cells={props.plans.map((plan) => ["col-sm-6 col-xl-4", <PlanCard {...props} plan={plan} />])} />
      <p class="text-secondary mt-3">{say("queue")}</p>
    </>
  )
}

export const SubscriptionView = (props: SubscriptionProps) => {
  const { gift, payAsYouGo, payable, plans, state, suspended, context } = props
  const say = sayOf(context, "subscription")
  return (
    <>
      <PageHeading title={say("plans")} lead={say(payAsYouGo ? "lead" : "leadOnly")} />
      <FormAlert state={state} />
      <GivenNotice context={context} gift={gift} />
      <SuspendedNotices context={context} suspended={suspended} />
      {payable || plans.length === 0 ? null : <Notice kind="info">{say("off")}</Notice>}
      <Current {...props} />
      <Offers {...props} />
      <Grid
        class="mt-4"
        cells={[["col-md-6 col-xl-4", <RedeemCard context={context} action="/subscription/redeem" state={state} />]]}
      />
    </>
  )
}
