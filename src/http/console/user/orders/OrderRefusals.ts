/**
 * Why nothing can be ordered at this moment, whatever it is.
 */
import { refusing } from "../../Answer.ts"
import { type PageContext, sayOf } from "../../PageContext.ts"

export const orderingRefusals = (context: PageContext) => {
  const say = sayOf(context, "order")
  return {
    TooManyOpen: refusing({ form: say("tooMany") }),
    TooManyOrders: refusing({ form: say("tooFast") }, 429),
    BuyerUnknown: refusing({ form: context.say("problem.session") }, 403)
  }
}
