/**
 * The form of a new batch of codes.
 */
import { CODES_MAX } from "../../../../redemption/RedemptionBatch.ts"
import type { GivablePlan } from "../../../../subscriptions/GivablePlans.ts"
import type { FormState } from "../../Answer.ts"
import { FormPage } from "../../kit/FormPage.tsx"
import { Inputs } from "../../kit/Inputs.tsx"
import { sayOf, type UserContext } from "../../PageContext.ts"
import { GIVES_BALANCE, GIVES_PLAN } from "./BatchForm.ts"

const NAME_LENGTH_MAX = 100
const NOTE_LENGTH_MAX = 500

interface NewBatchProps {
  readonly context: UserContext
  readonly state: FormState
  readonly plans: ReadonlyArray<GivablePlan>
}

const GiftChoice = ({ plans, state, context }: NewBatchProps) => {
  const say = sayOf(context, "codes")
  const problem = state.problems["gives"]
  const chosen = state.values.get("gives")
  const planText = ({ durationDays, name }: GivablePlan) => say("gift.plan", { name, days: durationDays })
  return (
    <div class="mb-3">
      <label class="form-label required" for="field-gives">{say("gift")}</label>
      <select
        class={`form-select ${problem === undefined ? "" : "is-invalid"}`}
        id="field-gives"
        name="gives"
        aria-invalid={problem === undefined ? undefined : "true"}
        aria-describedby={problem === undefined ? "field-gives-hint" : "field-gives-problem field-gives-hint"}
      >
        <option value={GIVES_BALANCE}>{say("gift.balance")}</option>
        {plans.map((plan) => (
          <option key={plan.code} value={`${GIVES_PLAN}${plan.code}`} selected={chosen === `${GIVES_PLAN}${plan.code}`}>
            {planText(plan)}
          </option>
        ))}
      </select>
      {problem === undefined ? null : <div id="field-gives-problem" class="invalid-feedback">{problem}</div>}
      <div id="field-gives-hint" class="form-hint mt-1">{say("gift.hint")}</div>
    </div>
  )
}

export const NewBatchView = ({ plans, state, context }: NewBatchProps) => {
  const say = sayOf(context, "codes")
  const one = { is: "integer", initial: "1", required: true } as const
  return (
    <FormPage
      context={context}
      state={state}
      title={say("new")}
      action="/admin/codes/new"
      submit={say("submit")}
      back="/admin/codes"
    >
      <Inputs
        state={state}
        inputs={[
          {
            name: "name",
            label: say("name"),
            hint: say("name.hint"),
            maxlength: NAME_LENGTH_MAX,
            required: true,
            autofocus: true
          },
          [
            <GiftChoice context={context} state={state} plans={plans} />,
            { is: "usd", name: "amount", label: say("amount"), hint: say("amount.hint") },
            {
              ...one,
              name: "codes",
              label: say("count"),
              hint: say("count.hint", { max: context.formats.count(CODES_MAX) })
            },
            { ...one, name: "uses", label: say("uses"), hint: say("uses.hint") },
            {
              is: "date",
              name: "expiry",
              label: say("expiry"),
              hint: say("expiry.hint", { zone: context.formats.timeZone })
            },
            { name: "note", label: say("note"), hint: say("note.hint"), maxlength: NOTE_LENGTH_MAX }
          ]
        ]}
      />
    </FormPage>
  )
}
