/**
 * The pages on which something is done to a user: forms with a note, questions before what takes something away, and the one
 * page that ever shows a link for a new password.
 */
import type { User } from "../../../../identity/Users.ts"
import type { GivablePlan } from "../../../../subscriptions/GivablePlans.ts"
import type { SubscriptionItem } from "../../../../subscriptions/SubscriptionList.ts"
import type { FormState } from "../../Answer.ts"
import { FormPage, type FormPageProps } from "../../kit/FormPage.tsx"
import { Inputs, noteInput } from "../../kit/Inputs.tsx"
import { type PageContext, sayOf } from "../../PageContext.ts"
import { Notice } from "../../ui/Forms.tsx"
import { Card, Copyable, PageHeading } from "../../ui/Parts.tsx"
import { RoleSelect } from "./RoleSelect.tsx"

interface ActionProps {
  readonly context: PageContext
  readonly user: Pick<User, "id" | "email" | "role">
  readonly state: FormState
}

const ActionPage = (
  { action, user, ...props }: ActionProps & Pick<FormPageProps, "title" | "submit" | "danger" | "children"> & {
    /** Below the user's page. */
    readonly action: string
  }
) => (
  <FormPage
    {...props}
    action={`/admin/users/${user.id}/${action}`}
    back={`/admin/users/${user.id}`}
    backText={sayOf(props.context, "userAction")("cancel")}
  />
)

/** The same form sent twice is one change: it carries the key of that change. */
const KeyField = ({ value }: { readonly value: string }) => <input type="hidden" name="key" value={value} />

export const AdjustView = (props: ActionProps & { readonly usdMicros: bigint; readonly formKey: string }) => {
  const { formKey, state, usdMicros, user, context } = props
  const say = sayOf(context, "userAction")
  const title = say("adjust.title", { email: user.email })
  return (
    <ActionPage {...props} title={title} action="adjust" submit={say("adjustBalance")}>
      <KeyField value={formKey} />
      <Inputs
        state={state}
        inputs={[
          {
            is: "signedUsd",
            name: "amount",
            label: say("amount"),
            hint: say("amount.hint", { balance: context.formats.usd(usdMicros) }),
            required: true,
            autofocus: true
          },
          noteInput(context)
        ]}
      />
    </ActionPage>
  )
}

export const WaiveView = (props: ActionProps & { readonly owedMicros: bigint; readonly formKey: string }) => {
  const { formKey, owedMicros, state, user, context } = props
  const say = sayOf(context, "userAction")
  return (
    <ActionPage
      {...props}
      title={say("waive.title", { email: user.email })}
      action="waive"
      submit={say("waive.submit")}
      danger
    >
      <p>{say("waive.lead", { owed: context.formats.usd(owedMicros) })}</p>
      <KeyField value={formKey} />
      <Inputs
        state={state}
        inputs={[
          {
            is: "usd",
            name: "amount",
            label: say("waive.amount"),
            hint: say("waive.hint"),
            required: true,
            autofocus: true
          },
          noteInput(context)
        ]}
      />
    </ActionPage>
  )
}

export const GrantView = (
  props: ActionProps & { readonly plans: ReadonlyArray<GivablePlan>; readonly formKey: string }
) => {
  const { formKey, plans, state, user, context } = props
  const say = sayOf(context, "userAction")
  const title = say("grant.title", { email: user.email })
  const problem = state.problems["plan"]
  if (plans.length === 0) {
    return (
      <>
        <PageHeading title={title} />
        <Notice kind="info">{say("grant.none")}</Notice>
        <a class="btn" href={`/admin/users/${user.id}`}>{context.say("action.back")}</a>
      </>
    )
  }
  return (
    <ActionPage {...props} title={title} action="grant" submit={say("grant.submit")}>
      <KeyField value={formKey} />
      <div class="mb-3">
        <label class="form-label required" for="field-plan">{say("plan")}</label>
        <select
          class={`form-select ${problem === undefined ? "" : "is-invalid"}`}
          id="field-plan"
          name="plan"
          aria-describedby={problem === undefined ? "field-plan-hint" : "field-plan-problem field-plan-hint"}
        >
          {plans.map(({ code, durationDays, name }) => (
            <option key={code} value={code} selected={code === state.values.get("plan")}>
              {say("plan.option", { name, days: durationDays })}
            </option>
          ))}
        </select>
        {problem === undefined ? null : <div id="field-plan-problem" class="invalid-feedback">{problem}</div>}
        <div id="field-plan-hint" class="form-hint mt-1">{say("plan.hint")}</div>
      </div>
      <Inputs state={state} inputs={[noteInput(context)]} />
    </ActionPage>
  )
}

export const EndView = (props: ActionProps & { readonly subscription: SubscriptionItem }) => {
  const { state, subscription, user, context } = props
  const say = sayOf(context, "userAction")
  const values = { plan: subscription.planName, email: user.email, at: context.formats.time(subscription.endsAt) }
  return (
    <ActionPage
      {...props}
      title={say("end.title")}
      action={`subscriptions/${subscription.id}/end`}
      submit={say("end.submit")}
      danger
    >
      <p class="break-anywhere">{say("end.text", values)}</p>
      <Inputs state={state} inputs={[noteInput(context)]} />
    </ActionPage>
  )
}

export const DisableView = (props: ActionProps) => {
  const say = sayOf(props.context, "userAction")
  return (
    <ActionPage {...props} title={say("disable.title")} action="disable" submit={say("disable.submit")} danger>
      <p class="break-anywhere mb-0">{say("disable.text", { email: props.user.email })}</p>
    </ActionPage>
  )
}

export const RoleView = (props: ActionProps) => {
  const { state, user: { email, role }, context } = props
  const say = sayOf(context, "userAction")
  return (
    <ActionPage {...props} title={say("role.title", { email })} action="role" submit={say("changeRole")}>
      <RoleSelect context={context} label={say("role")} chosen={state.values.get("role") ?? role} />
      <p class="text-secondary mb-0">{say("role.text")}</p>
    </ActionPage>
  )
}

export const PasswordLinkView = (
  { expiresAt, url, user, context }: Omit<ActionProps, "state"> & { readonly url: string; readonly expiresAt: Date }
) => {
  const say = sayOf(context, "userAction")
  return (
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
