/**
 * An order's own page: what is ordered, how it can be paid, and what has become of it. The panel is also answered by itself,
 * so that the page follows the order while it is open.
 */
import type { ComponentChildren } from "preact"
import { FEN_SCALE, formatDecimal } from "../../../../domain/Money.ts"
import type { Order } from "../../../../orders/Order.ts"
import type { OrderView } from "../../../../orders/Orders.ts"
import type { Payment } from "../../../../orders/Payments.ts"
import type { FormState } from "../../Answer.ts"
import { ButtonForm } from "../../kit/ButtonForm.tsx"
import { Facts } from "../../kit/Facts.tsx"
import { Grid } from "../../kit/Grid.tsx"
import { orderFacts } from "../../kit/OrderFacts.tsx"
import { Panel } from "../../kit/Panel.tsx"
import { type PageContext, sayOf } from "../../PageContext.ts"
import { FormAlert, Notice } from "../../ui/Forms.tsx"
import { Icon } from "../../ui/Icon.tsx"
import { methodName } from "../../ui/OrderParts.tsx"
import { Moment, PageHeading } from "../../ui/Parts.tsx"
import { type PayMethod, stageOf, versionOf } from "./PayStage.ts"

export interface PayProps {
  readonly context: PageContext
  readonly view: OrderView
  readonly methods: ReadonlyArray<PayMethod>
  readonly state: FormState
}

const OrderFacts = ({ view: { order }, context }: PayProps) => {
  const before = [sayOf(context, "pay")("expires"), <Moment context={context} at={order.expiresAt} />] as const
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
      {methods.map(({ charge, method, provider }) => (
        <ButtonForm
          key={`${provider}-${method}`}
          context={context}
          action={`/pay/${order.kind}/${order.id}/start`}
          fields={{ provider, method }}
          button={say("with", { method: methodName(context, provider, method) })}
          look="btn-primary w-100"
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
      ? { amount_cny: formatDecimal(order.amountFen, FEN_SCALE, FEN_SCALE) }
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

const Payments = ({ view: { order, payments }, context }: PayProps) => (
  <>
    {payments.map((payment) => paymentText(context, order, payment)).map((text, at) =>
      text === undefined ? null : <Notice key={at} kind="info">{text}</Notice>
    )}
  </>
)

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
export const PayPanel = (props: PayProps) => {
  const { order } = props.view
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
      <Payments {...props} />
      <Grid
        cells={[
          ["col-md-5", <OrderFacts {...props} />],
          ["col-md-7", <Panel children={<Outcome {...props} />} />]
        ]}
      />
    </div>
  )
}

/** What the page is called while there is something to pay, and after that. */
export const payTitle = (context: PageContext, { id, state }: Order): string =>
  sayOf(context, "pay")(state === "pending" ? "title" : "orderNumber", { id: id.toString() })

export const PayView = (props: PayProps) => (
  <>
    <PageHeading title={payTitle(props.context, props.view.order)} />
    {/* What is put in its place is read out: the place itself stays. */}
    <div aria-live="polite">
      <PayPanel {...props} />
    </div>
  </>
)

/**
 * On to the provider's page. A form of EPay's is sent at once where scripts run, and by its button elsewhere; an address of Stripe's to
 * which no form may lead is a link.
 */
export type GoProps =
  & { readonly context: PageContext; readonly method: string }
  & ({ readonly action: string; readonly fields: ReadonlyArray<readonly [string, string]> } | { readonly url: string })

export const GoView = ({ method, context, ...to }: GoProps) => {
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
