/**
 * Which accounts may be in a batch of the cheaper statement: those of which everything goes as in nearly all calls, and who owe nothing.
 */
import { assert, describe, it } from "@effect/vitest"
import { decide } from "../../src/accounts/AccountMachine.ts"
import { evolve } from "../../src/accounts/Evolution.ts"
import { type AccountState, type Command, emptyOutcome } from "../../src/accounts/AccountState.ts"
import { isPlain } from "../../src/accounts/JournalBatch.ts"
import type { JournalEntry } from "../../src/accounts/JournalEntry.ts"
import { accountState, reserveCommand, START_MS, usedTokens } from "../support/MachineAccount.ts"

/** The entries of commands that an account accepts one after the other. */
const entriesOf = (start: AccountState, commands: ReadonlyArray<Command>): ReadonlyArray<JournalEntry> => {
  let state = start
  return commands.map((command) => {
    const decision = decide(state, command, null)
    assert.strictEqual(decision._tag, "Accept", command._tag)
    if (decision._tag !== "Accept") throw new Error("not accepted")
    state = evolve(state, decision.event)
    return { event: decision.event, usdAfterMicros: state.usdMicros, owedAfterMicros: state.owedMicros }
  })
}

const commit = (tokens: bigint): Command => ({ _tag: "Commit", id: "r", outcome: usedTokens(tokens), atMs: START_MS })
const withdraw: Command = { _tag: "Void", id: "r", outcome: emptyOutcome }
const reserve = reserveCommand("r", 100n)
const free = reserveCommand("r", 100n, { billingEnabled: false })
const rich = accountState(1_000n)
const owing: AccountState = { ...accountState(0n), owedMicros: 5n }

describe("isPlain", () => {
  it.each<[what: string, state: AccountState, commands: ReadonlyArray<Command>, expected: boolean]>([
    ["a reserve", rich, [reserve], true],
    ["a reserve and its commit within the hold", rich, [reserve, commit(60n)], true],
    ["a reserve and its void", rich, [reserve, withdraw], true],
    ["a call that costs nothing", rich, [free, commit(60n)], true],
    ["a call that costs nothing, of a user who owes", owing, [free, commit(60n)], false],
    ["a commit above the hold", rich, [reserve, commit(150n)], false],
    ["a commit that leaves a debt", accountState(100n), [reserve, commit(150n)], false],
    ["a counted hold", rich, [reserveCommand("r", 100n, { counted: true })], false],
    ["an extension", rich, [reserve, {
      _tag: "Extend",
      id: "r",
      numerator: 200_000_000n,
      outputTokens: 2,
      atMs: START_MS
    }], false],
    ["an expiry", rich, [reserve, { _tag: "Expire", id: "r", mode: "refund" }], false],
    ["a void of what was never held", rich, [withdraw], false]
  ])("judges %s", (_, state, commands, expected) => {
    assert.strictEqual(isPlain({ entries: entriesOf(state, commands) }), expected)
  })
})
