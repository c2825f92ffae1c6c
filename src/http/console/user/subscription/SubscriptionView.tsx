/**
 * Where plans are bought: what runs now with how full it is, and the plans for sale side by side.
 */
import type { SubscriptionOverview, SuspendedOverview } from "../../../../accounts/AccountOverview.ts"
import { formatDecimal, MICROS_SCALE } from "../../../../domain/Money.ts"
import { MULTIPLIER_ONE } from "../../../../domain/Price.ts"
import type { Gift } from "../../../../redemption/RedemptionBatch.ts"
import type { PlanForSale } from "../../../../subscriptions/PlansForSale.ts"
import type { FormState } from "../../Answer.ts"
import { type PageContext, sayOf } from "../../PageContext.ts"
import { FormAlert, Notice, PostForm } from "../../ui/Forms.tsx"
import { Icon } from "../../ui/Icon.tsx"
import { limitLines } from "../../ui/OrderParts.tsx"
import { Card, Nothing, PageHeading } from "../../ui/Parts.tsx"
import { SubscriptionCard, SuspendedNotices } from "../../ui/SubscriptionParts.tsx"
import { GivenNotice, RedeemCard } from "../redeem/RedeemCard.tsx"

const PlanCard = (
  { owned, payable, plan, context }: {
    readonly context: PageContext
    readonly plan: PlanForSale
    readonly owned: boolean
    readonly payable: boolean
  }
) => {
  const say = sayOf(context, "subscription")
  const sayOrder = sayOf(context, "order")
  const lines = [
    ...limitLines(context, plan.limits),
    ...(plan.multiplierMicros === MULTIPLIER_ONE
      ? []
      : [say("multiplier", { multiplier: formatDecimal(plan.multiplierMicros, MICROS_SCALE, 0) })])
  ]
  return (
    <section class="card h-100">
      <div class="card-body d-flex flex-column">
        <h3 class="subheader break-anywhere">{plan.name}</h3>
        <div class="d-flex align-items-baseline gap-2 my-2">
          <span class="display-6 fw-bold">{context.formats.cny(plan.priceFen)}</span>
          <span class="text-secondary">/ {sayOrder("days", { count: plan.durationDays })}</span>
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
            <PostForm context={context} action="/subscription/create" class="mt-auto">
              <input type="hidden" name="plan_code" value={plan.code} />
              <button class={`btn w-100 ${owned ? "btn-outline-primary" : "btn-primary"}`} type="submit">
                <span class="text-truncate">
                  {owned ? say("again", { name: plan.name }) : say("buy", { name: plan.name })}
                </span>
              </button>
            </PostForm>
          )
          : null}
      </div>
    </section>
  )
}

export const SubscriptionView = (
  { gift, payAsYouGo, payable, plans, state, subscriptions, suspended, context }: {
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
) => {
  const say = sayOf(context, "subscription")
  const owned = new Set(subscriptions.map(({ planCode }) => planCode))
  return (
    <>
      <PageHeading title={say("plans")} lead={say(payAsYouGo ? "lead" : "leadOnly")} />
      <FormAlert state={state} />
      <GivenNotice context={context} gift={gift} />
      <SuspendedNotices context={context} suspended={suspended} />
      {payable || plans.length === 0 ? null : <Notice kind="info">{say("off")}</Notice>}
      {subscriptions.length === 0 ? null : (
        <>
          <h2 class="mb-2">{say("current")}</h2>
          <div class="row g-3 mb-4">
            {subscriptions.map((subscription) => (
              <div class="col-md-6 col-xl-4" key={subscription.id}>
                <SubscriptionCard context={context} subscription={subscription} />
              </div>
            ))}
          </div>
        </>
      )}
      {plans.length === 0
        ? (
          <Card>
            <Nothing icon="plan" title={say("none")} text={say("none.text")} />
          </Card>
        )
        : (
          <>
            <h2 class="mb-2">{say("offers")}</h2>
            <div class="row g-3">
              {plans.map((plan) => (
                <div class="col-sm-6 col-xl-4" key={plan.code}>
                  <PlanCard context={context} plan={plan} owned={owned.has(plan.code)} payable={payable} />
                </div>
              ))}
            </div>
            <p class="text-secondary mt-3">{say("queue")}</p>
          </>
        )}
      <div class="row mt-4">
        <div class="col-md-6 col-xl-4">
          <RedeemCard context={context} action="/subscription/redeem" state={state} />
        </div>
      </div>
    </>
  )
}
