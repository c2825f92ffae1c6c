/** What an account makes of a command that it accepts, for benches that need its events. */
import { decide } from "../src/accounts/AccountMachine.ts"
import type { Event } from "../src/accounts/Decision.ts"
import { evolve } from "../src/accounts/Evolution.ts"
import type { AccountState, Command } from "../src/accounts/AccountState.ts"

/** Decides and applies; the state after it and the event. */
export const accepted = (
  state: AccountState,
  command: Command
): { readonly state: AccountState; readonly event: Event } => {
  const decision = decide(state, command)
  if (decision._tag !== "Accept") throw new Error(`the bench was answered ${decision._tag}`)
  return { state: evolve(state, decision.event), event: decision.event }
}
