/**
 * What an administrator does to a user: money and plans that are given or taken, and what the user may do. A form that gives or takes
 * carries the key of its change: sent twice, it is done once.
 */
import { Effect, Option, Redacted, Result } from "effect"
import { AccountOverview } from "../../../../accounts/AccountOverview.ts"
import { Adjustments } from "../../../../accounts/Adjustments.ts"
import { DebtWaivers } from "../../../../accounts/DebtWaivers.ts"
import { GroupAdmin } from "../../../../catalog/GroupAdmin.ts"
import { readRateLimits } from "../../../../domain/CallLimits.ts"
import { ApiKeyId, SubscriptionId, UserId } from "../../../../domain/Ids.ts"
import { formatUsd } from "../../../../domain/Money.ts"
import { ApiKeys } from "../../../../identity/ApiKeys.ts"
import { KeyList } from "../../../../identity/KeyList.ts"
import { PasswordLinks } from "../../../../identity/PasswordLinks.ts"
import { isRole, isStaff, roles } from "../../../../identity/Roles.ts"
import { SecondFactors } from "../../../../identity/SecondFactors.ts"
import { UserAdmin, type UserDetails } from "../../../../identity/UserAdmin.ts"
import { PublicAddress } from "../../../../platform/PublicAddress.ts"
import { Grants } from "../../../../subscriptions/Grants.ts"
import { SubscriptionList } from "../../../../subscriptions/SubscriptionList.ts"
import { type FormState, page, PageNotFound, refuse } from "../../Answer.ts"
import { adminFormPage, pageForm, routes } from "../../ConsoleRoute.ts"
import { askPage } from "../../kit/Forms.tsx"
import { type Choice, noteInput } from "../../kit/Inputs.tsx"
import { keyName } from "../../kit/Keys.tsx"
import { Copyable, Notice, PageHeading, Panel } from "../../kit/Parts.tsx"
import { proveStaff, withStaffProof } from "../../kit/ProofForms.tsx"
import { rateInputs, rateProblems } from "../../kit/RateLimits.tsx"
import { actorOf, type PageContext, sayOf, type UserContext } from "../../PageContext.ts"
import { pathId } from "../../Params.ts"
import { groupChoice } from "../groups/GroupParts.ts"
import { type AdminAction, adminAction, refuseFor, usdIn } from "../AdminAction.ts"

/** The user of the `:id` in the route of the request at hand. */
export const theUser = Effect.gen(function*() {
  const found = yield* (yield* UserAdmin).view(yield* pathId("id", UserId))
  return Option.isNone(found) ? yield* new PageNotFound() : found.value
})

interface OfUser {
  readonly user: UserDetails
}

const justUser = Effect.map(theUser, (user): OfUser => ({ user }))

const userAction = <Subject extends OfUser, R1, R2>(
  name: string,
  action: Omit<AdminAction<"userAction", Subject, R1, R2>, "hrefOf" | "texts">
) =>
  adminAction(`/admin/users/:id/${name}` as const, {
    texts: "userAction",
    hrefOf: ({ user }) => `/admin/users/${user.id}`,
    ...action
  })

/** One of the roles, each with what it may do. */
export const roleChoice = (context: PageContext, initial: string): Choice => {
  const say = sayOf(context, "role")
  return {
    is: "radios",
    name: "role",
    label: context.say("role"),
    initial,
    options: roles.map((role) => [role, say(role), say(`${role}.hint`)])
  }
}

const readChange = ({ id }: UserDetails, fields: URLSearchParams) => ({
  userId: id,
  amountMicros: usdIn(fields),
  note: fields.get("note") ?? "",
  key: fields.get("key") ?? ""
})

const reused = (context: UserContext) => () => refuse({ form: sayOf(context, "userAction")("reused") }, 409)

const theAccount = Effect.gen(function*() {
  const user = yield* theUser
  return { user, ...yield* (yield* AccountOverview).balance(user.id) }
})

const adjust = userAction("adjust", {
  find: theAccount,
  ask: ({ context, say, subject: { usdMicros, user: { email } } }) => {
    const hint = say("amount.hint", { balance: context.formats.usd(usdMicros) })
    return {
      title: say("adjust.title", { email }),
      submit: say("adjustBalance"),
      once: true,
      inputs: [
        { is: "signedUsd", name: "amount", label: say("amount"), hint, required: true, autofocus: true },
        noteInput(context)
      ]
    }
  },
  run: ({ context, fields, say, subject: { user } }) => {
    const short = (micros: bigint) => say("amount.short", { balance: context.formats.usd(micros) })
    return Adjustments.use((adjustments) => adjustments.adjust(actorOf(context), readChange(user, fields))).pipe(
      Effect.as("adjusted"),
      Effect.catchTags({
        AdjustmentRefused: ({ reason }) => refuseFor(context, reason, { amount: { amount: say("amount.problem") } }),
        AdjustmentReused: reused(context),
        DebitRefused: ({ availableMicros }) => refuse({ amount: short(availableMicros) })
      })
    )
  }
})

/** The form begins with all that is owed. */
const waive = userAction("waive", {
  find: theAccount,
  isPossible: ({ owedMicros }) => owedMicros !== 0n,
  ask: ({ context, say, subject: { owedMicros, user: { email } } }) => {
    const amount = { label: say("waive.amount"), hint: say("waive.hint"), initial: formatUsd(owedMicros) }
    return {
      title: say("waive.title", { email }),
      text: say("waive.lead", { owed: context.formats.usd(owedMicros) }),
      submit: say("waive.submit"),
      danger: true,
      once: true,
      inputs: [{ is: "usd", name: "amount", ...amount, required: true, autofocus: true }, noteInput(context)]
    }
  },
  run: ({ context, fields, say, subject: { user } }) => {
    const exceeded = (micros: bigint) => say("waive.exceeded", { owed: context.formats.usd(micros) })
    return DebtWaivers.use((waivers) => waivers.waive(actorOf(context), readChange(user, fields))).pipe(
      Effect.as("waived"),
      Effect.catchTags({
        WaiverRefused: ({ reason }) => refuseFor(context, reason, { amount: { amount: say("usd.problem") } }),
        WaiverReused: reused(context),
        DebtExceeded: ({ owedMicros }) => refuse({ amount: exceeded(owedMicros) })
      })
    )
  }
})

const grant = userAction("grant", {
  find: Effect.gen(function*() {
    return { user: yield* theUser, plans: yield* (yield* Grants).plans }
  }),
  ask: ({ context, say, subject: { plans, user: { email } } }) => {
    const title = say("grant.title", { email })
    if (plans.length === 0) return { title, text: say("grant.none") }
    const options = plans.map(({ code, durationDays: days, name }) =>
      [code, say("plan.option", { name, days })] as const
    )
    return {
      title,
      submit: say("grant.submit"),
      once: true,
      inputs: [
        { is: "select", name: "plan", label: say("plan"), hint: say("plan.hint"), options },
        noteInput(context)
      ]
    }
  },
  run: ({ context, fields, say, subject: { user } }) => {
    const { key, note, userId } = readChange(user, fields)
    const asked = { userId, planCode: fields.get("plan") ?? "", note, key }
    return Grants.use((grants) => grants.grant(actorOf(context), asked)).pipe(
      Effect.as("granted"),
      Effect.catchTags({
        GrantRefused: ({ reason }) =>
          reason === "user" ? new PageNotFound() : refuseFor(context, reason, { plan: { plan: say("plan.problem") } }),
        GrantReused: reused(context)
      })
    )
  }
})

const end = userAction("subscriptions/:subscription/end", {
  find: Effect.gen(function*() {
    const user = yield* theUser
    const id = yield* pathId("subscription", SubscriptionId)
    const [subscription] = yield* (yield* SubscriptionList).page(user.id, { limit: 1, before: id + 1n })
    return subscription?.id === id ? { user, subscription } : yield* new PageNotFound()
  }),
  isPossible: ({ subscription }) => subscription.state !== "over",
  ask: ({ context, say, subject: { subscription: { endsAt, planName }, user: { email } } }) => ({
    title: say("end.title"),
    text: say("end.text", { plan: planName, email, at: context.formats.time(endsAt) }),
    submit: say("end.submit"),
    danger: true,
    inputs: [noteInput(context)]
  }),
  run: ({ context, fields, say, subject: { subscription, user } }) => {
    const asked = { userId: user.id, subscriptionId: subscription.id, note: fields.get("note") ?? "" }
    return Grants.use((grants) => grants.end(actorOf(context), asked)).pipe(
      Effect.as("ended"),
      Effect.catchTags({
        GrantRefused: ({ reason }) => reason === "user" ? new PageNotFound() : refuseFor(context, reason, {}),
        SubscriptionOver: () => refuse({ form: say("end.over") }, 409)
      })
    )
  }
})

const revokeKey = userAction("keys/:key/revoke", {
  find: Effect.gen(function*() {
    const user = yield* theUser
    const key = yield* (yield* KeyList).find(user.id, yield* pathId("key", ApiKeyId))
    return key === undefined ? yield* new PageNotFound() : { user, key }
  }),
  isPossible: ({ key }) => key.revokedAt === null,
  ask: ({ say, subject: { key } }) => ({
    title: say("key.title"),
    text: say("revoke.text", { name: keyName(key), hint: key.hint }),
    submit: say("revokeTheKey"),
    danger: true
  }),
  run: ({ context, subject: { key, user } }) =>
    Effect.as(ApiKeys.use((keys) => keys.revokeOwn(user.id, key.id, actorOf(context))), "key_revoked")
})

/** Why a user may not be disabled or demoted. */
const refusals = (context: UserContext) => {
  const say = sayOf(context, "userAction")
  return {
    OwnUser: () => refuse({ form: say("own") }),
    LastRoot: () => refuse({ form: say("last") }, 409)
  }
}

const isDisabled = (context: UserContext) => () => refuse({ form: sayOf(context, "userAction")("isDisabled") }, 409)

const disable = userAction("disable", {
  find: justUser,
  isPossible: ({ user }) => user.disabledAt === null,
  ask: ({ say, subject: { user: { email } } }) => ({
    title: say("disable.title"),
    text: say("disable.text", { email }),
    submit: say("disable.submit"),
    danger: true
  }),
  run: ({ context, subject: { user } }) =>
    UserAdmin.use((admin) => admin.disable(actorOf(context), user.id)).pipe(
      Effect.as("disabled"),
      Effect.catchTags(refusals(context))
    )
})

/** What lets somebody into the administration asks for a proof: a session may be stolen. */
const isOfStaff = ({ user }: OfUser): boolean => isStaff(user.role)

const enable = userAction("enable", {
  find: justUser,
  needsProof: isOfStaff,
  isPossible: ({ user }) => user.disabledAt !== null,
  ask: ({ say, subject: { user: { email } } }) => ({
    title: say("enable.title"),
    text: say("enable.text", { email }),
    submit: say("enable.submit")
  }),
  run: ({ context, subject: { user } }) =>
    UserAdmin.use((admin) => admin.enable(actorOf(context), user.id)).pipe(Effect.as("enabled"))
})

const role = userAction("role", {
  find: justUser,
  needsProof: () => true,
  ask: ({ context, say, subject: { user } }) => ({
    title: say("role.title", { email: user.email }),
    text: say("role.text"),
    submit: say("changeRole"),
    inputs: [roleChoice(context, user.role)]
  }),
  run: ({ context, fields, subject: { user } }) => {
    const wanted = fields.get("role")
    if (!isRole(wanted)) return refuse({ form: context.say("form.malformed") })
    return UserAdmin.use((admin) => admin.setRole(actorOf(context), user.id, wanted)).pipe(
      Effect.as("role"),
      Effect.catchTags({ ...refusals(context), UserDisabled: isDisabled(context) })
    )
  }
})

const secondFactor = userAction("second-factor", {
  find: justUser,
  needsProof: isOfStaff,
  isPossible: ({ user }) => user.hasSecondFactor,
  ask: ({ say, subject: { user: { email } } }) => ({
    title: say("secondFactor.title"),
    text: say("secondFactor.text", { email }),
    submit: say("resetSecondFactor"),
    danger: true
  }),
  run: ({ context, say, subject: { user } }) =>
    SecondFactors.use((factors) => factors.reset(actorOf(context), user.id)).pipe(
      Effect.as("second_factor"),
      Effect.catchTags({
        OwnUser: refusals(context).OwnUser,
        SecondFactorMissing: () => refuse({ form: say("secondFactor.missing") }, 409)
      })
    )
})

const group = userAction("group", {
  find: Effect.gen(function*() {
    const user = yield* theUser
    return { user, groups: yield* (yield* GroupAdmin).choices(user.groupCode) }
  }),
  ask: ({ say, subject: { groups, user } }) => ({
    title: say("group.title", { email: user.email }),
    text: say("group.text"),
    submit: say("changeGroup"),
    inputs: [
      groupChoice(groups, {
        label: say("group"),
        hint: say("group.hint"),
        none: say("group.none"),
        initial: user.groupCode ?? ""
      })
    ]
  }),
  run: ({ context, fields, say, subject: { user } }) =>
    UserAdmin.use((admin) => admin.setGroup(actorOf(context), user.id, fields.get("group") || null)).pipe(
      Effect.as("group"),
      Effect.catchTag("GroupNotOffered", () => refuse({ group: say("problem.choice") }))
    )
})

const limits = userAction("limits", {
  find: justUser,
  ask: ({ context, say, subject: { user } }) => ({
    title: say("limits.title", { email: user.email }),
    text: say("limits.text"),
    submit: say("changeLimits"),
    inputs: rateInputs(context, user)
  }),
  run: ({ context, fields, subject: { user } }) => {
    const asked = readRateLimits(fields)
    return Result.isFailure(asked)
      ? refuse(rateProblems(context, asked.failure))
      : Effect.as(UserAdmin.use((admin) => admin.setLimits(actorOf(context), user.id, asked.success)), "limits")
  }
})

const askLink = Effect.fnUntraced(function*(context: UserContext, state: FormState) {
  const say = sayOf(context, "userAction")
  const { email, id, role } = yield* theUser
  return askPage({
    context,
    state,
    title: say("link.title"),
    text: say("link.for", { email }),
    submit: say("link.submit"),
    action: context.pathname,
    back: `/admin/users/${id}`,
    backText: context.say("cancel"),
    ...isStaff(role) ? yield* withStaffProof(context) : {}
  })
})

/** The answer of this form is the only page that has the link. */
const makeLink = (context: UserContext, fields: URLSearchParams) =>
  Effect.gen(function*() {
    const say = sayOf(context, "userAction")
    const { email, id, role } = yield* theUser
    if (isStaff(role)) yield* proveStaff(context, fields)
    const { expiresAt, token } = yield* (yield* PasswordLinks).issue(actorOf(context), id)
    const url = `${(yield* PublicAddress).url()}/reset/${Redacted.value(token)}`
    return page(
      say("link.title"),
      <>
        <PageHeading title={say("link.title")} />
        <Notice kind="warning">{say("link.once", { at: context.formats.time(expiresAt) })}</Notice>
        <Panel title={say("link.for", { email })} class="mb-3">
          <Copyable id="password-link" text={url} label={say("copy")} copied={say("copied")} />
          <p class="text-secondary mt-3 mb-0">{say("link.send")}</p>
        </Panel>
        <a class="btn btn-primary" href={`/admin/users/${id}`}>{say("done")}</a>
      </>
    )
  }).pipe(Effect.catchTag("UserDisabled", isDisabled(context)))

export const UserActionRoutes = routes(
  adjust,
  waive,
  grant,
  end,
  revokeKey,
  disable,
  enable,
  role,
  secondFactor,
  group,
  limits,
  adminFormPage("/admin/users/:id/password-link", pageForm({ show: askLink, run: makeLink }))
)
