/**
 * Plays a table of commands against account machines, one a user, and compares every answer and what the account has
 * after it: `command id user amount → answer  balance  owed  open`.
 */
import { assert } from "@effect/vitest"
import { HashMap } from "effect"
import type { Command } from "../../src/accounts/AccountState.ts"
import { emptyOutcome } from "../../src/accounts/AccountState.ts"
import {
  accountState,
  MachineAccount,
  NUMERATOR_PER_MICRO,
  postCommand,
  reserveCommand,
  START_MS,
  type Told,
  usedTokens,
  type WorldPost
} from "./MachineAccount.ts"

export const commandOf = (name: string, id: string, amount: bigint, atMs = START_MS): Command | WorldPost => {
  switch (name) {
    case "credit":
      return postCommand(id, amount, "strict")
    case "debit":
      return postCommand(id, -amount, "strict")
    case "dispute":
      return postCommand(id, -amount, "owe")
    case "reserve":
      return reserveCommand(id, amount, { atMs })
    case "record":
      return reserveCommand(id, amount, { billingEnabled: false, atMs })
    case "extend":
      return { _tag: "Extend", id, numerator: amount * NUMERATOR_PER_MICRO, outputTokens: 1, atMs }
    case "commit":
      return { _tag: "Commit", id, outcome: usedTokens(amount), atMs }
    case "void":
      return { _tag: "Void", id, outcome: emptyOutcome }
    case "expire":
      return { _tag: "Expire", id, mode: "refund" }
    case "collect":
      return { _tag: "Expire", id, mode: "charge" }
    default:
      throw new Error(`no command ${name}`)
  }
}

/** An answer in words. */
export const inWords = (told: Told): string => {
  if (told.how === "short") return `short ${told.availableMicros}`
  if (told.how === "refused") {
    const { error } = told
    if (error._tag === "InsufficientFunds") return `insufficient ${error.availableMicros}`
    if (error._tag === "FundsHeld") return `held ${error.availableMicros} by ${error.openHolds}`
    return error._tag === "ReservationLost" ? "lost" : error._tag
  }
  const again = told.how === "again" ? " (again)" : ""
  const { answer } = told
  if (answer._tag === "Posted") return `ok${again}`
  if (answer._tag === "Reservation") return `reserved ${answer.reservation.reservedMicros}${again}`
  const { chargedMicros, costMicros, late, state } = answer.settlement
  const of = chargedMicros === costMicros ? "" : ` of ${costMicros}`
  return `${state} ${chargedMicros}${of}${late ? " late" : ""}${again}`
}

/** Plays the rows in order; users begin with nothing. */
export const playTable = (table: string): void => {
  const users = new Map<string, MachineAccount>()
  const lines = table.split("\n").map((line) => line.trim()).filter((line) => line !== "")
  assert.match(lines[0] ?? "", /^command .* open$/, "a table begins with its head")
  for (const line of lines.slice(1)) {
    const [left = "", right = ""] = line.split("→")
    const [name = "", id = "", user = "", amount = "0"] = left.trim().split(/\s+/)
    const [answer, balance, owed, open] = right.trim().split(/\s{2,}/)
    const world = users.get(user) ?? new MachineAccount(accountState(0n))
    users.set(user, world)
    const told = inWords(world.tell(commandOf(name, id, BigInt(amount))))
    const { state } = world
    assert.deepStrictEqual(
      { answer: told, balance: state.usdMicros, owed: state.owedMicros, open: HashMap.size(state.open) },
      { answer, balance: BigInt(balance ?? ""), owed: BigInt(owed ?? ""), open: Number(open) },
      line
    )
  }
}
