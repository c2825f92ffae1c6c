/**
 * Where a code is typed in, and what is said when it has given something.
 */
import type { Gift } from "../../../../redemption/RedemptionBatch.ts"
import type { FormState } from "../../Answer.ts"
import { Inputs } from "../../kit/Inputs.tsx"
import { type PageContext, sayOf } from "../../PageContext.ts"
import { Notice, PostForm } from "../../ui/Forms.tsx"
import { Card } from "../../ui/Parts.tsx"

const CODE_LENGTH_MAX = 100

interface RedeemProps {
  readonly context: PageContext
  /** The page's own form, so that what is wrong is said where the code was typed. */
  readonly action: string
  readonly state: FormState
}

export const RedeemCard = ({ action, state, context }: RedeemProps) => {
  const say = sayOf(context, "redeem")
  return (
    <Card title={say("title")} class="h-100">
      <PostForm context={context} action={action} class="card-body">
        <Inputs
          state={state}
          inputs={[{
            name: "code",
            label: say("code"),
            hint: say("code.hint"),
            placeholder: "RLM-XXXXX-XXXXX-…",
            maxlength: CODE_LENGTH_MAX,
            autofocus: state.problems["code"] !== undefined,
            required: true
          }]}
        />
        <button class="btn" type="submit">{say("submit")}</button>
      </PostForm>
    </Card>
  )
}

/** Says what a code has given. */
export const GivenNotice = ({ gift, context }: { readonly context: PageContext; readonly gift: Gift | undefined }) => {
  if (gift === undefined) return null
  const say = sayOf(context, "redeem")
  return (
    <Notice kind="success">
      {gift.kind === "balance"
        ? say("gave.balance", { amount: context.formats.usd(gift.usdMicros) })
        : say("gave.plan", { name: gift.terms.name, days: gift.terms.durationDays })}
    </Notice>
  )
}
