/**
 * `/admin/payments`: what providers said, and what root makes of payments that fit nothing.
 */
import { Effect, Layer } from "effect"
import { HttpRouter } from "effect/http"
import { EventId } from "../../../../domain/Ids.ts"
import { MICROS_SCALE, parseDecimal } from "../../../../domain/Money.ts"
import { EventResolutions, type Resolve } from "../../../../events/EventResolutions.ts"
import { PaymentEvents, resolutions } from "../../../../events/PaymentEvents.ts"
import { isCounted } from "../../../../orders/Clawback.ts"
import type { EventClosed, PaymentUsed, ResolutionRefused } from "../../../../orders/OrderError.ts"
import { isUnanswered, type Refund } from "../../../../orders/Refunds.ts"
import { emptyForm, type FormRefused, type FormState, page, PageNotFound, redirect, refuse } from "../../Answer.ts"
import { adminForm, adminPage } from "../../ConsoleRoute.ts"
import { keyOf } from "../../FormKey.ts"
import { actorOf, sayOf, type UserContext } from "../../PageContext.ts"
import { idOf, pathId } from "../../PathId.ts"
import { oneOf } from "../orders/OrdersQuery.ts"
import { resolutionName } from "./EventParts.tsx"
import { readPaymentsQuery } from "./PaymentsQuery.ts"
import { PaymentsView } from "./PaymentsView.tsx"
import { PaymentView, type ResolveAction, resolveActions, ResolveView } from "./PaymentView.tsx"

const PAGE_SIZE = 50

const list = Effect.fnUntraced(function*(context: UserContext) {
  const query = readPaymentsQuery(context)
  const events = yield* PaymentEvents
  const range = { limit: PAGE_SIZE + 1, before: idOf(context.query.get("before")) }
  const found = yield* events.list(query.filter, range)
  const openCount = yield* events.openCount
  return page(
    sayOf(context, "payments")("title"),
    PaymentsView({ context, query, events: found.slice(0, PAGE_SIZE), hasOlder: found.length > PAGE_SIZE, openCount })
  )
})

/** The event of the `:id` in the route of the request at hand. */
const theEvent = Effect.gen(function*() {
  return yield* (yield* PaymentEvents).find(yield* pathId("id", EventId))
}).pipe(Effect.catchTag("EventNotFound", () => Effect.fail(new PageNotFound())))

const show = (context: UserContext) =>
  Effect.map(theEvent, (details) =>
    page(
      sayOf(context, "payments")("event.title", { id: details.event.id.toString() }),
      PaymentView({ context, details })
    ))

const theAction = Effect.flatMap(HttpRouter.params, ({ action }) => {
  const known = oneOf(resolveActions, action ?? null)
  return known === undefined ? Effect.fail(new PageNotFound()) : Effect.succeed(known)
})

const showResolve = (context: UserContext, state: FormState) =>
  Effect.gen(function*() {
    const action = yield* theAction
    const details = yield* theEvent
    if (!details.event.isOpen && state === emptyForm) return redirect(`/admin/payments/${details.event.id}`)
    return page(
      sayOf(context, "payments")("event.title", { id: details.event.id.toString() }),
      ResolveView({ context, details, state, action, formKey: keyOf(state) })
    )
  })

const askedBy = (action: ResolveAction, fields: URLSearchParams): Resolve => {
  const note = fields.get("note") ?? ""
  if (action === "accept" || action === "accept_part") {
    return { resolution: "accepted", note, inProportion: action === "accept_part" }
  }
  if (action !== "credit") return { resolution: action === "refunded" ? "refunded" : "dismissed", note }
  const amount = (fields.get("amount") ?? "").trim().replace(/^\$/, "")
  return {
    resolution: "credited",
    note,
    user: fields.get("user") ?? "",
    amountMicros: parseDecimal(amount, MICROS_SCALE) ?? 0n
  }
}

const refusal = (context: UserContext, { reason }: ResolutionRefused): FormRefused => {
  const say = sayOf(context, "payments")
  switch (reason) {
    case "note":
      return refuse({ note: say("note.problem") })
    case "amount":
      return refuse({ amount: say("usd.problem") })
    case "user":
      return refuse({ user: say("user.problem") })
    default:
      return refuse({ form: say("unfit") })
  }
}

const closed = (context: UserContext, { by, resolution }: EventClosed): FormRefused => {
  const say = sayOf(context, "payments")
  const known = oneOf(resolutions, resolution)
  return refuse({
    form: known === undefined
      ? say("closed.none")
      : say("closed", { who: by ?? "", what: resolutionName(context, known) })
  }, 409)
}

const used = (context: UserContext, { why }: PaymentUsed): FormRefused => {
  const say = sayOf(context, "payments")
  const texts = {
    order: say("used.order"),
    credited: say("used.credited"),
    refunded: say("markedRefunded")
  }
  return refuse({ form: texts[why] }, 409)
}

/** What became of a refund that was asked for just now. */
const refunded = (context: UserContext, eventId: EventId, refund: Refund) =>
  isCounted(refund.state)
    ? Effect.succeed(redirect(`/admin/payments/${eventId}?done=${isUnanswered(refund) ? "unanswered" : "resolved"}`))
    : Effect.fail(refuse({ form: sayOf(context, "payments")("refund.failed", { why: refund.problem }) }, 409))

const resolveForm = adminForm("/admin/payments/:id/:action", {
  run: (context, fields) =>
    Effect.gen(function*() {
      const id = yield* pathId("id", EventId)
      const action = yield* theAction
      const resolutions = yield* EventResolutions
      if (action === "refund") {
        const asked = { note: fields.get("note") ?? "", key: fields.get("key") ?? "" }
        return yield* refunded(context, id, yield* resolutions.refund(actorOf(context), id, asked))
      }
      yield* resolutions.resolve(actorOf(context), id, askedBy(action, fields))
      return redirect(`/admin/payments/${id}?done=resolved`)
    }).pipe(
      Effect.catchTags({
        EventNotFound: () => Effect.fail(new PageNotFound()),
        EventClosed: (error) => Effect.fail(closed(context, error)),
        PaymentUsed: (error) => Effect.fail(used(context, error)),
        RefundNotPossible: () => Effect.fail(refuse({ form: sayOf(context, "payments")("refund.impossible") }, 409)),
        RefundReused: () => Effect.fail(refuse({ form: sayOf(context, "payments")("refund.reused") }, 409)),
        ResolutionRefused: (error) => Effect.fail(refusal(context, error))
      })
    ),
  again: (context, values, problems) => showResolve(context, { values, problems })
})

export const PaymentsRoutes = Layer.mergeAll(
  adminPage("/admin/payments", list),
  adminPage("/admin/payments/:id", show),
  adminPage("/admin/payments/:id/:action", (context) => showResolve(context, emptyForm)),
  resolveForm
)
