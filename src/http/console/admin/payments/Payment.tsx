/**
 * `/admin/payments/{id}`: one payment event. What came in and what was asked for, what can be done about it and would come of it, what has
 * been done, and what else is on record.
 */
import { Effect } from "effect"
import { isPayment, possibleActions } from "../../../../events/EventActions.ts"
import { isAboutMoneyIn } from "../../../../events/EventResolutions.ts"
import { askedOf } from "../../../../orders/DisputeFold.ts"
import { isFulfilled } from "../../../../orders/Order.ts"
import { orNotFound } from "../../Answer.ts"
import { adminPage, routes } from "../../ConsoleRoute.ts"
import { headedPage } from "../../kit/Forms.tsx"
import { AdminLink, Card, FactsCard, Moment } from "../../kit/Parts.tsx"
import { sayOf, type UserContext } from "../../PageContext.ts"
import { effectText } from "./EffectText.ts"
import { OutcomeBadge, resolutionName } from "./EventParts.tsx"
import { actionTexts, PaymentActionRoutes, theReview } from "./PaymentActions.ts"
import { AskedFor, CameIn, Glance, Record, type ReviewProps } from "./ReviewParts.tsx"

const Resolved = ({ review: { event }, context }: ReviewProps) => {
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

/** A refund in time avoids the dispute that a bank warns of. */
const RefundOrder = ({ review: { asked, event }, context }: ReviewProps) =>
  event.fact !== "FraudWarning" || asked === undefined ? null : (
    <div class="card-footer">
      <AdminLink context={context} class="btn" href={`/admin/orders/${asked.order.id}/refund`}>
        {sayOf(context, "payments")("warning.refund", { id: asked.order.id.toString() })}
      </AdminLink>
    </div>
  )

/** What is to be done elsewhere: at the provider, or at the order. */
const advice = ({ asked, event }: ReviewProps["review"], context: ReviewProps["context"]): ReadonlyArray<string> => {
  const say = sayOf(context, "payments")
  switch (event.reason?.code) {
    case "dispute_open":
    case "dispute_open_due":
      return [say("dispute")]
    case "inquiry":
    case "inquiry_due":
      return askedOf(event.reason.values["status"] ?? "") === "answer" ? [say("inquiry")] : []
    default:
  }
  if (isPayment(event)) return asked === undefined ? [say("pay")] : []
  // Nobody can be credited for what says no amount or no payment; its order can be completed by hand.
  return isAboutMoneyIn(event.fact) && asked !== undefined && !isFulfilled(asked.order.state)
    ? [say("pay.order", { id: asked.order.id.toString() })]
    : []
}

const Actions = ({ review, context }: ReviewProps) => {
  const say = sayOf(context, "payments")
  const { event } = review
  const actions = possibleActions(review)
  if (actions.length === 0) return null
  return (
    <Card title={say("actions")} class="mb-3">
      <div class="list-group list-group-flush">
        {actions.map((action, at) => {
          const { text, title } = actionTexts(context, review, action)
          const isFirst = at === 0 && isPayment(event)
          return (
            <div key={action} class="list-group-item">
              <div class="row g-2 align-items-center">
                <div class="col-12 col-md">
                  <div>{text}</div>
                  <div class="text-secondary break-anywhere">{effectText(context, review, action)}</div>
                </div>
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
      {advice(review, context).map((text) => <div key={text} class="card-footer text-secondary">{text}</div>)}
      <RefundOrder review={review} context={context} />
    </Card>
  )
}

const Evidence = ({ review: { evidence }, context }: ReviewProps) =>
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
  const props = { context, review: yield* theReview }
  const { event } = props.review
  return headedPage({
    context,
    title: say("event.title", { id: event.id.toString() }),
    lead: <OutcomeBadge context={context} event={event} />,
    done: { resolved: say("done"), unanswered: ["warning", say("refund.unanswered")] },
    children: (
      <>
        <Glance {...props} />
        <Actions {...props} />
        <Resolved {...props} />
        <div class="row">
          <div class="col-lg-6">
            <CameIn {...props} />
          </div>
          <div class="col-lg-6">
            <AskedFor {...props} />
          </div>
        </div>
        <Record {...props} />
        <Evidence {...props} />
      </>
    )
  })
}, orNotFound)

export const PaymentRoutes = routes(adminPage("/admin/payments/:id", show), PaymentActionRoutes)
