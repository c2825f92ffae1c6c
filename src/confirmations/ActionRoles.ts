/**
 * Which roles may ask for an action and confirm it: those that may do it alone below the limit. The routes of the administration
 * follow the same rule in `http/AdminPolicy.ts`; a test compares the two.
 */
import type { Role } from "../identity/Roles.ts"
import type { ConfirmedAction } from "../platform/SecondPerson.ts"

const financeActions: ReadonlySet<ConfirmedAction> = new Set([
  "payment.accept",
  "payment.credit",
  "payment.refund",
  "order.complete",
  "order.refund",
  "refund.fail"
])

export const mayDo = (role: Role, action: ConfirmedAction): boolean =>
  role === "root" || (role === "finance" && financeActions.has(action))
