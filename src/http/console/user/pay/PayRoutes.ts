/**
 * `/pay/{kind}/{id}`: an order is paid, cancelled and followed here. That a browser comes back from a provider proves nothing
 * and changes nothing: the page shows what the settlement has written down.
 */
import { Effect, Layer } from "effect"
import { HttpRouter, HttpServerResponse } from "effect/http"
import { OrderId } from "../../../../domain/Ids.ts"
import { Checkout, type PaymentStart } from "../../../../orders/Checkout.ts"
import { Orders } from "../../../../orders/Orders.ts"
import { Settings } from "../../../../settings/Settings.ts"
import {
  type Answer,
  emptyForm,
  type FormState,
  page,
  PageNotFound,
  part,
  raw,
  redirect,
  refuse
} from "../../Answer.ts"
import { userForm, userPage } from "../../ConsoleRoute.ts"
import { sayOf, type UserContext } from "../../PageContext.ts"
import { pathId } from "../../PathId.ts"
import { paymentOrigins } from "../../SecurityHeaders.ts"
import { EpayGoView, methodsOf, PayPanel, payTitle, PayView, StripeGoView, versionOf } from "./PayView.tsx"

/** How often a page without scripts asks again, in seconds. */
const REFRESH_SECONDS = 10

/** The visitor's own order that the address names, with the kind that it really is of. */
const findOrder = Effect.fnUntraced(function*(context: UserContext) {
  const id = yield* pathId("id", OrderId)
  const view = yield* (yield* Orders).show(id, context.user.id).pipe(
    Effect.catchTag("OrderNotFound", () => Effect.fail(new PageNotFound()))
  )
  if (view.order.kind !== (yield* HttpRouter.params)["kind"]) return yield* new PageNotFound()
  return view
})

const show = Effect.fnUntraced(function*(context: UserContext, state: FormState) {
  const view = yield* findOrder(context)
  const methods = methodsOf(view.order, (yield* Settings).current().payment)
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
  const methods = methodsOf(view.order, (yield* Settings).current().payment)
  return part(PayPanel({ context, view, methods, state: emptyForm }))
})

/** On to the provider. Browsers hold a form's redirects to the page's policy, so other addresses are given as a link. */
const goOn = Effect.fnUntraced(function*(context: UserContext, started: PaymentStart, method: string) {
  const say = sayOf(context, "pay")
  if (started.type === "form") {
    // The gateway sends the payer on to where the method is paid, which nobody can name beforehand.
    return page(say("go.title"), EpayGoView({ context, action: started.action, fields: started.fields, method }), {
      formOrigins: ["https:"],
      bare: true
    })
  }
  const origins = paymentOrigins((yield* Settings).current().payment)
  return origins.includes(new URL(started.url).origin)
    ? redirect(started.url)
    : page(say("go.title"), StripeGoView({ context, url: started.url }), { bare: true })
})

const start = Effect.fnUntraced(function*(context: UserContext, fields: URLSearchParams) {
  const say = sayOf(context, "pay")
  const { order } = yield* findOrder(context)
  const checkout = yield* Checkout
  const provider = fields.get("provider")
  const method = provider === "epay" ? fields.get("method") ?? "" : ""
  const offered = methodsOf(order, (yield* Settings).current().payment)
  const isOffered = offered.some((known) => known.provider === provider && (known.method ?? "") === method)
  if (!isOffered) return yield* refuse({ form: say("method.off") })
  const begin = provider === "epay"
    ? checkout.startEpay(order.id, context.user.id, method)
    : checkout.startStripe(order.id, context.user.id)
  const started = yield* begin.pipe(
    Effect.tapErrorTag(
      ["ProviderUnavailable", "ProviderRefused"],
      (error) => Effect.logWarning("a payment could not be started", { order: order.id, why: error.message })
    ),
    Effect.catchTags({
      OrderNotFound: () => Effect.fail(new PageNotFound()),
      OrderClosed: () => Effect.fail(refuse({ form: say("closed") }, 409)),
      OrderProcessing: () => Effect.fail(refuse({ form: say("onItsWay") }, 409)),
      TooManyOpen: () => Effect.fail(refuse({ form: say("attempts") }, 409)),
      ProviderOff: () => Effect.fail(refuse({ form: say("method.off") })),
      ProviderRefused: () => Effect.fail(refuse({ form: say("provider.refused") }, 502)),
      ProviderUnavailable: () => Effect.fail(refuse({ form: say("provider.away") }, 502))
    })
  )
  return yield* goOn(context, started, method)
})

const cancel = Effect.fnUntraced(function*(context: UserContext) {
  const say = sayOf(context, "pay")
  const { order } = yield* findOrder(context)
  yield* (yield* Orders).cancel(order.id, context.user.id).pipe(
    Effect.catchTags({
      OrderNotFound: () => Effect.fail(new PageNotFound()),
      OrderClosed: () => Effect.fail(refuse({ form: say("closed") }, 409)),
      OrderProcessing: () => Effect.fail(refuse({ form: say("onItsWay") }, 409))
    })
  )
  return redirect(`/pay/${order.kind}/${order.id}`)
})

const again = (context: UserContext, values: URLSearchParams, problems: FormState["problems"]) =>
  Effect.map(show(context, { values, problems }), (answer): Answer => answer)

export const PayRoutes = Layer.mergeAll(
  userPage("/pay/:kind/:id", (context) => show(context, emptyForm)),
  userPage("/pay/:kind/:id/status", status),
  userForm("/pay/:kind/:id/start", { run: start, again }),
  userForm("/pay/:kind/:id/cancel", { run: cancel, again })
)
