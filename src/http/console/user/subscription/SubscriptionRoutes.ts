/**
 * `/subscription`: plans are ordered here, and paid for on the order's own page. Codes are redeemed here too.
 */
import { Effect } from "effect"
import { AccountOverview } from "../../../../accounts/AccountOverview.ts"
import { Orders } from "../../../../orders/Orders.ts"
import { Settings } from "../../../../settings/Settings.ts"
import { PlansForSale } from "../../../../subscriptions/PlansForSale.ts"
import { again, emptyForm, page, redirect, refusing } from "../../Answer.ts"
import { routes, userForm, userPage } from "../../ConsoleRoute.ts"
import { sayOf, type UserContext } from "../../PageContext.ts"
import { paymentOrigins } from "../../SecurityHeaders.ts"
import { orderingRefusals } from "../orders/OrderRefusals.ts"
import { givenTo, redeemOn } from "../redeem/RedeemForm.ts"
import { SubscriptionView } from "./SubscriptionView.tsx"

const show = Effect.fnUntraced(function*(context: UserContext, state = emptyForm) {
  const { subscriptions, suspended } = yield* (yield* AccountOverview).view(context.user.id)
  const plans = yield* (yield* PlansForSale).list
  const { billing: { payAsYouGo }, payment } = (yield* Settings).current()
  const payable = paymentOrigins(payment).length > 0
  const gift = yield* givenTo(context)
  return page(
    sayOf(context, "subscription")("plans"),
    SubscriptionView({ context, subscriptions, suspended, plans, payable, payAsYouGo, gift, state })
  )
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
  userForm("/subscription/create", { run: create, again: again(show) }),
  userForm("/subscription/redeem", { run: redeemOn("/subscription"), again: again(show) })
)
