/**
 * `/topup`: credit is ordered here, and paid for on the order's own page. Codes are redeemed here too.
 */
import { Effect, Layer } from "effect"
import { AccountOverview } from "../../../../accounts/AccountOverview.ts"
import { FEN_SCALE, parseDecimal } from "../../../../domain/Money.ts"
import { Orders } from "../../../../orders/Orders.ts"
import { Settings, type SettingsValues } from "../../../../settings/Settings.ts"
import { emptyForm, type FormState, page, part, redirect, refuse } from "../../Answer.ts"
import { userForm, userPage } from "../../ConsoleRoute.ts"
import { sayOf, type UserContext } from "../../PageContext.ts"
import { paymentOrigins } from "../../SecurityHeaders.ts"
import { givenTo, redeem } from "../redeem/RedeemForm.ts"
import { CreditPreview, type TopupTerms, TopupView } from "./TopupView.tsx"

const RECENT_MAX = 5

const termsOf = ({ billing, payment }: SettingsValues): TopupTerms => ({
  minFen: billing.minTopupFen,
  maxFen: billing.maxTopupFen,
  usdPerCny: billing.creditUsdPerCny,
  payable: paymentOrigins(payment).length > 0,
  isOfUse: billing.enabled && billing.payAsYouGo
})

/** An amount as people type it, in fen; undefined when it is none. */
const amountOf = (text: string | null): bigint | undefined => {
  const fen = parseDecimal((text ?? "").trim().replace(/^[¥￥]\s*/, "").replace(/,(?=\d{3}(?:\D|$))/g, ""), FEN_SCALE)
  return fen !== undefined && fen > 0n ? fen : undefined
}

const show = Effect.fnUntraced(function*(context: UserContext, state: FormState) {
  const balance = yield* (yield* AccountOverview).balance(context.user.id)
  const orders = yield* (yield* Orders).list(context.user.id, { limit: RECENT_MAX })
  const terms = termsOf((yield* Settings).current())
  const gift = yield* givenTo(context)
  return page(sayOf(context, "topup")("title"), TopupView({ context, balance, orders, terms, gift, state }))
})

const create = Effect.fnUntraced(function*(context: UserContext, fields: URLSearchParams) {
  const say = sayOf(context, "topup")
  if (!termsOf((yield* Settings).current()).isOfUse) return yield* refuse({ form: say("useless") })
  const amountFen = amountOf(fields.get("amount_cny"))
  if (amountFen === undefined) return yield* refuse({ amount_cny: say("amount.none") })
  const order = yield* (yield* Orders).topup(context.user.id, amountFen).pipe(
    Effect.catchTags({
      AmountOutOfRange: ({ maxFen, minFen }) =>
        Effect.fail(refuse({
          amount_cny: say("amount.range", { min: context.formats.cny(minFen), max: context.formats.cny(maxFen) })
        })),
      TooManyOpen: () => Effect.fail(refuse({ form: say("tooMany") })),
      TooManyOrders: () => Effect.fail(refuse({ form: sayOf(context, "order")("tooFast") }, 429)),
      BuyerUnknown: () => Effect.fail(refuse({ form: context.say("problem.session") }, 403))
    })
  )
  return redirect(`/pay/topup/${order.id}`)
})

/** What an amount would give, as it is typed. */
const preview = userPage("/topup/preview", (context) =>
  Effect.map(Settings, (settings) =>
    part(CreditPreview({
      context,
      terms: termsOf(settings.current()),
      amountFen: amountOf(context.query.get("amount_cny"))
    }))))

export const TopupRoutes = Layer.mergeAll(
  userPage("/topup", (context) => show(context, emptyForm)),
  preview,
  userForm("/topup/create", {
    run: create,
    again: (context, values, problems) => show(context, { values, problems })
  }),
  userForm("/topup/redeem", {
    run: (context, fields) => redeem(context, fields, "/topup"),
    again: (context, values, problems) => show(context, { values, problems })
  })
)
