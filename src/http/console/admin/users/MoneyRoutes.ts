/**
 * What an administrator gives a user and takes: adjustments of the balance, debts waived, plans granted and ended. A form
 * carries the key of its change, made when it is shown: sent twice, it is done once.
 */
import { Effect, Layer } from "effect"
import { AccountOverview } from "../../../../accounts/AccountOverview.ts"
import { type AdjustmentRefused, Adjustments } from "../../../../accounts/Adjustments.ts"
import { DebtWaivers, type WaiverRefused } from "../../../../accounts/DebtWaivers.ts"
import { SubscriptionId, UserId } from "../../../../domain/Ids.ts"
import { formatUsd, MICROS_SCALE, parseDecimal } from "../../../../domain/Money.ts"
import { type GrantRefused, Grants } from "../../../../subscriptions/Grants.ts"
import { SubscriptionList } from "../../../../subscriptions/SubscriptionList.ts"
import {
  emptyForm,
  type FormRefused,
  type FormState,
  page,
  PageNotFound,
  type Problems,
  redirect,
  refuse
} from "../../Answer.ts"
import { adminForm, adminPage } from "../../ConsoleRoute.ts"
import { keyOf } from "../../FormKey.ts"
import { actorOf, sayOf, type UserContext } from "../../PageContext.ts"
import { pathId } from "../../PathId.ts"
import { theUser } from "./TheUser.ts"
import { AdjustView, EndView, GrantView, WaiveView } from "./UserActionView.tsx"

const stateOf = (values: URLSearchParams, problems: Problems): FormState => ({ values, problems })

const showAdjust = (context: UserContext, state: FormState) =>
  Effect.gen(function*() {
    const user = yield* theUser
    const { usdMicros } = yield* (yield* AccountOverview).balance(user.id)
    const view = AdjustView({ context, user, state, usdMicros, formKey: keyOf(state) })
    return page(sayOf(context, "userAction")("adjust.title", { email: user.email }), view)
  })

const reused = (context: UserContext): FormRefused => refuse({ form: sayOf(context, "userAction")("reused") }, 409)

const refusedAdjustment = (context: UserContext, { reason }: AdjustmentRefused): FormRefused => {
  const say = sayOf(context, "userAction")
  if (reason === "amount") return refuse({ amount: say("amount.problem") })
  return refuse(reason === "note" ? { note: say("note.problem") } : { form: context.say("form.malformed") })
}

/** `$5` and `-$5` are amounts, too. */
const amountOf = (text: string): bigint => parseDecimal(text.trim().replace(/^([+-]?)\$/, "$1"), MICROS_SCALE) ?? 0n

const adjustForm = adminForm("/admin/users/:id/adjust", {
  run: (context, fields) =>
    Effect.gen(function*() {
      const userId = yield* pathId("id", UserId)
      yield* (yield* Adjustments).adjust(actorOf(context), {
        userId,
        amountMicros: amountOf(fields.get("amount") ?? ""),
        note: fields.get("note") ?? "",
        key: fields.get("key") ?? ""
      })
      return redirect(`/admin/users/${userId}?done=adjusted`)
    }).pipe(
      Effect.catchTags({
        AdjustmentRefused: (error) => Effect.fail(refusedAdjustment(context, error)),
        AdjustmentReused: () => Effect.fail(reused(context)),
        DebitRefused: ({ availableMicros }) => {
          const balance = context.formats.usd(availableMicros)
          return Effect.fail(refuse({ amount: sayOf(context, "userAction")("amount.short", { balance }) }))
        },
        UnknownAccount: () => Effect.fail(new PageNotFound())
      })
    ),
  again: (context, values, problems) => showAdjust(context, stateOf(values, problems))
})

/** The form begins with all that is owed. A user who owes nothing has no such page. */
const showWaive = (context: UserContext, state: FormState) =>
  Effect.gen(function*() {
    const user = yield* theUser
    const { owedMicros } = yield* (yield* AccountOverview).balance(user.id)
    if (owedMicros === 0n && state === emptyForm) return redirect(`/admin/users/${user.id}`)
    const filled = state === emptyForm
      ? stateOf(new URLSearchParams({ amount: formatUsd(owedMicros) }), {})
      : state
    const view = WaiveView({ context, user, state: filled, owedMicros, formKey: keyOf(state) })
    return page(sayOf(context, "userAction")("waive.title", { email: user.email }), view)
  })

const refusedWaiver = (context: UserContext, { reason }: WaiverRefused): FormRefused => {
  const say = sayOf(context, "userAction")
  if (reason === "amount") return refuse({ amount: say("waive.problem") })
  return refuse(reason === "note" ? { note: say("note.problem") } : { form: context.say("form.malformed") })
}

const waiveForm = adminForm("/admin/users/:id/waive", {
  run: (context, fields) =>
    Effect.gen(function*() {
      const userId = yield* pathId("id", UserId)
      yield* (yield* DebtWaivers).waive(actorOf(context), {
        userId,
        amountMicros: amountOf(fields.get("amount") ?? ""),
        note: fields.get("note") ?? "",
        key: fields.get("key") ?? ""
      })
      return redirect(`/admin/users/${userId}?done=waived`)
    }).pipe(
      Effect.catchTags({
        WaiverRefused: (error) => Effect.fail(refusedWaiver(context, error)),
        WaiverReused: () => Effect.fail(reused(context)),
        DebtExceeded: ({ owedMicros }) => {
          const owed = context.formats.usd(owedMicros)
          return Effect.fail(refuse({ amount: sayOf(context, "userAction")("waive.exceeded", { owed }) }))
        },
        UnknownAccount: () => Effect.fail(new PageNotFound())
      })
    ),
  again: (context, values, problems) => showWaive(context, stateOf(values, problems))
})

const showGrant = (context: UserContext, state: FormState) =>
  Effect.gen(function*() {
    const user = yield* theUser
    const plans = yield* (yield* Grants).plans
    const view = GrantView({ context, user, state, plans, formKey: keyOf(state) })
    return page(sayOf(context, "userAction")("grant.title", { email: user.email }), view)
  })

const refusedGrant = (context: UserContext, { reason }: GrantRefused): FormRefused | PageNotFound => {
  const say = sayOf(context, "userAction")
  if (reason === "user") return new PageNotFound()
  if (reason === "plan") return refuse({ plan: say("plan.problem") })
  return refuse(reason === "note" ? { note: say("note.problem") } : { form: context.say("form.malformed") })
}

const grantForm = adminForm("/admin/users/:id/grant", {
  run: (context, fields) =>
    Effect.gen(function*() {
      const userId = yield* pathId("id", UserId)
      yield* (yield* Grants).grant(actorOf(context), {
        userId,
        planCode: fields.get("plan") ?? "",
        note: fields.get("note") ?? "",
        key: fields.get("key") ?? ""
      })
      return redirect(`/admin/users/${userId}?done=granted`)
    }).pipe(
      Effect.catchTags({
        GrantRefused: (error) => Effect.fail(refusedGrant(context, error)),
        GrantReused: () => Effect.fail(reused(context))
      })
    ),
  again: (context, values, problems) => showGrant(context, stateOf(values, problems))
})

/** The subscription that the address names, if it is this user's and not over. */
const showEnd = (context: UserContext, state: FormState) =>
  Effect.gen(function*() {
    const user = yield* theUser
    const id = yield* pathId("subscription", SubscriptionId)
    const [subscription] = yield* (yield* SubscriptionList).page(user.id, { limit: 1, before: id + 1n })
    if (subscription === undefined || subscription.id !== id) return yield* new PageNotFound()
    if (subscription.state === "over" && state === emptyForm) return redirect(`/admin/users/${user.id}`)
    return page(sayOf(context, "userAction")("end.title"), EndView({ context, user, state, subscription }))
  })

const endForm = adminForm("/admin/users/:id/subscriptions/:subscription/end", {
  run: (context, fields) =>
    Effect.gen(function*() {
      const userId = yield* pathId("id", UserId)
      const subscriptionId = yield* pathId("subscription", SubscriptionId)
      const note = fields.get("note") ?? ""
      yield* (yield* Grants).end(actorOf(context), { userId, subscriptionId, note })
      return redirect(`/admin/users/${userId}?done=ended`)
    }).pipe(
      Effect.catchTags({
        GrantRefused: (error) => Effect.fail(refusedGrant(context, error)),
        SubscriptionNotFound: () => Effect.fail(new PageNotFound()),
        SubscriptionOver: () => Effect.fail(refuse({ form: sayOf(context, "userAction")("end.over") }, 409))
      })
    ),
  again: (context, values, problems) => showEnd(context, stateOf(values, problems))
})

export const MoneyRoutes = Layer.mergeAll(
  adminPage("/admin/users/:id/adjust", (context) => showAdjust(context, emptyForm)),
  adminPage("/admin/users/:id/waive", (context) => showWaive(context, emptyForm)),
  adminPage("/admin/users/:id/grant", (context) => showGrant(context, emptyForm)),
  adminPage("/admin/users/:id/subscriptions/:subscription/end", (context) => showEnd(context, emptyForm)),
  adjustForm,
  waiveForm,
  grantForm,
  endForm
)
