/**
 * `/pay/{kind}/{id}`: an order is paid, cancelled and followed here. That a browser comes back from a provider proves nothing
 * and changes nothing: the page shows what the settlement has written down.
 */
import { Effect } from "effect"
import { HttpRouter, HttpServerResponse } from "effect/http"
import { OrderId } from "../../../../domain/Ids.ts"
import { Checkout, type PaymentStart } from "../../../../orders/Checkout.ts"
import { Orders } from "../../../../orders/Orders.ts"
import { Settings } from "../../../../settings/Settings.ts"
import { again, emptyForm, notFound, page, PageNotFound, part, raw, redirect, refuse, refusing } from "../../Answer.ts"
import { routes, userForm, userPage } from "../../ConsoleRoute.ts"
import { sayOf, type UserContext } from "../../PageContext.ts"
import { pathId } from "../../PathId.ts"
import { paymentOrigins } from "../../SecurityHeaders.ts"
import { methodName } from "../../ui/OrderParts.tsx"
import { methodsOf, versionOf } from "./PayStage.ts"
import { GoView, PayPanel, payTitle, PayView } from "./PayView.tsx"

/** How often a page without scripts asks again, in seconds. */
const REFRESH_SECONDS = 10

const paymentSettings = Effect.map(Settings, (settings) => settings.current().payment)

/** The visitor's own order that the address names, with the kind that it really is of. */
const findOrder = Effect.fnUntraced(function*(context: UserContext) {
  const id = yield* pathId("id", OrderId)
  const view = yield* (yield* Orders).show(id, context.user.id).pipe(Effect.catchTag("OrderNotFound", notFound))
  if (view.order.kind !== (yield* HttpRouter.params)["kind"]) return yield* new PageNotFound()
  return view
})

const show = Effect.fnUntraced(function*(context: UserContext, state = emptyForm) {
  const view = yield* findOrder(context)
  const methods = methodsOf(view.order, yield* paymentSettings)
  const follows = view.order.state === "pending" && view.attempts.length > 0
  return page(
    payTitle(context, view.order),
    PayView({ context, view, methods, state }),
    follows ? { refreshSeconds: REFRESH_SECONDS } : {}
  )
})

/** The panel of an order that has changed since `version`. */
const status = Effect.fnUntraced(function*(context: UserContext) {
  const view = yield* findOrder(context)
  if (context.query.get("version") === versionOf(view)) {
    return raw(HttpServerResponse.empty({ status: 204, headers: { "cache-control": "no-store" } }))
  }
  const methods = methodsOf(view.order, yield* paymentSettings)
  return part(PayPanel({ context, view, methods, state: emptyForm }))
})

/** On to the provider. Browsers hold a form's redirects to the page's policy, so other addresses are given as a link. */
const goOn = Effect.fnUntraced(function*(context: UserContext, started: PaymentStart, method: string) {
  const origins = paymentOrigins(yield* paymentSettings)
  if (started.type !== "form" && origins.includes(new URL(started.url).origin)) return redirect(started.url)
  return page(sayOf(context, "pay")("go.title"), GoView({ context, method, ...started }), {
    // An EPay gateway sends the payer on to where the method is paid, which nobody can name beforehand.
    formOrigins: started.type === "form" ? ["https:"] : [],
    bare: true
  })
})

/** Why an order is neither paid nor cancelled now. */
const orderRefusals = (context: UserContext) => {
  const say = sayOf(context, "pay")
  return {
    OrderNotFound: notFound,
    OrderClosed: refusing({ form: say("closed") }, 409),
    OrderProcessing: refusing({ form: say("onItsWay") }, 409)
  }
}

const start = Effect.fnUntraced(function*(context: UserContext, fields: URLSearchParams) {
  const say = sayOf(context, "pay")
  const { order } = yield* findOrder(context)
  const checkout = yield* Checkout
  const provider = fields.get("provider")
  const offered = methodsOf(order, yield* paymentSettings)
  const chosen = offered.find((known) =>
    known.provider === provider && (provider === "stripe" || known.method === fields.get("method"))
  )
  if (chosen === undefined) return yield* refuse({ form: say("method.off") })
  const begin = chosen.provider === "epay"
    ? checkout.startEpay(order.id, context.user.id, chosen.method)
    : checkout.startStripe(order.id, context.user.id)
  const started = yield* begin.pipe(
    Effect.tapErrorTag(
      ["ProviderUnavailable", "ProviderRefused"],
      (error) => Effect.logWarning("a payment could not be started", { order: order.id, why: error.message })
    ),
    Effect.catchTags({
      ...orderRefusals(context),
      TooManyOpen: refusing({ form: say("attempts") }, 409),
      ProviderOff: refusing({ form: say("method.off") }),
      ProviderRefused: refusing({ form: say("provider.refused") }, 502),
      ProviderUnavailable: refusing({ form: say("provider.away") }, 502)
    })
  )
  return yield* goOn(context, started, methodName(context, chosen.provider, chosen.method))
})

const cancel = Effect.fnUntraced(function*(context: UserContext) {
  const { order } = yield* findOrder(context)
  yield* (yield* Orders).cancel(order.id, context.user.id).pipe(Effect.catchTags(orderRefusals(context)))
  return redirect(`/pay/${order.kind}/${order.id}`)
})

export const PayRoutes = routes(
  userPage("/pay/:kind/:id", show),
  userPage("/pay/:kind/:id/status", status),
  userForm("/pay/:kind/:id/start", { run: start, again: again(show) }),
  userForm("/pay/:kind/:id/cancel", { run: cancel, again: again(show) })
)
