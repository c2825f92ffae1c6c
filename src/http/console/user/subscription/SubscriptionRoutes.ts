/**
 * `/subscription`: plans are ordered here, and paid for on the order's own page. Codes are redeemed here too.
 */
import { Effect, Layer } from "effect"
import { AccountOverview } from "../../../../accounts/AccountOverview.ts"
import { Orders } from "../../../../orders/Orders.ts"
import { Settings } from "../../../../settings/Settings.ts"
import { PlansForSale } from "../../../../subscriptions/PlansForSale.ts"
import { emptyForm, type FormState, page, redirect, refuse } from "../../Answer.ts"
import { userForm, userPage } from "../../ConsoleRoute.ts"
import { sayOf, type UserContext } from "../../PageContext.ts"
import { paymentOrigins } from "../../SecurityHeaders.ts"
import { givenTo, redeem } from "../redeem/RedeemForm.ts"
import { SubscriptionView } from "./SubscriptionView.tsx"

const show = Effect.fnUntraced(function*(context: UserContext, state: FormState) {
  const { subscriptions, suspended } = yield* (yield* AccountOverview).view(context.user.id)
  const plans = yield* (yield* PlansForSale).list
  const { billing, payment } = (yield* Settings).current()
  return page(
    sayOf(context, "subscription")("plans"),
    SubscriptionView({
      context,
      subscriptions,
      suspended,
      plans,
      payable: paymentOrigins(payment).length > 0,
      payAsYouGo: billing.payAsYouGo,
      gift: yield* givenTo(context),
      state
    })
  )
})

const create = Effect.fnUntraced(function*(context: UserContext, fields: URLSearchParams) {
  const say = sayOf(context, "subscription")
  const order = yield* (yield* Orders).subscription(context.user.id, fields.get("plan_code") ?? "").pipe(
    Effect.catchTags({
      PlanNotFound: () => Effect.fail(refuse({ form: say("gone") })),
      TooManyOpen: () => Effect.fail(refuse({ form: say("tooMany") })),
      TooManyOrders: () => Effect.fail(refuse({ form: sayOf(context, "order")("tooFast") }, 429)),
      BuyerUnknown: () => Effect.fail(refuse({ form: context.say("problem.session") }, 403))
    })
  )
  return redirect(`/pay/subscription/${order.id}`)
})

export const SubscriptionRoutes = Layer.mergeAll(
  userPage("/subscription", (context) => show(context, emptyForm)),
  userForm("/subscription/create", {
    run: create,
    again: (context, values, problems) => show(context, { values, problems })
  }),
  userForm("/subscription/redeem", {
    run: (context, fields) => redeem(context, fields, "/subscription"),
    again: (context, values, problems) => show(context, { values, problems })
  })
)
