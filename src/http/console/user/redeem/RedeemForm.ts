/**
 * Redeems the code of a form, and tells what a code has given to whoever comes back from it. Used by every page that has the
 * card for it: either kind of code is good on each of them.
 */
import { Effect, Redacted } from "effect"
import { Redemptions } from "../../../../redemption/Redemptions.ts"
import { redirect, refuse } from "../../Answer.ts"
import { sayOf, type UserContext } from "../../PageContext.ts"
import { idOf } from "../../PathId.ts"
import { refuseBusy } from "../../text/PasswordText.ts"

/** Redeems, and goes back to the page that the form is on. */
export const redeem = (context: UserContext, fields: URLSearchParams, back: string) =>
  Effect.gen(function*() {
    const say = sayOf(context, "redeem")
    const typed = fields.get("code") ?? ""
    if (typed.trim() === "") return yield* refuse({ code: say("none") })
    const redeemer = { userId: context.user.id, address: context.address }
    const { codeId } = yield* (yield* Redemptions).redeem(redeemer, Redacted.make(typed)).pipe(
      Effect.catchTags({
        CodeUnknown: () => Effect.fail(refuse({ code: say("unknown") })),
        CodeExpired: () => Effect.fail(refuse({ code: say("expired") })),
        CodeUsedUp: () => Effect.fail(refuse({ code: say("used") })),
        CodeRedeemed: () => Effect.fail(refuse({ code: say("mine") })),
        BuyerUnknown: () => Effect.fail(refuse({ form: context.say("problem.session") }, 403)),
        TooManyAttempts: (error) => Effect.fail(refuseBusy(context, error))
      })
    )
    return redirect(`${back}?redeemed=${codeId}`)
  })

/** What the code that the address names has given to this visitor; undefined when it names none of theirs. */
export const givenTo = (context: UserContext) =>
  Effect.gen(function*() {
    const codeId = context.isForm ? undefined : idOf(context.query.get("redeemed"))
    return codeId === undefined ? undefined : yield* (yield* Redemptions).given(context.user.id, codeId)
  })
