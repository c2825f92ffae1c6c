/**
 * What an administrator gives a user and takes: adjustments of the balance, debts waived, plans granted and ended. A form
 * carries the key of its change, made when it is shown: sent twice, it is done once.
 */
import { Effect } from "effect"
import { AccountOverview } from "../../../../accounts/AccountOverview.ts"
import { Adjustments } from "../../../../accounts/Adjustments.ts"
import { DebtWaivers } from "../../../../accounts/DebtWaivers.ts"
import { SubscriptionId, UserId } from "../../../../domain/Ids.ts"
import { formatUsd, MICROS_SCALE, parseDecimal } from "../../../../domain/Money.ts"
import { Grants } from "../../../../subscriptions/Grants.ts"
import { SubscriptionList } from "../../../../subscriptions/SubscriptionList.ts"
import { emptyForm, PageNotFound, type Problems, redirect, refuse } from "../../Answer.ts"
import { adminFormPage, routes } from "../../ConsoleRoute.ts"
import { actorOf, sayOf, type UserContext } from "../../PageContext.ts"
import { pageForm } from "../../PageForm.ts"
import { pathId } from "../../Params.ts"
import { theUser } from "./TheUser.ts"
import { adjustPage, endPage, grantPage, waivePage } from "./UserActions.tsx"

/** `$5` and `-$5` are amounts, too. */
const amountOf = (text: string): bigint => parseDecimal(text.trim().replace(/^([+-]?)\$/, "$1"), MICROS_SCALE) ?? 0n

const readChange = (fields: URLSearchParams) => ({
  amountMicros: amountOf(fields.get("amount") ?? ""),
  note: fields.get("note") ?? "",
  key: fields.get("key") ?? ""
})

/** Shows the message beside the field that is wrong. A form without its key was not made by this site. */
const refused = (context: UserContext, reason: "amount" | "plan" | "note" | "key", amountProblem = "") => {
  const say = sayOf(context, "userAction")
  const problems: Record<typeof reason, Problems> = {
    amount: { amount: amountProblem },
    plan: { plan: say("plan.problem") },
    note: { note: say("note.problem") },
    key: { form: context.say("form.malformed") }
  }
  return refuse(problems[reason])
}

const reused = (context: UserContext) => () => refuse({ form: sayOf(context, "userAction")("reused") }, 409)

const adjust = pageForm({
  show: Effect.fnUntraced(function*(context, state) {
    const user = yield* theUser
    const { usdMicros } = yield* (yield* AccountOverview).balance(user.id)
    return adjustPage({ context, user, state }, usdMicros)
  }),
  run: (context, fields) =>
    Effect.gen(function*() {
      const userId = yield* pathId("id", UserId)
      yield* (yield* Adjustments).adjust(actorOf(context), { userId, ...readChange(fields) })
      return redirect(`/admin/users/${userId}?done=adjusted`)
    }).pipe(
      Effect.catchTags({
        AdjustmentRefused: ({ reason }) => refused(context, reason, sayOf(context, "userAction")("amount.problem")),
        AdjustmentReused: reused(context),
        DebitRefused: ({ availableMicros }) =>
          refused(
            context,
            "amount",
            sayOf(context, "userAction")("amount.short", { balance: context.formats.usd(availableMicros) })
          )
      })
    )
})

/** The form begins with all that is owed. A user who owes nothing has no such page. */
const waive = pageForm({
  show: Effect.fnUntraced(function*(context, state) {
    const user = yield* theUser
    const { owedMicros } = yield* (yield* AccountOverview).balance(user.id)
    if (state !== emptyForm) return waivePage({ context, user, state }, owedMicros)
    if (owedMicros === 0n) return redirect(`/admin/users/${user.id}`)
    const values = new URLSearchParams({ amount: formatUsd(owedMicros) })
    return waivePage({ context, user, state: { values, problems: {} } }, owedMicros)
  }),
  run: (context, fields) =>
    Effect.gen(function*() {
      const userId = yield* pathId("id", UserId)
      yield* (yield* DebtWaivers).waive(actorOf(context), { userId, ...readChange(fields) })
      return redirect(`/admin/users/${userId}?done=waived`)
    }).pipe(
      Effect.catchTags({
        WaiverRefused: ({ reason }) => refused(context, reason, context.say("usd.problem")),
        WaiverReused: reused(context),
        DebtExceeded: ({ owedMicros }) =>
          refused(
            context,
            "amount",
            sayOf(context, "userAction")("waive.exceeded", { owed: context.formats.usd(owedMicros) })
          )
      })
    )
})

const grant = pageForm({
  show: Effect.fnUntraced(function*(context, state) {
    const user = yield* theUser
    return grantPage({ context, user, state }, yield* (yield* Grants).plans)
  }),
  run: (context, fields) =>
    Effect.gen(function*() {
      const userId = yield* pathId("id", UserId)
      const { key, note } = readChange(fields)
      yield* (yield* Grants).grant(actorOf(context), { userId, planCode: fields.get("plan") ?? "", note, key })
      return redirect(`/admin/users/${userId}?done=granted`)
    }).pipe(
      Effect.catchTags({
        GrantRefused: ({ reason }) => reason === "user" ? new PageNotFound() : refused(context, reason),
        GrantReused: reused(context)
      })
    )
})

/** The subscription that the address names, if it is this user's and not over. */
const end = pageForm({
  show: Effect.fnUntraced(function*(context, state) {
    const user = yield* theUser
    const id = yield* pathId("subscription", SubscriptionId)
    const [subscription] = yield* (yield* SubscriptionList).page(user.id, { limit: 1, before: id + 1n })
    if (subscription === undefined || subscription.id !== id) return yield* new PageNotFound()
    return subscription.state === "over" && state === emptyForm
      ? redirect(`/admin/users/${user.id}`)
      : endPage({ context, user, state }, subscription)
  }),
  run: (context, fields) =>
    Effect.gen(function*() {
      const userId = yield* pathId("id", UserId)
      const subscriptionId = yield* pathId("subscription", SubscriptionId)
      yield* (yield* Grants).end(actorOf(context), { userId, subscriptionId, note: fields.get("note") ?? "" })
      return redirect(`/admin/users/${userId}?done=ended`)
    }).pipe(
      Effect.catchTags({
        GrantRefused: ({ reason }) => reason === "user" ? new PageNotFound() : refused(context, reason),
        SubscriptionOver: () => refuse({ form: sayOf(context, "userAction")("end.over") }, 409)
      })
    )
})

export const MoneyRoutes = routes(
  adminFormPage("/admin/users/:id/adjust", adjust),
  adminFormPage("/admin/users/:id/waive", waive),
  adminFormPage("/admin/users/:id/grant", grant),
  adminFormPage("/admin/users/:id/subscriptions/:subscription/end", end)
)
