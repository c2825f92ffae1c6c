/**
 * `/admin/payments`: what providers said, and what root makes of payments that fit nothing.
 */
import { Effect } from "effect"
import { HttpRouter } from "effect/http"
import { EventId } from "../../../../domain/Ids.ts"
import { MICROS_SCALE, parseDecimal } from "../../../../domain/Money.ts"
import { EventResolutions, type Resolve } from "../../../../events/EventResolutions.ts"
import { PaymentEvents, resolutions } from "../../../../events/PaymentEvents.ts"
import { isCounted } from "../../../../orders/Clawback.ts"
import type { EventClosed, ResolutionRefused } from "../../../../orders/OrderError.ts"
import { isUnanswered } from "../../../../orders/Refunds.ts"
import { emptyForm, PageNotFound, type Problems, redirect, refuse } from "../../Answer.ts"
import { adminFormPage, adminPage, routes } from "../../ConsoleRoute.ts"
import { readListed } from "../../kit/List.tsx"
import { orNotFound } from "../../NotThere.ts"
import { actorOf, type PageContext, sayOf, type UserContext } from "../../PageContext.ts"
import { pageForm } from "../../PageForm.ts"
import { oneOf, pathId } from "../../Params.ts"
import { resolutionName, usedText } from "./EventParts.tsx"
import { actionPage, type PaymentAction, paymentActions } from "./PaymentActions.ts"
import { readPaymentsQuery } from "./PaymentsQuery.ts"
import { paymentsPage } from "./PaymentsView.tsx"
import { paymentPage } from "./PaymentView.tsx"

const PAGE_SIZE = 50

const list = Effect.fnUntraced(function*(context: UserContext) {
  const query = readPaymentsQuery(context)
  const events = yield* PaymentEvents
  const found = yield* readListed(context, { size: PAGE_SIZE }, (range) => events.list(query.filter, range))
  return paymentsPage(context, query, found, yield* events.openCount)
})

/** The event of the `:id` in the route of the request at hand. */
const theEvent = Effect.gen(function*() {
  return yield* (yield* PaymentEvents).find(yield* pathId("id", EventId))
})

const show = (context: UserContext) =>
  Effect.map(theEvent, (details) => paymentPage({ context, details })).pipe(orNotFound)

const theAction = Effect.flatMap(HttpRouter.params, ({ action }) => {
  const known = oneOf(paymentActions, action)
  return known === undefined ? new PageNotFound() : Effect.succeed(known)
})

const askedBy = (action: Exclude<PaymentAction, "refund">, fields: URLSearchParams): Resolve => {
  const note = fields.get("note") ?? ""
  switch (action) {
    case "accept":
    case "accept_part":
      return { resolution: "accepted", note, inProportion: action === "accept_part" }
    case "credit": {
      const amount = (fields.get("amount") ?? "").trim().replace(/^\$/, "")
      const amountMicros = parseDecimal(amount, MICROS_SCALE) ?? 0n
      return { resolution: "credited", note, user: fields.get("user") ?? "", amountMicros }
    }
    case "refunded":
      return { resolution: "refunded", note }
    case "dismiss":
      return { resolution: "dismissed", note }
  }
}

const refusal = (context: PageContext, { reason }: ResolutionRefused) => {
  const say = sayOf(context, "payments")
  const problems: Partial<Record<typeof reason, Problems>> = {
    note: { note: say("note.problem") },
    amount: { amount: say("usd.problem") },
    user: { user: say("user.problem") }
  }
  return refuse(problems[reason] ?? { form: say("unfit") })
}

const closed = (context: PageContext, { by, resolution }: EventClosed) => {
  const say = sayOf(context, "payments")
  const known = oneOf(resolutions, resolution)
  const who = by ?? ""
  const form = known === undefined ? say("closed.none") : say("closed", { who, what: resolutionName(context, known) })
  return refuse({ form }, 409)
}

const resolve = pageForm({
  show: Effect.fnUntraced(function*(context, state) {
    const action = yield* theAction
    const details = yield* theEvent
    return details.event.isOpen || state !== emptyForm
      ? actionPage(context, state, details, action)
      : redirect(`/admin/payments/${details.event.id}`)
  }),
  run: (context, fields) => {
    const say = sayOf(context, "payments")
    return Effect.gen(function*() {
      const id = yield* pathId("id", EventId)
      const action = yield* theAction
      const resolutions = yield* EventResolutions
      if (action !== "refund") {
        yield* resolutions.resolve(actorOf(context), id, askedBy(action, fields))
        return redirect(`/admin/payments/${id}?done=resolved`)
      }
      const asked = { note: fields.get("note") ?? "", key: fields.get("key") ?? "" }
      const refund = yield* resolutions.refund(actorOf(context), id, asked)
      if (!isCounted(refund.state)) return yield* refuse({ form: say("refund.failed", { why: refund.problem }) }, 409)
      return redirect(`/admin/payments/${id}?done=${isUnanswered(refund) ? "unanswered" : "resolved"}`)
    }).pipe(
      Effect.catchTags({
        EventClosed: (error) => closed(context, error),
        PaymentUsed: (error) => refuse({ form: usedText(context, error) }, 409),
        RefundNotPossible: () => refuse({ form: say("refund.impossible") }, 409),
        RefundReused: () => refuse({ form: say("refund.reused") }, 409),
        ResolutionRefused: (error) => refusal(context, error)
      })
    )
  }
})

export const PaymentsRoutes = routes(
  adminPage("/admin/payments", list),
  adminPage("/admin/payments/:id", show),
  adminFormPage("/admin/payments/:id/:action", resolve)
)
