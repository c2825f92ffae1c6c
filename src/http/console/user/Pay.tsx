/**
 * `/pay/{kind}/{id}`: an order is paid, cancelled and followed here. That a browser comes back from a provider proves nothing and changes
 * nothing: the page shows what the settlement has written down. Its panel is also answered by itself, so that the page follows the order.
 */
import { Effect } from "effect"
import { HttpRouter, HttpServerResponse } from "effect/http"
import type { ComponentChildren } from "preact"
import { AccountOverview } from "../../../accounts/AccountOverview.ts"
import { OrderId } from "../../../domain/Ids.ts"
import { formatCny } from "../../../domain/Money.ts"
import { Checkout, type PaymentStart } from "../../../orders/Checkout.ts"
import { isFulfilled, type Order } from "../../../orders/Order.ts"
import { Orders, type OrderView } from "../../../orders/Orders.ts"
import type { Payment } from "../../../orders/Payments.ts"
import { likeliestFirst, methodsOf, type PayMethod, stageOf, versionOf } from "../../../orders/PayStage.ts"
import { paymentOrigins } from "../../../payments/PaymentOrigins.ts"
import { Settings } from "../../../settings/Settings.ts"
import {
  emptyForm,
  type FormState,
  notFound,
  page,
  PageNotFound,
  part,
  raw,
  redirect,
  refuse,
  refusing
} from "../Answer.ts"
import { routes, userForm, userPage } from "../ConsoleRoute.ts"
import { ButtonForm, FormAlert, headedPage } from "../kit/Forms.tsx"
import { Icon } from "../kit/Icon.tsx"
import { methodIcon, methodName, orderFacts } from "../kit/Orders.tsx"
import { BalanceLink, Facts, Grid, Moment, Notice, Panel } from "../kit/Parts.tsx"
import { type PageContext, sayOf, type UserContext } from "../PageContext.ts"
import { pathId } from "../Params.ts"
import { refuseBusy } from "../text/SharedTexts.ts"

interface PayProps {
  readonly context: PageContext
  readonly view: OrderView
  readonly methods: ReadonlyArray<PayMethod>
  readonly state: FormState
}

/** How long there is yet: counted down where scripts run, and by this browser's own time since the page came. */
const Countdown = ({ to, context }: { readonly context: PageContext; readonly to: Date }) => (
  <span
    class="badge bg-blue-lt ms-1 countdown"
    role="timer"
    aria-live="off"
    data-seconds-left={Math.max(0, Math.ceil((to.getTime() - context.now.getTime()) / 1_000))}
    hidden
  />
)

const OrderFacts = ({ view: { order }, context }: PayProps) => {
  const deadline = (
    <>
      <Moment context={context} at={order.expiresAt} /> <Countdown context={context} to={order.expiresAt} />
    </>
  )
  const before = [sayOf(context, "pay")("expires"), deadline] as const
  return (
    <Panel>
      <Facts facts={[...orderFacts(context, order), order.state === "pending" ? before : null]} />
    </Panel>
  )
}

const Methods = ({ methods, view: { order }, context }: PayProps) => {
  const say = sayOf(context, "pay")
  if (methods.length === 0) return <Notice kind="info">{say("off")}</Notice>
  return (
    <div class="d-flex flex-column gap-2">
      {likeliestFirst(methods, context.language === "en").map(({ charge, method, provider }, at) => (
        <ButtonForm
          key={`${provider}-${method}`}
          context={context}
          action={`/pay/${order.kind}/${order.id}/start`}
          fields={{ provider, method }}
          button={
            <>
              <Icon name={methodIcon(provider, method)} class={at === 0 ? "" : `pay-${methodIcon(provider, method)}`} />
              {say("with", { method: methodName(context, provider, method) })}
            </>
          }
          look={`w-100 ${at === 0 ? "btn-primary" : ""}`}
        >
          {charge === undefined ? null : (
            <div class="form-hint mt-1">
              {say("charged", { amount: context.formats.minor(charge.amountMinor, charge.currency) })}
            </div>
          )}
        </ButtonForm>
      ))}
    </div>
  )
}

const Cancel = ({ view: { order }, context }: PayProps) => (
  <ButtonForm
    context={context}
    action={`/pay/${order.kind}/${order.id}/cancel`}
    confirm={sayOf(context, "pay")("cancel.ask")}
    class="mt-3 text-center"
    look="btn-ghost-danger"
    button={sayOf(context, "pay")("cancel")}
  />
)

/** The same once more, at today's price. */
const Again = ({ view: { order }, context }: PayProps) => (
  <ButtonForm
    context={context}
    action={order.terms === null ? "/topup/create" : "/subscription/create"}
    fields={order.terms === null
      ? { amount_cny: formatCny(order.amountFen) }
      : { plan_code: order.terms.code }}
    look="btn-primary"
    button={sayOf(context, "pay")("again")}
  />
)

/** What became of a payment that did not fulfil the order by itself; undefined where that goes without saying. */
const paymentText = (context: PageContext, order: Order, payment: Payment): string | undefined => {
  const say = sayOf(context, "pay")
  const { creditedMicros, creditedUserId, currency, paidMinor, state } = payment
  if (paidMinor === null || currency === null) return state === "in_review" ? say("review.unknown") : undefined
  const amount = context.formats.minor(paidMinor, currency)
  if (state === "in_review") return say("review", { amount })
  if (state === "refunded") return say("review.refunded", { amount })
  return state === "credited" && creditedMicros !== null && creditedUserId === order.userId
    ? say("review.credited", { amount, credit: context.formats.usd(creditedMicros) })
    : undefined
}

/** The same of money whose payment is not named. Once something has paid the order, it is likely the same money. */
const unnamedTexts = (context: PageContext, { order, unnamed }: OrderView): ReadonlyArray<string> => {
  const say = sayOf(context, "pay")
  if (isFulfilled(order.state)) return []
  return unnamed.map(({ amountMinor, currency }) =>
    amountMinor === null || currency === null
      ? say("review.unknown")
      : say("review", { amount: context.formats.minor(amountMinor, currency) })
  )
}

const Waiting = ({ children }: { readonly children: ComponentChildren }) => (
  <Notice kind="info">
    <span class="spinner-border spinner-border-sm me-2" aria-hidden="true" />
    {children}
  </Notice>
)

const Outcome = (props: PayProps) => {
  const { view, context } = props
  const { order } = view
  const say = sayOf(context, "pay")
  const stage = stageOf(view)
  switch (stage) {
    case "review":
      return <Cancel {...props} />
    case "processing":
      return <Waiting>{say("processing")}</Waiting>
    case "new":
    case "started":
      return (
        <>
          {stage === "started" ? <Waiting>{say("started")}</Waiting> : null}
          <h2 class="h3">{stage === "started" ? say("started.again") : say("how")}</h2>
          <Methods {...props} />
          <Cancel {...props} />
        </>
      )
    case "fulfilled":
      return (
        <>
          <Notice kind="success">
            {order.terms === null
              ? say("paid", { credit: context.formats.usd(order.creditMicros) })
              : say("active", { name: order.terms.name })}
          </Notice>
          <div class="d-flex flex-wrap gap-2">
            <a class="btn btn-primary" href="/">{say("toDashboard")}</a>
            <a class="btn" href="/keys">{say("toKeys")}</a>
            <a class="btn" href={`/orders/${order.id}`}>{say("receipt")}</a>
          </div>
        </>
      )
    case "ended":
      return (
        <>
          <Notice kind="warning">
            {order.state === "cancelled" ? say("cancelled") : say("expired")} {say("late")}
          </Notice>
          <Again {...props} />
        </>
      )
    case "takenBack":
      return <Notice kind="warning">{order.state === "refunded" ? say("refunded") : say("disputed")}</Notice>
  }
}

/** Asks for itself every two seconds while the order waits to be paid; an answer without content changes nothing. */
const PayPanel = (props: PayProps) => {
  const { view: { order, payments }, context } = props
  const live = order.state === "pending"
    ? {
      "hx-get": `/pay/${order.kind}/${order.id}/status?version=${versionOf(props.view)}`,
      "hx-trigger": "every 2s",
      "hx-swap": "outerHTML"
    }
    : {}
  return (
    <div id="order" {...live}>
      <FormAlert state={props.state} />
      {[...payments.map((payment) => paymentText(context, order, payment)), ...unnamedTexts(context, props.view)].map(
        (text, at) => text === undefined ? null : <Notice key={at} kind="info">{text}</Notice>
      )}
      <Grid
        cells={[
          ["col-md-5", <OrderFacts {...props} />],
          ["col-md-7", <Panel children={<Outcome {...props} />} />]
        ]}
      />
    </div>
  )
}

/**
 * On to the provider's page. A form of EPay's is sent at once where scripts run, and by its button elsewhere; an address of Stripe's to
 * which no form may lead is a link.
 */
type GoProps =
  & { readonly context: PageContext; readonly method: string }
  & ({ readonly action: string; readonly fields: ReadonlyArray<readonly [string, string]> } | { readonly url: string })

const Go = ({ method, context, ...to }: GoProps) => {
  const say = sayOf(context, "pay")
  const label = [say("go.button"), <Icon name="arrow" class="ms-2" />]
  const content = (button: ComponentChildren) => (
    <>
      <h1 class="empty-title h2">{say("go.title")}</h1>
      <p class="empty-subtitle text-secondary">{say("go.text", { method })}</p>
      <div class="empty-action">{button}</div>
    </>
  )
  return "url" in to
    ? <div class="empty">{content(<a class="btn btn-primary" href={to.url} data-follow>{label}</a>)}</div>
    : (
      <form method="post" action={to.action} class="empty" data-send>
        {to.fields.map(([name, value]) => <input key={name} type="hidden" name={name} value={value} />)}
        {content(<button class="btn btn-primary" type="submit">{label}</button>)}
      </form>
    )
}

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
  const title = sayOf(context, "pay")(
    view.order.state === "pending" ? "title" : "orderNumber",
    { id: view.order.id.toString() }
  )
  return headedPage({
    context,
    title,
    // What is put in its place is read out: the place itself stays.
    children: (
      <div aria-live="polite">
        <PayPanel context={context} view={view} methods={methods} state={state} />
      </div>
    )
  }, follows ? { refreshSeconds: REFRESH_SECONDS } : {})
})

/** The panel of an order that has changed since `version`. */
const status = Effect.fnUntraced(function*(context: UserContext) {
  const view = yield* findOrder(context)
  if (context.query.get("version") === versionOf(view)) {
    return raw(HttpServerResponse.empty({ status: 204, headers: { "cache-control": "no-store" } }))
  }
  const methods = methodsOf(view.order, yield* paymentSettings)
  const panel = <PayPanel context={context} view={view} methods={methods} state={emptyForm} />
  if (view.order.state === "pending") return part(panel)
  // What has been paid is in the bar at once.
  const { usdMicros } = yield* (yield* AccountOverview).balance(context.user.id)
  return part(
    <>
      {panel}
      <BalanceLink context={context} micros={usdMicros} isNews />
    </>
  )
})

/** On to the provider. Browsers hold a form's redirects to the page's policy, so other addresses are given as a link. */
const goOn = Effect.fnUntraced(function*(context: UserContext, started: PaymentStart, method: string) {
  const origins = paymentOrigins(yield* paymentSettings)
  if (started.type !== "form" && origins.includes(new URL(started.url).origin)) return redirect(started.url)
  return page(sayOf(context, "pay")("go.title"), <Go context={context} method={method} {...started} />, {
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
    : checkout.startStripe(order.id, { userId: context.user.id, address: context.address })
  const started = yield* begin.pipe(
    Effect.tapErrorTag(
      ["ProviderUnavailable", "ProviderRefused"],
      (error) => Effect.logWarning("a payment could not be started", { order: order.id, why: error.message })
    ),
    Effect.catchTags({
      ...orderRefusals(context),
      TooManyAttempts: refuseBusy(context),
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
  userForm("/pay/:kind/:id/start", { run: start, again: show }),
  userForm("/pay/:kind/:id/cancel", { run: cancel, again: show })
)
