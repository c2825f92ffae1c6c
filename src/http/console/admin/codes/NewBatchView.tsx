/**
 * The form of a new batch of codes.
 */
import { CODES_MAX } from "../../../../redemption/RedemptionBatch.ts"
import type { GivablePlan } from "../../../../subscriptions/GivablePlans.ts"
import type { FormState } from "../../Answer.ts"
import { Field, FormAlert, PostForm } from "../../ui/Forms.tsx"
import { Card, PageHeading } from "../../ui/Parts.tsx"
import { sayOf, type UserVisit } from "../../Visit.ts"
import { GIVES_BALANCE, GIVES_PLAN } from "./BatchForm.ts"
import { codesText } from "./CodesText.ts"

const NAME_LENGTH_MAX = 100
const NOTE_LENGTH_MAX = 500

interface NewBatchProps {
  readonly visit: UserVisit
  readonly state: FormState
  readonly plans: ReadonlyArray<GivablePlan>
}

const GiftChoice = ({ plans, state, visit }: NewBatchProps) => {
  const say = sayOf(visit, codesText)
  const problem = state.problems["gives"]
  const chosen = state.values.get("gives")
  const planText = ({ durationDays, name }: GivablePlan) =>
    say("gift.plan", { name, days: visit.formats.count(durationDays) })
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

export const NewBatchView = ({ plans, state, visit }: NewBatchProps) => {
  const say = sayOf(visit, codesText)
  const half = (field: preact.JSX.Element) => <div class="col-md-6">{field}</div>
  return (
    <>
      <PageHeading title={say("new")} />
      <Card>
        <PostForm visit={visit} action="/admin/codes/new" class="card-body">
          <FormAlert state={state} />
          <Field
            state={state}
            name="name"
            label={say("name")}
            hint={say("name.hint")}
            autocomplete="off"
            maxlength={NAME_LENGTH_MAX}
            required
            autofocus
          />
          <div class="row gx-3">
            {half(<GiftChoice visit={visit} state={state} plans={plans} />)}
            {half(
              <Field
                state={state}
                name="amount"
                label={say("amount")}
                hint={say("amount.hint")}
                inputmode="decimal"
                autocomplete="off"
                prefix="$"
              />
            )}
            {half(
              <Field
                state={state}
                name="codes"
                label={say("count")}
                hint={say("count.hint", { max: visit.formats.count(CODES_MAX) })}
                inputmode="numeric"
                autocomplete="off"
                initial="1"
                required
              />
            )}
            {half(
              <Field
                state={state}
                name="uses"
                label={say("uses")}
                hint={say("uses.hint")}
                inputmode="numeric"
                autocomplete="off"
                initial="1"
                required
              />
            )}
            {half(
              <Field
                state={state}
                name="expiry"
                type="date"
                label={say("expiry")}
                hint={say("expiry.hint", { zone: visit.formats.timeZone })}
              />
            )}
            {half(
              <Field
                state={state}
                name="note"
                label={say("note")}
                hint={say("note.hint")}
                autocomplete="off"
                maxlength={NOTE_LENGTH_MAX}
              />
            )}
          </div>
          <div class="btn-list mt-2">
            <button type="submit" class="btn btn-primary">{say("submit")}</button>
            <a class="btn btn-ghost-secondary" href="/admin/codes">{visit.say("action.back")}</a>
          </div>
        </PostForm>
      </Card>
    </>
  )
}
