/**
 * `/admin/payments/{id}`: one payment event. What is known of it, what can be done about it, and what has been done.
 */
import { Effect } from "effect"
import { isPayment, possibleActions } from "../../../../events/EventActions.ts"
import type { EventDetails } from "../../../../events/PaymentEvents.ts"
import { orNotFound } from "../../Answer.ts"
import { adminPage, routes } from "../../ConsoleRoute.ts"
import { headedPage } from "../../kit/Forms.tsx"
import { Card, FactsCard, Moment } from "../../kit/Parts.tsx"
import { sayOf, type UserContext } from "../../PageContext.ts"
import { factName, minorText, OutcomeBadge, reasonFor, resolutionName, sourceName } from "./EventParts.tsx"
import { actionTexts, PaymentActionRoutes, theEvent } from "./PaymentActions.ts"

interface EventProps {
  readonly context: UserContext
  readonly details: EventDetails
}

const Code = ({ text }: { readonly text: string | null }) =>
  text === null ? <>–</> : <code class="break-anywhere">{text}</code>

const Link = (
  { id, path, text }: { readonly path: string; readonly id: bigint | undefined; readonly text: string | undefined }
) => id === undefined ? <>–</> : <a class="break-anywhere" href={`${path}/${id}`}>{text}</a>

/** The payment, and where root sees it at Stripe. */
const Payment = ({ details: { event: { payment, provider } }, context }: EventProps) => (
  <>
    <Code text={payment} />
    {provider === "stripe" && payment !== null && /^pi_\w+$/.test(payment)
      ? (
        <a
          class="ms-2 text-decoration-underline"
          href={`https://dashboard.stripe.com/payments/${payment}`}
          target="_blank"
          rel="noreferrer"
        >
          {sayOf(context, "payments")("provider.page")}
        </a>
      )
      : null}
  </>
)

const Known = (props: EventProps) => {
  const { details: { buyer, event, order }, context } = props
  const say = sayOf(context, "payments")
  const reason = reasonFor(context, event)
  return (
    <FactsCard
      facts={[
        [say("provider"), sourceName(context, event.provider)],
        [say("says"), factName(context, event.fact)],
        [say("amount"), <strong>{minorText(context, event.amountMinor, event.currency)}</strong>],
        reason === "" ? null : [say("why"), <span class="break-anywhere">{reason}</span>],
        [say("payment"), <Payment {...props} />],
        [say("reference"), <Code text={event.reference} />],
        [say("order"), <Link path="/admin/orders" id={order?.id} text={say("orderNumber", { id: `${order?.id}` })} />],
        [say("buyer"), <Link path="/admin/users" id={buyer?.id} text={buyer?.email} />],
        [say("kind"), <Code text={event.kind} />],
        [say("received"), <Moment context={context} at={event.receivedAt} />],
        [say("deliveries"), context.formats.count(event.deliveries)]
      ]}
    />
  )
}

const Resolved = ({ details: { event }, context }: EventProps) => {
  const say = sayOf(context, "payments")
  if (event.resolution === null || event.resolvedAt === null) return null
  const by = { what: resolutionName(context, event.resolution), who: event.resolvedBy ?? "" }
  const { creditedMicros, creditedUserId } = event
  return (
    <FactsCard
      title={say("resolved")}
      facts={[
        [say("outcome"), <span class="break-anywhere">{say("resolved.by", by)}</span>],
        creditedMicros === null ? null : [
          say("credited"),
          <>
            {context.formats.usd(creditedMicros)},{" "}
            <a href={`/admin/users/${creditedUserId}`}>#{creditedUserId?.toString()}</a>
          </>
        ],
        [say("note"), <span class="break-anywhere">{event.resolutionNote}</span>],
        [say("resolved.at"), <Moment context={context} at={event.resolvedAt} />]
      ]}
    />
  )
}

const Actions = ({ details, context }: EventProps) => {
  const say = sayOf(context, "payments")
  const { event } = details
  const actions = possibleActions(details)
  if (actions.length === 0) return null
  return (
    <Card title={say("actions")} class="mb-3">
      <div class="list-group list-group-flush">
        {actions.map((action, at) => {
          const { text, title } = actionTexts(context, details, action)
          const isFirst = at === 0 && isPayment(event)
          return (
            <div key={action} class="list-group-item">
              <div class="row g-2 align-items-center">
                <div class="col-12 col-md">{text}</div>
                <div class="col-12 col-md-auto">
                  <a class={`btn w-100 ${isFirst ? "btn-primary" : ""}`} href={`/admin/payments/${event.id}/${action}`}>
                    {title}
                  </a>
                </div>
              </div>
            </div>
          )
        })}
      </div>
      {event.fact === "Dispute" ? <div class="card-footer text-secondary">{say("dispute")}</div> : null}
      {isPayment(event) ? <div class="card-footer text-secondary">{say("pay")}</div> : null}
    </Card>
  )
}

const Evidence = ({ details: { evidence }, context }: EventProps) =>
  Object.keys(evidence).length === 0 ? null : (
    <Card>
      <details class="card-body">
        <summary>{sayOf(context, "payments")("evidence")}</summary>
        <pre class="mt-2 mb-0" tabindex={0}>{JSON.stringify(evidence, undefined, 2)}</pre>
      </details>
    </Card>
  )

const show = Effect.fnUntraced(function*(context: UserContext) {
  const say = sayOf(context, "payments")
  const props = { context, details: yield* theEvent }
  const { event } = props.details
  return headedPage({
    context,
    title: say("event.title", { id: event.id.toString() }),
    lead: <OutcomeBadge context={context} event={event} />,
    done: { resolved: say("done"), unanswered: ["warning", say("refund.unanswered")] },
    children: (
      <>
        <Known {...props} />
        <Actions {...props} />
        <Resolved {...props} />
        <Evidence {...props} />
      </>
    )
  })
}, orNotFound)

export const PaymentRoutes = routes(adminPage("/admin/payments/:id", show), PaymentActionRoutes)
