/**
 * An order's own page: what is ordered, how it can be paid, and what has become of it. The panel is also answered by itself,
 * so that the page follows the order while it is open.
 */
import { FEN_SCALE, formatDecimal } from "../../../../domain/Money.ts"
import { minorOf } from "../../../../orders/Checkout.ts"
import type { Order } from "../../../../orders/Order.ts"
import type { OrderView } from "../../../../orders/Orders.ts"
import type { Payment } from "../../../../orders/Payments.ts"
import type { SettingsValues } from "../../../../settings/Settings.ts"
import type { FormState } from "../../Answer.ts"
import { type PageContext, sayOf } from "../../PageContext.ts"
import { FormAlert, Notice, PostForm } from "../../ui/Forms.tsx"
import { Icon } from "../../ui/Icon.tsx"
import { methodName, orderName, StateBadge, TermsLines } from "../../ui/OrderParts.tsx"
import { Card, Moment, PageHeading } from "../../ui/Parts.tsx"

/** One way of paying that is on. */
export interface PayMethod {
  readonly provider: "epay" | "stripe"
  readonly method: string | null
  /** What is charged where that is not the order's amount: in the currency's minor unit. */
  readonly charge: { readonly amountMinor: bigint; readonly currency: string } | undefined
}

/** The ways of paying an order that are on, EPay's first. */
export const methodsOf = (order: Order, { epay, stripe }: SettingsValues["payment"]): ReadonlyArray<PayMethod> => [
  ...(epay.enabled
    ? epay.types.map((method) => ({ provider: "epay" as const, method, charge: undefined }))
    : []),
  ...(stripe.enabled
    ? [{
      provider: "stripe" as const,
      method: null,
      charge: stripe.currency === "cny"
        ? undefined
        : { amountMinor: minorOf(order.amountFen, stripe.minorPerFen), currency: stripe.currency }
    }]
    : [])
]

export interface PayProps {
  readonly context: PageContext
  readonly view: OrderView
  readonly methods: ReadonlyArray<PayMethod>
  readonly state: FormState
}

/** What decides how the panel looks: as long as it is the same, an open page need not change. */
export const versionOf = ({ attempts, order, payments }: OrderView): string => {
  const isProcessing = attempts.some(({ state }) => state === "processing")
  return [order.state, attempts.length, isProcessing ? "processing" : "open", ...payments.map(({ state }) => state)]
    .join("-")
}

const OrderFacts = ({ order, context }: { readonly context: PageContext; readonly order: Order }) => {
  const say = sayOf(context, "pay")
  const sayOrder = sayOf(context, "order")
  return (
    <dl class="facts">
      <dt>{sayOrder("what")}</dt>
      <dd>{orderName(context, order)}</dd>
      <dt>{sayOrder("amount")}</dt>
      <dd>
        <strong class="h3">{context.formats.cny(order.amountFen)}</strong>
      </dd>
      <dt>{say("gives")}</dt>
      <dd>
        {order.terms === null ? context.formats.usd(order.creditMicros) : (
          <>
            <div>{sayOrder("days", { count: order.terms.durationDays })}</div>
            <TermsLines context={context} terms={order.terms} />
          </>
        )}
      </dd>
      <dt>{sayOrder("state")}</dt>
      <dd>
        <StateBadge context={context} state={order.state} />
      </dd>
      <dt>{sayOrder("placed")}</dt>
      <dd>
        <Moment context={context} at={order.createdAt} />
      </dd>
      {order.state === "pending"
        ? (
          <>
            <dt>{say("expires")}</dt>
            <dd>
              <Moment context={context} at={order.expiresAt} />
            </dd>
          </>
        )
        : null}
    </dl>
  )
}

const Methods = ({ methods, view: { order }, context }: PayProps) => {
  const say = sayOf(context, "pay")
  if (methods.length === 0) return <Notice kind="info">{say("off")}</Notice>
  return (
    <div class="d-flex flex-column gap-2">
      {methods.map(({ charge, method, provider }) => (
        <PostForm key={`${provider}-${method}`} context={context} action={`/pay/${order.kind}/${order.id}/start`}>
          <input type="hidden" name="provider" value={provider} />
          <input type="hidden" name="method" value={method ?? ""} />
          <button class="btn btn-primary w-100" type="submit">
            {say("with", { method: methodName(context, provider, method) })}
          </button>
          {charge === undefined ? null : (
            <div class="form-hint mt-1">
              {say("charged", { amount: context.formats.minor(charge.amountMinor, charge.currency) })}
            </div>
          )}
        </PostForm>
      ))}
    </div>
  )
}

const Cancel = ({ order, context }: { readonly context: PageContext; readonly order: Order }) => {
  const say = sayOf(context, "pay")
  return (
    <PostForm
      context={context}
      action={`/pay/${order.kind}/${order.id}/cancel`}
      confirm={say("cancel.ask")}
      class="mt-3 text-center"
    >
      <button class="btn btn-ghost-danger" type="submit">{say("cancel")}</button>
    </PostForm>
  )
}

/** The same once more, at today's price. */
const Again = ({ order, context }: { readonly context: PageContext; readonly order: Order }) => {
  const say = sayOf(context, "pay")
  return (
    <PostForm context={context} action={order.kind === "topup" ? "/topup/create" : "/subscription/create"}>
      {order.terms === null
        ? <input type="hidden" name="amount_cny" value={formatDecimal(order.amountFen, FEN_SCALE, FEN_SCALE)} />
        : <input type="hidden" name="plan_code" value={order.terms.code} />}
      <button class="btn btn-primary" type="submit">{say("again")}</button>
    </PostForm>
  )
}

const amountOf = (context: PageContext, { currency, paidMinor }: Payment): string | undefined =>
  paidMinor === null || currency === null ? undefined : context.formats.minor(paidMinor, currency)

/** What became of a payment that did not fulfil the order by itself; undefined where that goes without saying. */
const paymentText = (context: PageContext, order: Order, payment: Payment): string | undefined => {
  const say = sayOf(context, "pay")
  const amount = amountOf(context, payment)
  switch (payment.state) {
    case "in_review":
      return amount === undefined ? say("review.unknown") : say("review", { amount })
    case "credited":
      return amount === undefined || payment.creditedMicros === null || payment.creditedUserId !== order.userId
        ? undefined
        : say("review.credited", { amount, credit: context.formats.usd(payment.creditedMicros) })
    case "refunded":
      return amount === undefined ? undefined : say("review.refunded", { amount })
    case "fulfilled":
    case "dismissed":
      return undefined
  }
}

const Payments = ({ view: { order, payments }, context }: PayProps) => (
  <>
    {payments.map((payment) => {
      const text = paymentText(context, order, payment)
      return text === undefined ? null : <Notice key={String(payment.id)} kind="info">{text}</Notice>
    })}
  </>
)

const Pending = (props: PayProps) => {
  const { view: { attempts, order, payments }, context } = props
  const say = sayOf(context, "pay")
  // Whoever has paid is not asked to pay once more.
  if (payments.some(({ state }) => state === "in_review")) return <Cancel context={context} order={order} />
  if (attempts.some(({ state }) => state === "processing")) {
    return (
      <Notice kind="info">
        <span class="spinner-border spinner-border-sm me-2" aria-hidden="true" />
        {say("processing")}
      </Notice>
    )
  }
  const isStarted = attempts.length > 0
  return (
    <>
      {isStarted
        ? (
          <Notice kind="info">
            <span class="spinner-border spinner-border-sm me-2" aria-hidden="true" />
            {say("started")}
          </Notice>
        )
        : null}
      <h2 class="h3">{isStarted ? say("started.again") : say("how")}</h2>
      <Methods {...props} />
      <Cancel context={context} order={order} />
    </>
  )
}

const Fulfilled = ({ order, context }: { readonly context: PageContext; readonly order: Order }) => {
  const say = sayOf(context, "pay")
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
}

const Outcome = (props: PayProps) => {
  const { view: { order }, context } = props
  const say = sayOf(context, "pay")
  switch (order.state) {
    case "pending":
      return <Pending {...props} />
    case "paid":
    case "active":
      return <Fulfilled context={context} order={order} />
    case "cancelled":
    case "expired":
      return (
        <>
          <Notice kind="warning">
            {order.state === "cancelled" ? say("cancelled") : say("expired")} {say("late")}
          </Notice>
          <Again context={context} order={order} />
        </>
      )
    default:
      return <Notice kind="warning">{order.state === "refunded" ? say("refunded") : say("disputed")}</Notice>
  }
}

/** Asks for itself every two seconds while the order waits to be paid; an answer without content changes nothing. */
export const PayPanel = (props: PayProps) => {
  const { view, context } = props
  const { order } = view
  const live = order.state === "pending"
    ? {
      "hx-get": `/pay/${order.kind}/${order.id}/status?version=${versionOf(view)}`,
      "hx-trigger": "every 2s",
      "hx-swap": "outerHTML"
    }
    : {}
  return (
    <div id="order" {...live}>
      <FormAlert state={props.state} />
      <Payments {...props} />
      <div class="row g-3">
        <div class="col-md-5">
          <Card>
            <div class="card-body">
              <OrderFacts context={context} order={order} />
            </div>
          </Card>
        </div>
        <div class="col-md-7">
          <Card>
            <div class="card-body">
              <Outcome {...props} />
            </div>
          </Card>
        </div>
      </div>
    </div>
  )
}

/** What the page is called while there is something to pay, and after that. */
export const payTitle = (context: PageContext, order: Order): string =>
  sayOf(context, "pay")(order.state === "pending" ? "title" : "facts", { id: order.id.toString() })

export const PayView = (props: PayProps) => (
  <>
    <PageHeading title={payTitle(props.context, props.view.order)} />
    {/* What is put in its place is read out: the place itself stays. */}
    <div aria-live="polite">
      <PayPanel {...props} />
    </div>
  </>
)

/** The form that takes the payer to the gateway: sent at once where scripts run, by its button elsewhere. */
export const EpayGoView = (
  { action, fields, method, context }: {
    readonly context: PageContext
    readonly action: string
    readonly fields: ReadonlyArray<readonly [string, string]>
    readonly method: string
  }
) => {
  const say = sayOf(context, "pay")
  return (
    <form method="post" action={action} class="empty" data-send>
      {fields.map(([name, value]) => <input key={name} type="hidden" name={name} value={value} />)}
      <h1 class="empty-title h2">{say("go.title")}</h1>
      <p class="empty-subtitle text-secondary">{say("go.text", { method: methodName(context, "epay", method) })}</p>
      <div class="empty-action">
        <button class="btn btn-primary" type="submit">
          {say("go.button")}
          <Icon name="arrow" class="ms-2" />
        </button>
      </div>
    </form>
  )
}

/** A link that takes the payer to a payment page whose address no form may lead to. */
export const StripeGoView = ({ url, context }: { readonly context: PageContext; readonly url: string }) => {
  const say = sayOf(context, "pay")
  return (
    <div class="empty">
      <h1 class="empty-title h2">{say("go.title")}</h1>
      <p class="empty-subtitle text-secondary">{say("go.text", { method: methodName(context, "stripe", null) })}</p>
      <div class="empty-action">
        <a class="btn btn-primary" href={url} data-follow>
          {say("go.button")}
          <Icon name="arrow" class="ms-2" />
        </a>
      </div>
    </div>
  )
}
