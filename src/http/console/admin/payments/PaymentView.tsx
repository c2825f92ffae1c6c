/**
 * One payment event with what can be done about it, and the pages on which it is done.
 */
import { formatDecimal, MICROS_SCALE } from "../../../../domain/Money.ts"
import { isAboutMoneyIn, isCreditable, isRefundable } from "../../../../events/EventResolutions.ts"
import type { EventDetails } from "../../../../events/PaymentEvents.ts"
import { isFulfilled } from "../../../../orders/Order.ts"
import type { FormState } from "../../Answer.ts"
import { Inputs, noteInput } from "../../kit/Inputs.tsx"
import { sayOf, type UserContext } from "../../PageContext.ts"
import { FormAlert, Notice, PostForm } from "../../ui/Forms.tsx"
import { Card, Moment, PageHeading } from "../../ui/Parts.tsx"
import { factName, minorText, OutcomeBadge, resolutionName, sourceName } from "./EventParts.tsx"
import { reasonFor } from "./ReasonText.ts"

export const resolveActions = ["accept", "accept_part", "credit", "refund", "refunded", "dismiss"] as const
export type ResolveAction = typeof resolveActions[number]

interface EventProps {
  readonly context: UserContext
  readonly details: EventDetails
}

const Code = ({ text }: { readonly text: string | null }) =>
  text === null ? <>–</> : <code class="break-anywhere">{text}</code>

/** Where root sees the payment at Stripe. */
const stripePage = ({ payment, provider }: EventDetails["event"]): string | undefined =>
  provider === "stripe" && payment !== null && /^pi_\w+$/.test(payment)
    ? `https://dashboard.stripe.com/payments/${payment}`
    : undefined

const Facts = ({ details: { buyer, event, order }, context }: EventProps) => {
  const say = sayOf(context, "payments")
  const page = stripePage(event)
  return (
    <Card class="mb-3">
      <div class="card-body">
        <dl class="facts mb-0">
          <dt>{say("provider")}</dt>
          <dd>{sourceName(context, event.provider)}</dd>
          <dt>{say("says")}</dt>
          <dd>{factName(context, event.fact)}</dd>
          <dt>{say("amount")}</dt>
          <dd>
            <strong>{minorText(context, event.amountMinor, event.currency)}</strong>
          </dd>
          {reasonFor(context, event) === "" ? null : (
            <>
              <dt>{say("why")}</dt>
              <dd class="break-anywhere">{reasonFor(context, event)}</dd>
            </>
          )}
          <dt>{say("payment")}</dt>
          <dd>
            <Code text={event.payment} />
            {page === undefined
              ? null
              : (
                <a class="ms-2 text-decoration-underline" href={page} target="_blank" rel="noreferrer">
                  {say("provider.page")}
                </a>
              )}
          </dd>
          <dt>{say("reference")}</dt>
          <dd>
            <Code text={event.reference} />
          </dd>
          <dt>{say("order")}</dt>
          <dd>
            {order === undefined
              ? "–"
              : <a href={`/admin/orders/${order.id}`}>{say("order.link", { id: order.id.toString() })}</a>}
          </dd>
          <dt>{say("buyer")}</dt>
          <dd>
            {buyer === undefined
              ? "–"
              : <a class="break-anywhere" href={`/admin/users/${buyer.id}`}>{buyer.email}</a>}
          </dd>
          <dt>{say("kind")}</dt>
          <dd>
            <Code text={event.kind} />
          </dd>
          <dt>{say("received")}</dt>
          <dd>
            <Moment context={context} at={event.receivedAt} />
          </dd>
          <dt>{say("deliveries")}</dt>
          <dd>{context.formats.count(event.deliveries)}</dd>
        </dl>
      </div>
    </Card>
  )
}

const Evidence = ({ details: { evidence }, context }: EventProps) =>
  Object.keys(evidence).length === 0 ? null : (
    <Card class="mt-3">
      <details class="card-body">
        <summary>{sayOf(context, "payments")("evidence")}</summary>
        <pre class="mt-2 mb-0" tabindex={0}>{JSON.stringify(evidence, undefined, 2)}</pre>
      </details>
    </Card>
  )

const Resolved = ({ details: { event }, context }: EventProps) => {
  const say = sayOf(context, "payments")
  if (event.resolution === null || event.resolvedAt === null) return null
  const what = resolutionName(context, event.resolution)
  return (
    <Card title={say("resolved")}>
      <div class="card-body">
        <dl class="facts mb-0">
          <dt>{say("outcome")}</dt>
          <dd class="break-anywhere">{say("resolved.by", { what, who: event.resolvedBy ?? "" })}</dd>
          {event.creditedMicros === null ? null : (
            <>
              <dt>{say("credited")}</dt>
              <dd>
                {context.formats.usd(event.creditedMicros)},{" "}
                <a href={`/admin/users/${event.creditedUserId}`}>
                  #{event.creditedUserId?.toString()}
                </a>
              </dd>
            </>
          )}
          <dt>{say("note")}</dt>
          <dd class="break-anywhere">{event.resolutionNote}</dd>
          <dt>{say("resolved.at")}</dt>
          <dd>
            <Moment context={context} at={event.resolvedAt} />
          </dd>
        </dl>
      </div>
    </Card>
  )
}

const Actions = ({ details: { event, order }, context }: EventProps) => {
  const say = sayOf(context, "payments")
  if (!event.isOpen) return null
  const path = `/admin/payments/${event.id}`
  const isOfOrder = isCreditable(event.fact) && event.payment !== null && order !== undefined
  const pays = isOfOrder && !isFulfilled(order.state) ? order : undefined
  const action = (to: ResolveAction, label: string, text: string, primary: boolean) => (
    <div key={to} class="list-group-item">
      <div class="row g-2 align-items-center">
        <div class="col-12 col-md">
          <div>{text}</div>
        </div>
        <div class="col-12 col-md-auto">
          <a class={`btn w-100 ${primary ? "btn-primary" : ""}`} href={`${path}/${to}`}>{label}</a>
        </div>
      </div>
    </div>
  )
  return (
    <Card title={say("actions")}>
      <div class="list-group list-group-flush">
        {pays === undefined
          ? null
          : action("accept", say("accept"), say("accept.text", { id: pays.id.toString() }), true)}
        {pays?.kind === "topup"
          ? action("accept_part", say("accept_part"), say("accept_part.text", { id: pays.id.toString() }), false)
          : null}
        {isCreditable(event.fact) && event.payment !== null
          ? action("credit", say("credit"), say("credit.text"), pays === undefined)
          : null}
        {isRefundable(event)
          ? action(
            "refund",
            say("refund"),
            say("refund.text", { provider: sourceName(context, event.provider) }),
            false
          )
          : null}
        {isAboutMoneyIn(event.fact) && event.payment !== null
          ? action("refunded", say("refunded"), say("refunded.text"), false)
          : null}
        {action("dismiss", say("dismiss"), say("dismiss.text"), false)}
      </div>
      {event.fact === "Dispute" ? <div class="card-footer text-secondary">{say("dispute")}</div> : null}
      {isCreditable(event.fact) && event.payment !== null
        ? <div class="card-footer text-secondary">{say("pay")}</div>
        : null}
    </Card>
  )
}

export const PaymentView = (props: EventProps) => {
  const { details: { event }, context } = props
  const say = sayOf(context, "payments")
  return (
    <>
      <PageHeading
        title={say("event.title", { id: event.id.toString() })}
        lead={<OutcomeBadge context={context} event={event} />}
      />
      {context.query.get("done") === "resolved" ? <Notice kind="success">{say("done")}</Notice> : null}
      {context.query.get("done") === "unanswered" ? <Notice kind="warning">{say("refund.unanswered")}</Notice> : null}
      <Facts {...props} />
      <Actions {...props} />
      <Resolved {...props} />
      <Evidence {...props} />
    </>
  )
}

const CreditFields = ({ details, state, context }: EventProps & { readonly state: FormState }) => {
  const say = sayOf(context, "payments")
  const { buyer, suggestedMicros } = details
  return (
    <>
      <Inputs
        state={state}
        inputs={[
          {
            name: "user",
            label: say("user"),
            hint: say("user.hint"),
            initial: buyer?.email ?? "",
            maxlength: 254,
            required: true
          },
          {
            is: "usd",
            name: "amount",
            label: say("usd"),
            hint: suggestedMicros === undefined
              ? say("usd.unknown")
              : say("usd.hint", { amount: context.formats.usd(suggestedMicros) }),
            initial: suggestedMicros === undefined ? "" : formatDecimal(suggestedMicros, MICROS_SCALE, 2),
            required: true
          }
        ]}
      />
    </>
  )
}

export const ResolveView = (
  { action, formKey, ...props }: EventProps & {
    readonly state: FormState
    readonly action: ResolveAction
    /** Sent twice, the form is one refund. */
    readonly formKey: string
  }
) => {
  const { details: { event }, state, context } = props
  const say = sayOf(context, "payments")
  const order = props.details.order?.id.toString() ?? ""
  const texts = {
    accept: { title: say("accept"), text: say("accept.text", { id: order }), submit: say("accept") },
    accept_part: {
      title: say("accept_part"),
      text: say("accept_part.text", { id: order }),
      submit: say("accept_part")
    },
    credit: { title: say("credit"), text: say("credit.text"), submit: say("submit.credit") },
    refund: {
      title: say("refund"),
      text: say("refund.text", { provider: sourceName(context, event.provider) }),
      submit: say("refund")
    },
    refunded: { title: say("refunded"), text: say("refunded.text"), submit: say("submit.refunded") },
    dismiss: { title: say("dismiss"), text: say("dismiss.text"), submit: say("dismiss") }
  }[action]
  const path = `/admin/payments/${event.id}`
  return (
    <>
      <PageHeading
        title={texts.title}
        lead={`${say("event.title", { id: event.id.toString() })} · ${
          minorText(context, event.amountMinor, event.currency)
        }`}
      />
      <Card>
        <PostForm context={context} action={`${path}/${action}`} class="card-body">
          <FormAlert state={state} />
          <p>{texts.text}</p>
          {action === "refund" ? <input type="hidden" name="key" value={formKey} /> : null}
          {action === "credit" ? <CreditFields {...props} /> : null}
          <Inputs state={state} inputs={[noteInput(context)]} />
          <div class="btn-list mt-4">
            <button type="submit" class="btn btn-primary">{texts.submit}</button>
            <a class="btn btn-ghost-secondary" href={path}>{say("cancel")}</a>
          </div>
        </PostForm>
      </Card>
    </>
  )
}
