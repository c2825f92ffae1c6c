/**
 * `/topup`: credit is ordered here, and paid for on the order's own page. Codes are redeemed here too.
 */
import { Effect, Layer } from "effect"
import { AccountOverview } from "../../../../accounts/AccountOverview.ts"
import { FEN_SCALE, parseDecimal } from "../../../../domain/Money.ts"
import { Settings, type SettingsValues } from "../../../../settings/Settings.ts"
import { Orders } from "../../../../orders/Orders.ts"
import { emptyForm, type FormState, page, part, redirect, refuse } from "../../Answer.ts"
import { userForm, userPage } from "../../ConsoleRoute.ts"
import { paymentOrigins } from "../../SecurityHeaders.ts"
import { orderText } from "../../text/OrderText.ts"
import { sayOf, type UserVisit } from "../../Visit.ts"
import { givenTo, redeem } from "../redeem/RedeemForm.ts"
import { topupText } from "./TopupText.ts"
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

const show = Effect.fnUntraced(function*(visit: UserVisit, state: FormState) {
  const balance = yield* (yield* AccountOverview).balance(visit.user.id)
  const orders = yield* (yield* Orders).list(visit.user.id, { limit: RECENT_MAX })
  const terms = termsOf((yield* Settings).current())
  const gift = yield* givenTo(visit)
  return page(sayOf(visit, topupText)("title"), TopupView({ visit, balance, orders, terms, gift, state }))
})

const create = Effect.fnUntraced(function*(visit: UserVisit, fields: URLSearchParams) {
  const say = sayOf(visit, topupText)
  if (!termsOf((yield* Settings).current()).isOfUse) return yield* refuse({ form: say("useless") })
  const amountFen = amountOf(fields.get("amount_cny"))
  if (amountFen === undefined) return yield* refuse({ amount_cny: say("amount.none") })
  const order = yield* (yield* Orders).topup(visit.user.id, amountFen).pipe(
    Effect.catchTags({
      AmountOutOfRange: ({ maxFen, minFen }) =>
        Effect.fail(refuse({
          amount_cny: say("amount.range", { min: visit.formats.cny(minFen), max: visit.formats.cny(maxFen) })
        })),
      TooManyOpen: () => Effect.fail(refuse({ form: say("tooMany") })),
      TooManyOrders: () => Effect.fail(refuse({ form: sayOf(visit, orderText)("tooFast") }, 429)),
      BuyerUnknown: () => Effect.fail(refuse({ form: visit.say("problem.session") }, 403))
    })
  )
  return redirect(`/pay/topup/${order.id}`)
})

/** What an amount would give, as it is typed. */
const preview = userPage("/topup/preview", (visit) =>
  Effect.map(Settings, (settings) =>
    part(CreditPreview({
      visit,
      terms: termsOf(settings.current()),
      amountFen: amountOf(visit.query.get("amount_cny"))
    }))))

export const TopupRoutes = Layer.mergeAll(
  userPage("/topup", (visit) => show(visit, emptyForm)),
  preview,
  userForm("/topup/create", {
    run: create,
    again: (visit, values, problems) => show(visit, { values, problems })
  }),
  userForm("/topup/redeem", {
    run: (visit, fields) => redeem(visit, fields, "/topup"),
    again: (visit, values, problems) => show(visit, { values, problems })
  })
)
