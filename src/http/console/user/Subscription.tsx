/**
 * `/subscription`: what runs now with how full it is, and the plans for sale side by side. They are ordered here, and paid for on the
 * order's own page. Codes are redeemed here too.
 */
import { Effect } from "effect"
import {
  AccountOverview,
  type AccountView,
  type SubscriptionOverview,
  type SuspendedOverview,
  type WindowOverview
} from "../../../accounts/AccountOverview.ts"
import { balanceMultipliers, type FundingMultipliers, planMultipliers } from "../../../accounts/HoldBound.ts"
import { formatDecimal, MICROS_SCALE } from "../../../domain/Money.ts"
import { promisedMicros, timesOf } from "../../../domain/PlanWorth.ts"
import { MULTIPLIER_ONE } from "../../../domain/Price.ts"
import { Orders } from "../../../orders/Orders.ts"
import { creditOf } from "../../../orders/TopupTerms.ts"
import { paymentOrigins } from "../../../payments/PaymentOrigins.ts"
import { Settings } from "../../../settings/Settings.ts"
import { type PlanForSale, PlansForSale } from "../../../subscriptions/PlansForSale.ts"
import { emptyForm, redirect, refusing } from "../Answer.ts"
import { routes, userForm, userPage } from "../ConsoleRoute.ts"
import { ButtonForm, headedPage } from "../kit/Forms.tsx"
import { limitLines, windowName } from "../kit/Orders.tsx"
import { Badge, Card, Grid, Meter, Moment, Nothing, Notice } from "../kit/Parts.tsx"
import { PlanCard } from "../kit/PlanCard.tsx"
import { type PageContext, sayOf, type UserContext } from "../PageContext.ts"
import { givenNotice, orderingRefusals, RedeemCard, redeemOn } from "./Redeem.tsx"

const WindowBar = ({ context, window }: { readonly context: PageContext; readonly window: WindowOverview }) => {
  const say = sayOf(context, "window")
  const { time, usd } = context.formats
  const { limitMicros, openMicros, reliefAt, usedMicros } = window
  const name = windowName(context, window.hours)
  const values = { window: name, used: usd(usedMicros), open: usd(openMicros), limit: usd(limitMicros) }
  return (
    <div class="mb-3">
      <div class="d-flex justify-content-between flex-wrap gap-1 mb-1">
        <span>{name}</span>
        <span class="text-secondary">{say("used", values)}</span>
      </div>
      <Meter label={say("meter", values)} used={usedMicros} held={openMicros} limit={limitMicros} />
      <div class="d-flex justify-content-between flex-wrap gap-1 mt-1 small text-secondary">
        <span>{openMicros === 0n ? "" : say("open", values)}</span>
        <span>{reliefAt === undefined ? "" : say("relief", { at: time(reliefAt) })}</span>
      </div>
    </div>
  )
}

/** What calls count of their price, where that is not all of it. */
const multiplierLines = (context: PageContext, { groupMultiplier, planMultiplier }: FundingMultipliers) => {
  const product = planMultiplier * groupMultiplier
  if (product === MULTIPLIER_ONE * MULTIPLIER_ONE) return []
  const multiplier = formatDecimal(product, { scale: 2 * MICROS_SCALE })
  return [sayOf(context, "window")("multiplier", { multiplier })]
}

interface SubscriptionCardProps {
  readonly context: PageContext
  readonly subscription: SubscriptionOverview
}

/** How full each window of a subscription is, and when there is room again. */
export const SubscriptionCard = ({ subscription, context }: SubscriptionCardProps) => {
  const say = sayOf(context, "window")
  const { endsAt, multipliers, planName, startsAt, windows } = subscription
  const isComing = startsAt.getTime() > context.now.getTime()
  return (
    <section class="card h-100">
      <div class="card-header">
        <h3 class="card-title break-anywhere">{planName}</h3>
        <div class="card-actions">
          {isComing ? <Badge tone="blue">{say("coming")}</Badge> : <Badge tone="green">{say("running")}</Badge>}
        </div>
      </div>
      <div class="card-body">
        {windows.length === 0 ? <p class="text-secondary">{say("noSpendingLimit")}</p> : null}
        {windows.map((window) => <WindowBar key={window.hours} context={context} window={window} />)}
        <div class="text-secondary">
          {multiplierLines(context, multipliers).map((line) => <div key={line}>{line}</div>)}
          {isComing
            ? (
              <div>
                {say("from")} <Moment context={context} at={startsAt} />
              </div>
            )
            : null}
          <div>
            {say("until")} <Moment context={context} at={endsAt} />
          </div>
        </div>
      </div>
    </section>
  )
}

const DAY_MS = 86_400_000

/** Says which plans are suspended, and what is left of them. */
export const SuspendedNotices = (
  { suspended, context }: { readonly context: PageContext; readonly suspended: ReadonlyArray<SuspendedOverview> }
) => (
  <>
    {suspended.map(({ id, leftMs, planName }) => (
      <Notice key={id} kind="warning">
        {sayOf(context, "window")("suspended", {
          plan: planName,
          days: Math.max(0, Math.ceil(leftMs / DAY_MS))
        })}
      </Notice>
    ))}
  </>
)

interface OffersProps {
  readonly context: PageContext
  readonly subscriptions: ReadonlyArray<SubscriptionOverview>
  readonly groups: AccountView["groups"]
  readonly plans: ReadonlyArray<PlanForSale>
  readonly payable: boolean
  /** What a top-up buys; undefined where balances pay for nothing. */
  readonly usdPerCny: string | undefined
}

type OfferProps = OffersProps & { readonly plan: PlanForSale }

/** What a plan pays for, and what the same money would buy as credit, where credit can be bought and is worth less. */
const valueLines = (
  { groups, plan: { countedMicros, priceFen }, usdPerCny, context }: OfferProps,
  multipliers: FundingMultipliers
): ReadonlyArray<string> => {
  const say = sayOf(context, "subscription")
  const { cny, usd, usdRounded } = context.formats
  const shownMultiplier = balanceMultipliers({ groups }).groupMultiplier
  const promised = promisedMicros(countedMicros, { ...multipliers, shownMultiplier })
  if (promised === undefined) return [say("pays.all")]
  const pays = say("pays", { amount: usdRounded(promised) })
  const credit = usdPerCny === undefined ? undefined : creditOf(priceFen, usdPerCny)
  const times = credit === undefined ? undefined : timesOf(promised, credit)
  return credit === undefined || times === undefined
    ? [pays]
    : [pays, say("value", { times, price: cny(priceFen), credit: usd(credit) })]
}

const Offer = (props: OfferProps) => {
  const { groups, payable, plan, subscriptions, context } = props
  const say = sayOf(context, "subscription")
  const isOwned = subscriptions.some(({ planCode }) => planCode === plan.code)
  const { groupMultiplier, multiplierMicros: multiplier } = plan
  const multipliers = planMultipliers({ groups }, { multiplier, groupMultiplier })
  const lines = [
    ...valueLines(props, multipliers),
    ...limitLines(context, plan.limits),
    ...multiplierLines(context, multipliers)
  ]
  return (
    <PlanCard context={context} plan={plan} lines={lines}>
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
    </PlanCard>
  )
}

const Offers = (props: OffersProps) => {
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
      <Grid cells={props.plans.map((plan) => ["col-sm-6 col-xl-4", <Offer {...props} plan={plan} />])} />
      <p class="text-secondary mt-3">{say("queue")}</p>
    </>
  )
}

const show = Effect.fnUntraced(function*(context: UserContext, state = emptyForm) {
  const { groups, subscriptions, suspended } = yield* (yield* AccountOverview).view(context.user.id)
  const plans = yield* (yield* PlansForSale).list
  const { billing: { creditUsdPerCny, payAsYouGo }, payment } = (yield* Settings).current()
  const payable = paymentOrigins(payment).length > 0
  const given = yield* givenNotice(context)
  const say = sayOf(context, "subscription")
  return headedPage({
    context,
    title: say("plans"),
    lead: say(payAsYouGo ? "lead" : "leadOnly"),
    state,
    children: (
      <>
        {given}
        <SuspendedNotices context={context} suspended={suspended} />
        {payable || plans.length === 0 ? null : <Notice kind="info">{say("off")}</Notice>}
        {subscriptions.length === 0 ? null : <h2 class="mb-2">{say("current")}</h2>}
        <Grid
          class="mb-4"
          cells={subscriptions.map((subscription) => [
            "col-md-6 col-xl-4",
            <SubscriptionCard context={context} subscription={subscription} />
          ])}
        />
        <Offers
          context={context}
          groups={groups}
          subscriptions={subscriptions}
          plans={plans}
          payable={payable}
          usdPerCny={payAsYouGo ? creditUsdPerCny : undefined}
        />
        <Grid
          class="mt-4"
          cells={[["col-md-6 col-xl-4", <RedeemCard context={context} action="/subscription/redeem" state={state} />]]}
        />
      </>
    )
  })
})

const create = Effect.fnUntraced(function*(context: UserContext, fields: URLSearchParams) {
  const order = yield* (yield* Orders).subscription(context.user.id, fields.get("plan_code") ?? "").pipe(
    Effect.catchTags({
      ...orderingRefusals(context),
      PlanNotFound: refusing({ form: sayOf(context, "subscription")("gone") })
    })
  )
  return redirect(`/pay/subscription/${order.id}`)
})

export const SubscriptionRoutes = routes(
  userPage("/subscription", show),
  userForm("/subscription/create", { run: create, again: show }),
  userForm("/subscription/redeem", { run: redeemOn("/subscription"), again: show })
)
