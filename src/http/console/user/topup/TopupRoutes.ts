/**
 * `/topup`: credit is ordered here, and paid for on the order's own page. Codes are redeemed here too.
 */
import { Effect } from "effect"
import { AccountOverview } from "../../../../accounts/AccountOverview.ts"
import { Orders } from "../../../../orders/Orders.ts"
import { Settings } from "../../../../settings/Settings.ts"
import { again, emptyForm, page, part, redirect, refuse } from "../../Answer.ts"
import { routes, userForm, userPage } from "../../ConsoleRoute.ts"
import { sayOf, type UserContext } from "../../PageContext.ts"
import { orderingRefusals } from "../orders/OrderRefusals.ts"
import { givenTo, redeemOn } from "../redeem/RedeemForm.ts"
import { amountOf, termsOf } from "./TopupForm.ts"
import { CreditPreview, TopupView } from "./TopupView.tsx"

const RECENT_MAX = 5

const currentTerms = Effect.map(Settings, (settings) => termsOf(settings.current()))

const show = Effect.fnUntraced(function*(context: UserContext, state = emptyForm) {
  const balance = yield* (yield* AccountOverview).balance(context.user.id)
  const orders = yield* (yield* Orders).list(context.user.id, { limit: RECENT_MAX })
  const terms = yield* currentTerms
  const gift = yield* givenTo(context)
  return page(sayOf(context, "topup")("title"), TopupView({ context, balance, orders, terms, gift, state }))
})

const create = Effect.fnUntraced(function*(context: UserContext, fields: URLSearchParams) {
  const say = sayOf(context, "topup")
  const { cny } = context.formats
  if (!(yield* currentTerms).isOfUse) return yield* refuse({ form: say("useless") })
  const amountFen = amountOf(fields.get("amount_cny"))
  if (amountFen === undefined) return yield* refuse({ amount_cny: say("amount.none") })
  const order = yield* (yield* Orders).topup(context.user.id, amountFen).pipe(
    Effect.catchTags({
      ...orderingRefusals(context),
      AmountOutOfRange: ({ maxFen, minFen }) =>
        Effect.fail(refuse({ amount_cny: say("amount.range", { min: cny(minFen), max: cny(maxFen) }) }))
    })
  )
  return redirect(`/pay/topup/${order.id}`)
})

/** What an amount would give, as it is typed. */
const preview = (context: UserContext) =>
  Effect.map(
    currentTerms,
    (terms) => part(CreditPreview({ context, terms, amountFen: amountOf(context.query.get("amount_cny")) }))
  )

export const TopupRoutes = routes(
  userPage("/topup", show),
  userPage("/topup/preview", preview),
  userForm("/topup/create", { run: create, again: again(show) }),
  userForm("/topup/redeem", { run: redeemOn("/topup"), again: again(show) })
)
