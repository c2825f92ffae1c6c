/**
 * Redeems the code of a form, and says afterwards what it has given. Used by every page that has the card for it: either kind
 * of code is good on each of them.
 */
import { Effect, Redacted } from "effect"
import { Redemptions } from "../../../../redemption/Redemptions.ts"
import { redirect, refuse, refusing } from "../../Answer.ts"
import { sayOf, type UserContext } from "../../PageContext.ts"
import { idOf } from "../../PathId.ts"
import { refuseBusy } from "../../text/PasswordText.ts"

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

/** What the code that the address names has given to this visitor; undefined when it names none of theirs. */
export const givenTo = Effect.fnUntraced(function*(context: UserContext) {
  const codeId = context.isForm ? undefined : idOf(context.query.get("redeemed"))
  return codeId === undefined ? undefined : yield* (yield* Redemptions).given(context.user.id, codeId)
})
