/** The rule book of an attempt to pay, as a table: every status by every event. */
import { assert, describe, it } from "@effect/vitest"
import { type AttemptEvent, type AttemptStatus, evolveAttempt } from "../../src/orders/AttemptMachine.ts"

const events = ["Opened", "Refused", "UnderWay", "Paid", "OtherPaid", "SessionExpired", "Ended"] as const

// A star stands for payable.
const table: Readonly<Record<string, Readonly<Record<typeof events[number], string>>>> = {
  "open": {
    Opened: "open*",
    Refused: "closed",
    UnderWay: "processing",
    Paid: "paid",
    OtherPaid: "closed",
    SessionExpired: "closed",
    Ended: "closed"
  },
  "open*": {
    Opened: "open*",
    Refused: "closed*",
    UnderWay: "processing*",
    Paid: "paid",
    OtherPaid: "closed*",
    SessionExpired: "closed",
    Ended: "closed"
  },
  "processing": {
    Opened: "processing",
    Refused: "processing",
    UnderWay: "processing",
    Paid: "paid",
    OtherPaid: "processing",
    SessionExpired: "processing",
    Ended: "closed"
  },
  "processing*": {
    Opened: "processing*",
    Refused: "processing*",
    UnderWay: "processing*",
    Paid: "paid",
    OtherPaid: "processing*",
    SessionExpired: "processing",
    Ended: "closed"
  },
  "closed": {
    Opened: "closed*",
    Refused: "closed",
    UnderWay: "closed",
    Paid: "paid",
    OtherPaid: "closed",
    SessionExpired: "closed",
    Ended: "closed"
  },
  "closed*": {
    Opened: "closed*",
    Refused: "closed*",
    UnderWay: "closed*",
    Paid: "paid",
    OtherPaid: "closed*",
    SessionExpired: "closed",
    Ended: "closed"
  },
  "paid": {
    Opened: "paid",
    Refused: "paid",
    UnderWay: "paid",
    Paid: "paid",
    OtherPaid: "paid",
    SessionExpired: "paid",
    Ended: "paid"
  }
}

const states: ReadonlyMap<string, AttemptStatus["state"]> = new Map([
  ["open", "open"],
  ["processing", "processing"],
  ["closed", "closed"],
  ["paid", "paid"]
])

const statusOf = (text: string): AttemptStatus => ({
  state: states.get(text.replace("*", "")) ?? "open",
  payable: text.endsWith("*")
})

const textOf = ({ payable, state }: AttemptStatus): string => `${state}${payable ? "*" : ""}`

describe("evolveAttempt", () => {
  for (const [before, row] of Object.entries(table)) {
    for (const tag of events) {
      it(`${before}, ${tag}: ${row[tag]}`, () => {
        const event: AttemptEvent = { _tag: tag }
        const after = evolveAttempt(statusOf(before), event)
        assert.strictEqual(textOf(after), row[tag])
        assert.deepStrictEqual(evolveAttempt(after, event), after, "the same again changes nothing")
      })
    }
  }

  it("ends a paid attempt's page", () => {
    assert.deepStrictEqual(evolveAttempt({ state: "paid", payable: true }, { _tag: "Ended" }), {
      state: "paid",
      payable: false
    })
  })
})
