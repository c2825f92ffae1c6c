/**
 * The pages on which something is done to a user: what follows, what is asked for, and the one page that ever shows a link for a
 * new password.
 */
import { roles } from "../../../../identity/Roles.ts"
import type { User } from "../../../../identity/Users.ts"
import type { GivablePlan } from "../../../../subscriptions/GivablePlans.ts"
import type { SubscriptionItem } from "../../../../subscriptions/SubscriptionList.ts"
import { type FormState, type Page, page } from "../../Answer.ts"
import { askPage, type AskProps } from "../../kit/Forms.tsx"
import { type Choice, noteInput } from "../../kit/Inputs.tsx"
import { Card, Copyable, Notice, PageHeading } from "../../kit/Parts.tsx"
import { type PageContext, sayOf } from "../../PageContext.ts"
import { roleHints, roleNames } from "../../text/SharedTexts.ts"

interface ActionProps {
  readonly context: PageContext
  readonly user: Pick<User, "id" | "email" | "role">
  readonly state: FormState
}

const actionPage = (
  { context, state, user }: ActionProps,
  { action, ...ask }: Pick<AskProps, "title" | "action" | "submit" | "danger" | "text" | "inputs" | "once">
): Page => {
  const back = `/admin/users/${user.id}`
  return askPage({ context, state, action: `${back}/${action}`, back, backText: context.say("cancel"), ...ask })
}

/** One of the roles, each with what it may do. */
export const roleChoice = (context: PageContext, initial: string): Choice => {
  const [names, hints] = [roleNames(context), roleHints(context)]
  return {
    is: "radios",
    name: "role",
    label: context.say("role"),
    initial,
    options: roles.map((role) => [role, names[role], hints[role]])
  }
}

export const adjustPage = (props: ActionProps, usdMicros: bigint): Page => {
  const say = sayOf(props.context, "userAction")
  const hint = say("amount.hint", { balance: props.context.formats.usd(usdMicros) })
  return actionPage(props, {
    action: "adjust",
    title: say("adjust.title", { email: props.user.email }),
    submit: say("adjustBalance"),
    once: true,
    inputs: [
      { is: "signedUsd", name: "amount", label: say("amount"), hint, required: true, autofocus: true },
      noteInput(props.context)
    ]
  })
}

export const waivePage = (props: ActionProps, owedMicros: bigint): Page => {
  const say = sayOf(props.context, "userAction")
  return actionPage(props, {
    action: "waive",
    title: say("waive.title", { email: props.user.email }),
    text: say("waive.lead", { owed: props.context.formats.usd(owedMicros) }),
    submit: say("waive.submit"),
    danger: true,
    once: true,
    inputs: [
      {
        is: "usd",
        name: "amount",
        label: say("waive.amount"),
        hint: say("waive.hint"),
        required: true,
        autofocus: true
      },
      noteInput(props.context)
    ]
  })
}

export const grantPage = (props: ActionProps, plans: ReadonlyArray<GivablePlan>): Page => {
  const { context, user } = props
  const say = sayOf(context, "userAction")
  const title = say("grant.title", { email: user.email })
  if (plans.length > 0) {
    const options = plans.map(({ code, durationDays: days, name }) =>
      [code, say("plan.option", { name, days })] as const
    )
    return actionPage(props, {
      action: "grant",
      title,
      submit: say("grant.submit"),
      once: true,
      inputs: [
        { is: "select", name: "plan", label: say("plan"), hint: say("plan.hint"), options },
        noteInput(context)
      ]
    })
  }
  return page(
    title,
    <>
      <PageHeading title={title} />
      <Notice kind="info">{say("grant.none")}</Notice>
      <a class="btn" href={`/admin/users/${user.id}`}>{say("cancel")}</a>
    </>
  )
}

export const endPage = (props: ActionProps, { endsAt, id, planName }: SubscriptionItem): Page => {
  const { context, user } = props
  const say = sayOf(context, "userAction")
  return actionPage(props, {
    action: `subscriptions/${id}/end`,
    title: say("end.title"),
    text: say("end.text", { plan: planName, email: user.email, at: context.formats.time(endsAt) }),
    submit: say("end.submit"),
    danger: true,
    inputs: [noteInput(context)]
  })
}

export const disablePage = (props: ActionProps): Page => {
  const say = sayOf(props.context, "userAction")
  return actionPage(props, {
    action: "disable",
    title: say("disable.title"),
    text: say("disable.text", { email: props.user.email }),
    submit: say("disable.submit"),
    danger: true
  })
}

export const rolePage = (props: ActionProps): Page => {
  const { context, user: { email, role } } = props
  const say = sayOf(context, "userAction")
  return actionPage(props, {
    action: "role",
    title: say("role.title", { email }),
    text: say("role.text"),
    submit: say("changeRole"),
    inputs: [roleChoice(context, role)]
  })
}

export const passwordLinkPage = (
  { expiresAt, url, user, context }: Omit<ActionProps, "state"> & { readonly url: string; readonly expiresAt: Date }
): Page => {
  const say = sayOf(context, "userAction")
  return page(
    say("link.title"),
    <>
      <PageHeading title={say("link.title")} />
      <Notice kind="warning">{say("link.once", { at: context.formats.time(expiresAt) })}</Notice>
      <Card title={say("link.for", { email: user.email })} class="mb-3">
        <div class="card-body">
          <Copyable id="password-link" text={url} label={say("copy")} copied={say("copied")} />
          <p class="text-secondary mt-3 mb-0">{say("link.send")}</p>
        </div>
      </Card>
      <a class="btn btn-primary" href={`/admin/users/${user.id}`}>{say("done")}</a>
    </>
  )
}
