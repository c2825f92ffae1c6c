/**
 * What is told where one person is not enough.
 */
import type { ConfirmationRefused } from "../../../platform/SecondPerson.ts"
import { type PageContext, sayOf } from "../PageContext.ts"

export const refusalText = (context: PageContext, reason: ConfirmationRefused["reason"]): string => {
  const say = sayOf(context, "confirmation")
  return {
    nobody: say("nobody"),
    role: say("role"),
    same: say("same"),
    closed: say("closed"),
    expired: say("expired"),
    changed: say("changed"),
    many: say("many")
  }[reason]
}
