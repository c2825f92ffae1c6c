/** What refunds and disputes take back, and what a provider's tellings of them come to. */
import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import { clawbackOf, debitOf, type DisputeNow, type RefundNow } from "../../src/orders/Clawback.ts"
import { type DisputeEvent, foldDispute } from "../../src/orders/DisputeFold.ts"
import { refundAfter } from "../../src/orders/RefundFold.ts"
import { type RefundState, refundStates } from "../../src/payments/PaymentFact.ts"
import { seeded } from "../support/Seeded.ts"

const PAID = 1_000n

const refund = (amount: number, state: RefundState = "succeeded"): RefundNow => ({ amountMinor: BigInt(amount), state })
const dispute = (taken: number, standing: DisputeNow["standing"] = "open"): DisputeNow => ({
  takenMinor: BigInt(taken),
  standing
})

interface Row {
  readonly name: string
  readonly refunds?: ReadonlyArray<RefundNow>
  readonly disputes?: ReadonlyArray<DisputeNow>
  readonly back: number
  readonly isDisputed?: boolean
  readonly plan?: "suspended" | "ended"
}

const table: ReadonlyArray<Row> = [
  { name: "nothing", back: 0 },
  { name: "a refund in part", refunds: [refund(300)], back: 300 },
  { name: "two refunds in part", refunds: [refund(300), refund(500)], back: 800 },
  { name: "a refund in full", refunds: [refund(1_000)], back: 1_000, plan: "ended" },
  { name: "a refund in full, under way", refunds: [refund(1_000, "pending")], back: 1_000, plan: "suspended" },
  {
    name: "a refund that waits for the payer",
    refunds: [refund(1_000, "requires_action")],
    back: 1_000,
    plan: "suspended"
  },
  { name: "a refund that failed", refunds: [refund(1_000, "failed")], back: 0 },
  { name: "a refund that was cancelled, and another", refunds: [refund(600, "canceled"), refund(400)], back: 400 },
  {
    name: "the last part of a full refund under way",
    refunds: [refund(600), refund(400, "pending")],
    back: 1_000,
    plan: "suspended"
  },
  { name: "more than was paid", refunds: [refund(900), refund(300)], back: 1_000, plan: "ended" },
  { name: "a full dispute", disputes: [dispute(1_000)], back: 1_000, isDisputed: true, plan: "suspended" },
  { name: "a full dispute that is lost", disputes: [dispute(1_000, "closed")], back: 1_000, plan: "ended" },
  { name: "a dispute that is won", disputes: [dispute(0, "closed")], back: 0 },
  { name: "a dispute in part", disputes: [dispute(400)], back: 400, isDisputed: true },
  { name: "an inquiry", disputes: [dispute(0, "inquiry")], back: 0 },
  { name: "a dispute in an unknown state", disputes: [dispute(400, "unknown")], back: 400, isDisputed: true },
  { name: "a dispute in an unknown state, that has taken nothing", disputes: [dispute(0, "unknown")], back: 0 },
  {
    name: "a refund in part, and a dispute of all",
    refunds: [refund(300)],
    disputes: [dispute(1_000)],
    back: 1_000,
    isDisputed: true,
    plan: "suspended"
  },
  {
    name: "two disputes, one of them lost",
    disputes: [dispute(500, "closed"), dispute(500)],
    back: 1_000,
    isDisputed: true,
    plan: "suspended"
  }
]

const Amount = Schema.BigInt.check(Schema.isBetweenBigInt({ minimum: 1n, maximum: 2_000n }))
const runs = { arbitrary: { runs: 300 } }

describe("what refunds and disputes take back", () => {
  for (const { back, disputes = [], isDisputed = false, name, plan = "runs", refunds = [] } of table) {
    it(`${name}: ${back} of 1000, and a plan ${plan}`, () => {
      const found = clawbackOf({ refunds, disputes }, PAID)
      assert.deepStrictEqual(
        { back: found.backMinor, isDisputed: found.isDisputed, plan: found.plan },
        { back: BigInt(back), isDisputed, plan }
      )
      assert.strictEqual(found.refundedMinor + found.takenMinor, found.backMinor)
    })
  }

  it.prop("a debit is rounded down, never above the credit, and the whole credit for the whole payment", [
    Amount,
    Amount
  ], ([credit, back]) => {
    const debit = debitOf({ creditMicros: credit, backMinor: back > PAID ? PAID : back, paidMinor: PAID })
    assert.isTrue(debit >= 0n && debit <= credit)
    assert.isTrue(debit * PAID <= credit * back)
    if (back < PAID) assert.isTrue((debit + 1n) * PAID > credit * back)
    assert.strictEqual(debitOf({ creditMicros: credit, backMinor: PAID, paidMinor: PAID }), credit)
  }, runs)

  it("a payment of nothing takes nothing back", () => {
    assert.strictEqual(debitOf({ creditMicros: 1_000n, backMinor: 0n, paidMinor: 0n }), 0n)
  })
})

describe("what is known of a refund", () => {
  const States = Schema.Array(Schema.Literals(refundStates)).check(Schema.isMinLength(1), Schema.isMaxLength(6))

  const after = (told: ReadonlyArray<RefundState>, first: RefundState = "pending"): RefundState =>
    told.reduce(
      (known, state) => ({ state: refundAfter(known, state), isTold: true }),
      { state: first, isTold: false }
    ).state

  it.prop(
    "does not depend on the order of the events, except for how it came to nothing",
    [States, Schema.Int],
    ([told, seed]) => {
      const below = seeded(seed)
      const mixed = told.toSorted(() => below(3) - 1)
      const ended = (state: RefundState) => state === "canceled" ? "failed" : state
      assert.strictEqual(ended(after(mixed)), ended(after(told)))
    },
    runs
  )

  it("the provider's word takes the place of ours, also of a failure that root found", () => {
    assert.strictEqual(after(["succeeded"], "failed"), "succeeded")
    assert.strictEqual(after(["failed"], "succeeded"), "failed")
  })

  it.each<readonly [ReadonlyArray<RefundState>, RefundState]>([
    [["pending", "succeeded"], "succeeded"],
    [["succeeded", "pending"], "succeeded"],
    [["requires_action", "pending"], "requires_action"],
    [["succeeded", "failed", "succeeded"], "failed"],
    [["canceled", "pending", "succeeded"], "canceled"]
  ])("%j comes to %s", (told, state) => {
    assert.strictEqual(after(told), state)
  })
})

const event = (
  name: "closed" | "created" | "funds_reinstated" | "funds_withdrawn" | "updated",
  status: string,
  at: number,
  more: { readonly amount?: number; readonly taken?: number } = {}
): DisputeEvent => ({
  kind: `charge.dispute.${name}`,
  status,
  atSeconds: BigInt(at),
  amountMinor: BigInt(more.amount ?? 1_000),
  takenMinor: more.taken === undefined ? null : BigInt(more.taken)
})

/** What was said of a dispute, what it is then, and how much of its payment it has taken. */
const folds: ReadonlyArray<
  readonly [
    what: string,
    events: ReadonlyArray<Parameters<typeof event>>,
    status: string,
    standing: string,
    taken?: number
  ]
> = [
  ["opened", [["created", "needs_response", 1]], "needs_response", "open", 1_000],
  ["in part", [["created", "needs_response", 1, { amount: 400 }]], "needs_response", "open", 400],
  [
    "opened and withdrawn in one second",
    [["created", "needs_response", 1], ["funds_withdrawn", "needs_response", 1]],
    "needs_response",
    "open",
    1_000
  ],
  ["answered", [["created", "needs_response", 1], ["updated", "under_review", 2]], "under_review", "open", 1_000],
  ["won", [["created", "needs_response", 1], ["closed", "won", 3]], "won", "closed", 0],
  [
    "won, its money still to come",
    [["funds_withdrawn", "needs_response", 1], ["closed", "won", 3]],
    "won",
    "closed",
    1_000
  ],
  [
    "won, reinstated in the same second",
    [["funds_withdrawn", "needs_response", 1], ["funds_reinstated", "won", 3], ["closed", "won", 3]],
    "won",
    "closed",
    0
  ],
  ["lost", [["created", "needs_response", 1], ["closed", "lost", 3]], "lost", "closed", 1_000],
  ["an inquiry", [["created", "warning_needs_response", 1]], "warning_needs_response", "inquiry", 0],
  [
    "an inquiry that became a dispute",
    [["created", "warning_needs_response", 1], ["funds_withdrawn", "needs_response", 5]],
    "needs_response",
    "open",
    1_000
  ],
  [
    "an inquiry that was closed",
    [["created", "warning_needs_response", 1], ["closed", "warning_closed", 9]],
    "warning_closed",
    "inquiry",
    0
  ],
  ["prevented", [["created", "prevented", 1]], "prevented", "inquiry", 0],
  ["on appeal", [["updated", "appeal_review", 4]], "appeal_review", "open", 1_000],
  ["of a state that is not known", [["created", "shuffled", 1]], "shuffled", "unknown"],
  [
    "with what the balance says",
    [["created", "needs_response", 1, { taken: 990 }], ["updated", "needs_response", 2, { taken: 980 }]],
    "needs_response",
    "open",
    980
  ],
  [
    "won, with a balance that does not know of the reinstatement in the same second",
    [["funds_withdrawn", "needs_response", 1, { taken: 1_000 }], ["funds_reinstated", "won", 3, { taken: 0 }], [
      "closed",
      "won",
      3,
      { taken: 1_000 }
    ]],
    "won",
    "closed",
    0
  ],
  [
    "with what the balance says at its end",
    [["funds_withdrawn", "needs_response", 1], ["closed", "won", 3, { taken: 0 }]],
    "won",
    "closed",
    0
  ]
]

const Events = Schema.Array(Schema.Struct({
  kind: Schema.Literals(
    ["created", "updated", "funds_withdrawn", "funds_reinstated", "closed"].map((name) => `charge.dispute.${name}`)
  ),
  status: Schema.Literals(["needs_response", "under_review", "won", "lost", "warning_closed", "prevented", "other"]),
  atSeconds: Schema.Literals([1n, 2n, 3n]),
  amountMinor: Schema.Literals([400n, 1_000n]),
  takenMinor: Schema.NullOr(Schema.Literals([0n, 400n]))
})).check(Schema.isMinLength(1), Schema.isMaxLength(8))

describe("what a dispute is, by what was said of it", () => {
  for (const [what, said, status, standing, taken] of folds) {
    it(`${what}, in every order and told again`, () => {
      const below = seeded(7)
      const events = said.map((one) => event(...one))
      for (let round = 0; round < 20; round++) {
        const mixed = [...events, ...events.slice(below(events.length))].toSorted(() => below(3) - 1)
        const fold = foldDispute(mixed)
        assert.deepStrictEqual(
          [fold?.newest.status, fold?.standing, fold?.takenMinor],
          [status, standing, taken === undefined ? undefined : BigInt(taken)]
        )
      }
    })
  }

  it.prop("neither order nor repetition changes it, whatever is told", [Events, Schema.Int], ([events, seed]) => {
    const below = seeded(seed)
    const again = events.filter(() => below(2) === 0)
    const mixed = [...events, ...again].toSorted(() => below(3) - 1)
    assert.deepStrictEqual(foldDispute(mixed), foldDispute(events))
  }, runs)

  it("nothing was said", () => {
    assert.isUndefined(foldDispute([]))
  })
})
