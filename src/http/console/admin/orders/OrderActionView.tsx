/**
 * The pages on which root does something to an order: each asks on its own, with what will follow.
 */
import { currencyDecimals } from "../../../../domain/Currency.ts"
import { formatDecimal } from "../../../../domain/Money.ts"
import type { OrderRecord, PaidAttempt } from "../../../../events/OrderHistory.ts"
import type { Refund } from "../../../../orders/Refunds.ts"
import type { FormState } from "../../Answer.ts"
import { FormPage, type FormPageProps } from "../../kit/FormPage.tsx"
import { Inputs, noteInput } from "../../kit/Inputs.tsx"
import { sayOf, type UserContext } from "../../PageContext.ts"
import { minorText, sourceName } from "../payments/EventParts.tsx"

interface ActionProps {
  readonly context: UserContext
  readonly record: OrderRecord
  readonly state: FormState
}

const ActionPage = (
  { action, record: { order }, ...props }:
    & ActionProps
    & Pick<FormPageProps, "title" | "submit" | "danger" | "backText" | "children">
    & {
      /** Below the order's page. */
      readonly action: string
    }
) => (
  <FormPage
    {...props}
    action={`/admin/orders/${order.id}/${action}`}
    back={`/admin/orders/${order.id}`}
  />
)

export const CompleteView = (props: ActionProps) => {
  const { record: { attempts, email, order }, state, context } = props
  const say = sayOf(context, "orderAction")
  const amount = context.formats.cny(order.amountFen)
  const chosen = state.values.get("provider") ?? attempts.at(-1)?.provider ?? "manual"
  const problem = state.problems["provider"]
  return (
    <ActionPage
      {...props}
      title={say("complete.title", { id: order.id.toString() })}
      action="complete"
      submit={say("markAsPaid")}
    >
      <p class="break-anywhere">
        {order.terms === null
          ? say("complete.topup", { email, amount, credit: context.formats.usd(order.creditMicros) })
          : say("complete.plan", { email, amount, plan: order.terms.name })}
      </p>
      <div class="mb-3">
        <label class="form-label required" for="field-provider">{say("provider")}</label>
        <select
          class={`form-select ${problem === undefined ? "" : "is-invalid"}`}
          id="field-provider"
          name="provider"
          aria-describedby={problem === undefined ? undefined : "field-provider-problem"}
        >
          <option value="manual" selected={chosen === "manual"}>{say("provider.manual")}</option>
          <option value="epay" selected={chosen === "epay"}>{sourceName(context, "epay")}</option>
          <option value="stripe" selected={chosen === "stripe"}>{sourceName(context, "stripe")}</option>
        </select>
        {problem === undefined ? null : <div id="field-provider-problem" class="invalid-feedback">{problem}</div>}
      </div>
      <Inputs
        state={state}
        inputs={[
          {
            name: "reference",
            label: say("reference"),
            hint: say("reference.hint"),
            maxlength: 200,
            required: true,
            autofocus: true
          },
          noteInput(context)
        ]}
      />
    </ActionPage>
  )
}

export const CancelView = (props: ActionProps) => {
  const { record: { email, order }, context } = props
  const say = sayOf(context, "orderAction")
  return (
    <ActionPage
      {...props}
      title={say("cancel.title", { id: order.id.toString() })}
      action="cancel"
      submit={say("cancel.submit")}
      backText={say("keepIt")}
      danger
    >
      <p class="break-anywhere mb-0">
        {say("cancel.text", { email, amount: context.formats.cny(order.amountFen) })}
      </p>
    </ActionPage>
  )
}

/** An amount in a currency's minor unit as it is typed. */
const amountText = (amountMinor: bigint, currency: string): string => {
  const decimals = currencyDecimals(currency)
  return formatDecimal(amountMinor, decimals, decimals)
}

export const RefundView = (
  props: ActionProps & {
    readonly attempt: PaidAttempt
    readonly leftMinor: bigint
    /** Sent twice, the form is one refund. */
    readonly formKey: string
  }
) => {
  const { attempt, formKey, leftMinor, record: { email, order }, state, context } = props
  const say = sayOf(context, "orderAction")
  const values = { email, provider: sourceName(context, attempt.provider) }
  return (
    <ActionPage
      {...props}
      title={say("refund.title", { id: order.id.toString() })}
      action="refund"
      submit={say("refund")}
      danger
    >
      <input type="hidden" name="key" value={formKey} />
      <p class="break-anywhere">
        {order.terms === null ? say("refund.text", values) : say("refund.plan", values)}
      </p>
      <Inputs
        state={state}
        inputs={[
          {
            is: "decimal",
            name: "amount",
            label: say("refund.amount", { currency: attempt.currency.toUpperCase() }),
            hint: say("refund.amount.hint", { left: minorText(context, leftMinor, attempt.currency) }),
            initial: amountText(leftMinor, attempt.currency),
            required: true
          },
          noteInput(context)
        ]}
      />
    </ActionPage>
  )
}

export const SettleView = (props: ActionProps & { readonly refund: Refund }) => {
  const { refund, state, context } = props
  const say = sayOf(context, "orderAction")
  const problem = state.problems["outcome"]
  const choices = [["done", say("settle.done")], ["failed", say("settle.failed")]] as const
  return (
    <ActionPage
      {...props}
      title={say("settle.title")}
      action={`refunds/${refund.id}`}
      submit={say("settle.submit")}
    >
      <p>{say("settle.text", { amount: minorText(context, refund.amountMinor, refund.currency) })}</p>
      <fieldset class="mb-3">
        <legend class="form-label required">{say("settle.what")}</legend>
        {choices.map(([value, label]) => (
          <label key={value} class="form-check">
            <input
              class={`form-check-input ${problem === undefined ? "" : "is-invalid"}`}
              type="radio"
              name="outcome"
              value={value}
              checked={state.values.get("outcome") === value}
              aria-describedby={problem === undefined ? undefined : "field-outcome-problem"}
            />
            <span class="form-check-label">{label}</span>
          </label>
        ))}
        {problem === undefined
          ? null
          : <div id="field-outcome-problem" class="invalid-feedback d-block">{problem}</div>}
      </fieldset>
      <Inputs state={state} inputs={[noteInput(context)]} />
    </ActionPage>
  )
}
