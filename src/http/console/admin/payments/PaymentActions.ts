/**
 * What administrators can do about a payment event: what each of it is called, what follows from it, and what its form asks for.
 */
import { Effect } from "effect"
import { HttpRouter } from "effect/http"
import { EventId } from "../../../../domain/Ids.ts"
import { formatUsd } from "../../../../domain/Money.ts"
import { type EventAction, eventActions, possibleActions } from "../../../../events/EventActions.ts"
import { EventResolutions, type Resolve } from "../../../../events/EventResolutions.ts"
import { type EventDetails, resolutions } from "../../../../events/PaymentEvents.ts"
import { PaymentReviews } from "../../../../events/PaymentReviews.ts"
import { isCounted } from "../../../../orders/Clawback.ts"
import type { EventClosed } from "../../../../orders/OrderError.ts"
import { isUnanswered } from "../../../../orders/Refunds.ts"
import { PageNotFound, refuse } from "../../Answer.ts"
import { type Input, noteInput } from "../../kit/Inputs.tsx"
import { actorOf, type PageContext, sayOf, type UserContext } from "../../PageContext.ts"
import { oneOf, pathId } from "../../Params.ts"
import { adminAction, refuseFor, usdIn } from "../AdminAction.ts"
import { effectText, sentences } from "./EffectText.ts"
import { minorText, resolutionName, sourceName, usedText } from "./EventParts.tsx"

/** What an action is called, and what follows from it. */
export const actionTexts = (
  context: PageContext,
  { event, order }: EventDetails,
  action: EventAction
): { readonly title: string; readonly text: string } => {
  const say = sayOf(context, "payments")
  const id = order?.id.toString() ?? ""
  return {
    accept: { title: say("accept"), text: say("accept.text", { id }) },
    accept_part: { title: say("accept_part"), text: say("accept_part.text", { id }) },
    credit: { title: say("credit"), text: say("credit.text") },
    refund: {
      title: say("refund"),
      text: say("refund.text", { provider: sourceName(context, event.provider) })
    },
    refunded: { title: say("refunded"), text: say("refunded.text") },
    dismiss: { title: say("dismiss"), text: say("dismiss.text") }
  }[action]
}

/** Who gets the money, and how much of it. */
const creditInputs = (context: PageContext, { buyer, suggestedMicros }: EventDetails): ReadonlyArray<Input> => {
  const say = sayOf(context, "payments")
  const [hint, initial] = suggestedMicros === undefined
    ? [say("usd.unknown"), ""]
    : [say("usd.hint", { amount: context.formats.usd(suggestedMicros) }), formatUsd(suggestedMicros)]
  return [
    {
      name: "user",
      label: say("user"),
      hint: say("user.hint"),
      initial: buyer?.email ?? "",
      maxlength: 254,
      required: true
    },
    { is: "usd", name: "amount", label: say("usd"), hint, initial, required: true }
  ]
}

const askedBy = (action: Exclude<EventAction, "refund">, fields: URLSearchParams): Resolve => {
  const note = fields.get("note") ?? ""
  switch (action) {
    case "accept":
    case "accept_part":
      return { resolution: "accepted", note, inProportion: action === "accept_part" }
    case "credit":
      return { resolution: "credited", note, user: fields.get("user") ?? "", amountMicros: usdIn(fields) }
    case "refunded":
      return { resolution: "refunded", note }
    case "dismiss":
      return { resolution: "dismissed", note }
  }
}

const closed = (context: PageContext, { by, resolution }: EventClosed) => {
  const say = sayOf(context, "payments")
  const known = oneOf(resolutions, resolution)
  const who = by ?? ""
  const form = known === undefined ? say("closed.none") : say("closed", { who, what: resolutionName(context, known) })
  return refuse({ form }, 409)
}

/** The event of the `:id` in the route of the request at hand, with all that decides on it. */
export const theReview = Effect.gen(function*() {
  return yield* (yield* PaymentReviews).find(yield* pathId("id", EventId))
})

const theAction = Effect.flatMap(HttpRouter.params, ({ action }) => {
  const known = oneOf(eventActions, action)
  return known === undefined ? new PageNotFound() : Effect.succeed(known)
})

/** Carries it out; the answer says whether the provider has answered. */
const carryOut = Effect.fnUntraced(
  function*(context: UserContext, fields: URLSearchParams, { id }: EventDetails["event"], action: EventAction) {
    const events = yield* EventResolutions
    if (action !== "refund") {
      yield* events.resolve(actorOf(context), id, askedBy(action, fields))
      return "resolved"
    }
    const asked = { note: fields.get("note") ?? "", key: fields.get("key") ?? "" }
    const refund = yield* events.refund(actorOf(context), id, asked)
    const failed = () => sayOf(context, "payments")("refund.failed", { why: refund.problem })
    if (!isCounted(refund.state)) return yield* refuse({ form: failed() }, 409)
    return isUnanswered(refund) ? "unanswered" : "resolved"
  }
)

export const PaymentActionRoutes = adminAction("/admin/payments/:id/:action", {
  texts: "payments",
  find: Effect.gen(function*() {
    const action = yield* theAction
    return { action, details: yield* theReview }
  }),
  hrefOf: ({ details: { event } }) => `/admin/payments/${event.id}`,
  isPossible: ({ action, details }) => possibleActions(details).includes(action),
  ask: ({ context, say, subject: { action, details } }) => {
    const { event } = details
    const texts = actionTexts(context, details, action)
    const title = say("event.title", { id: event.id.toString() })
    return {
      title: texts.title,
      text: sentences(context, [texts.text, effectText(context, details, action)]),
      lead: `${title} · ${minorText(context, event.amountMinor, event.currency)}`,
      submit: texts.title,
      once: action === "refund",
      inputs: [...action === "credit" ? creditInputs(context, details) : [], noteInput(context)]
    }
  },
  run: ({ context, fields, say, subject: { action, details } }) =>
    carryOut(context, fields, details.event, action).pipe(
      Effect.catchTags({
        EventClosed: (error) => closed(context, error),
        PaymentUsed: (error) => refuse({ form: usedText(context, error) }, 409),
        RefundNotPossible: () => refuse({ form: say("refund.impossible") }, 409),
        RefundReused: () => refuse({ form: say("refund.reused") }, 409),
        ResolutionRefused: ({ reason }) =>
          refuseFor(
            context,
            reason,
            { amount: { amount: say("usd.problem") }, user: { user: say("user.problem") } },
            { form: say("unfit") }
          )
      })
    )
})
