/**
 * What the accounts follow and do not decide themselves: what happens to a hold whose lease has passed.
 */
import { Context } from "effect"

export class AccountPolicy extends Context.Service<AccountPolicy, {
  /** `refund` returns an expired hold, `charge` collects it in full. Asked at each sweep. */
  expiredReservation(): "refund" | "charge"
}>()("realms/accounts/AccountPolicy") {}
