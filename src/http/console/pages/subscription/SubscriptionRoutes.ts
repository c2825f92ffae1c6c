/**
 * `/subscription`: plans are ordered here, and paid for on the order's own page. Codes are redeemed here too.
 */
import { Effect, Layer } from "effect"
import { AccountOverview } from "../../../../accounts/AccountOverview.ts"
import { Settings } from "../../../../settings/Settings.ts"
import { Orders } from "../../../../orders/Orders.ts"
import { PlansForSale } from "../../../../subscriptions/PlansForSale.ts"
import { emptyForm, type FormState, page, redirect, refuse } from "../../Answer.ts"
import { userForm, userPage } from "../../ConsoleRoute.ts"
import { paymentOrigins } from "../../SecurityHeaders.ts"
import { orderText } from "../../text/OrderText.ts"
import { sayOf, type UserVisit } from "../../Visit.ts"
import { givenTo, redeem } from "../redeem/RedeemForm.ts"
import { subscriptionText } from "./SubscriptionText.ts"
import { SubscriptionView } from "./SubscriptionView.tsx"

const show = Effect.fnUntraced(function*(visit: UserVisit, state: FormState) {
  const { subscriptions, suspended } = yield* (yield* AccountOverview).view(visit.user.id)
  const plans = yield* (yield* PlansForSale).list
  const { billing, payment } = (yield* Settings).current()
  return page(
    sayOf(visit, subscriptionText)("title"),
    SubscriptionView({
      visit,
      subscriptions,
      suspended,
      plans,
      payable: paymentOrigins(payment).length > 0,
      payAsYouGo: billing.payAsYouGo,
      gift: yield* givenTo(visit),
      state
    })
  )
})

const create = Effect.fnUntraced(function*(visit: UserVisit, fields: URLSearchParams) {
  const say = sayOf(visit, subscriptionText)
  const order = yield* (yield* Orders).subscription(visit.user.id, fields.get("plan_code") ?? "").pipe(
    Effect.catchTags({
      PlanNotFound: () => Effect.fail(refuse({ form: say("gone") })),
      TooManyOpen: () => Effect.fail(refuse({ form: say("tooMany") })),
      TooManyOrders: () => Effect.fail(refuse({ form: sayOf(visit, orderText)("tooFast") }, 429)),
      BuyerUnknown: () => Effect.fail(refuse({ form: visit.say("problem.session") }, 403))
    })
  )
  return redirect(`/pay/subscription/${order.id}`)
})

export const SubscriptionRoutes = Layer.mergeAll(
  userPage("/subscription", (visit) => show(visit, emptyForm)),
  userForm("/subscription/create", {
    run: create,
    again: (visit, values, problems) => show(visit, { values, problems })
  }),
  userForm("/subscription/redeem", {
    run: (visit, fields) => redeem(visit, fields, "/subscription"),
    again: (visit, values, problems) => show(visit, { values, problems })
  })
)
