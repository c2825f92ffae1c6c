/**
 * A code is typed in and redeemed, and what it gave is said: on every page that has the card for it. Either kind of code is good on each of
 * them. And why nothing can be ordered at this moment, whatever it is.
 */
import { Effect, Redacted } from "effect"
import { Redemptions } from "../../../redemption/Redemptions.ts"
import { type FormState, redirect, refuse, refusing } from "../Answer.ts"
import { InputForm } from "../kit/Forms.tsx"
import { Card, Notice } from "../kit/Parts.tsx"
import { type PageContext, sayOf, type UserContext } from "../PageContext.ts"
import { idOf } from "../Params.ts"
import { refuseBusy } from "../text/SharedTexts.ts"

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
      <InputForm
        context={context}
        action={action}
        class="card-body"
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
        look=""
        submit={say("submit")}
      />
    </Card>
  )
}

/** Redeems, and goes back to the page that the form is on. */
export const redeemOn = (back: string) =>
  Effect.fnUntraced(function*(context: UserContext, fields: URLSearchParams) {
    const say = sayOf(context, "redeem")
    const typed = fields.get("code") ?? ""
    if (typed.trim() === "") return yield* refuse({ code: say("none") })
    const redeemer = { userId: context.user.id, address: context.address }
    const { codeId } = yield* (yield* Redemptions).redeem(redeemer, Redacted.make(typed)).pipe(
      Effect.catchTags({
        CodeUnknown: refusing({ code: say("unknown") }),
        CodeExpired: refusing({ code: say("expired") }),
        CodeUsedUp: refusing({ code: say("used") }),
        CodeRedeemed: refusing({ code: say("mine") }),
        BuyerUnknown: refusing({ form: context.say("problem.session") }, 403),
        TooManyAttempts: refuseBusy(context)
      })
    )
    return redirect(`${back}?redeemed=${codeId}`)
  })

/** Says what the code has given to this visitor that the address names, where it names one of theirs. */
export const givenNotice = Effect.fnUntraced(function*(context: UserContext) {
  const say = sayOf(context, "redeem")
  const codeId = context.isForm ? undefined : idOf(context.query.get("redeemed"))
  const gift = codeId === undefined ? undefined : yield* (yield* Redemptions).given(context.user.id, codeId)
  return gift && (
    <Notice kind="success">
      {gift.kind === "balance"
        ? say("gave.balance", { amount: context.formats.usd(gift.usdMicros) })
        : say("gave.plan", { name: gift.terms.name, days: gift.terms.durationDays })}
    </Notice>
  )
})

/** Why nothing can be ordered at this moment, whatever it is. */
export const orderingRefusals = (context: PageContext) => {
  const say = sayOf(context, "order")
  return {
    TooManyOpen: refusing({ form: say("tooMany") }),
    TooManyOrders: refusing({ form: say("tooFast") }, 429),
    BuyerUnknown: refusing({ form: context.say("problem.session") }, 403)
  }
}
