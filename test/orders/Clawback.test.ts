import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import { type ClawbackFact, clawbackOf, debitOf } from "../../src/orders/Clawback.ts"
import { seeded } from "../support/Seeded.ts"

const PAID = 1_000n

const fact = (name: string, at: number, amount: number, subject: string | null, won = false): ClawbackFact => ({
  fact: name,
  amountMinor: BigInt(amount),
  atSeconds: BigInt(at),
  subject,
  won
})
const refunded = (at: number, sum: number) => fact("Refunded", at, sum, null)
const made = (amount: number, id = "re_1") => fact("RefundMade", 0, amount, id)
const refundFailed = (at: number, amount: number, id = "re_1") => fact("RefundFailed", at, amount, id)
const opened = (at: number, amount: number, id = "dp_1") => fact("DisputeOpened", at, amount, id)
const won = (at: number, amount: number, id = "dp_1") => fact("DisputeClosed", at, amount, id, true)
const lost = (at: number, amount: number, id = "dp_1") => fact("DisputeClosed", at, amount, id)

const shuffled = (
  facts: ReadonlyArray<ClawbackFact>,
  below: (bound: number) => number
): ReadonlyArray<ClawbackFact> => {
  const rest = [...facts]
  const mixed: Array<ClawbackFact> = []
  while (rest.length > 0) mixed.push(...rest.splice(below(rest.length), 1))
  return mixed
}

interface Row {
  readonly name: string
  readonly facts: ReadonlyArray<ClawbackFact>
  readonly back: number
  readonly state?: "disputed" | "lost" | "both"
}

const table: ReadonlyArray<Row> = [
  { name: "nothing", facts: [], back: 0 },
  { name: "a refund in part", facts: [refunded(1, 300)], back: 300 },
  {
    name: "refunds in part, told as a growing sum",
    facts: [refunded(1, 300), refunded(2, 500), refunded(3, 900)],
    back: 900
  },
  { name: "a refund in full", facts: [refunded(1, 1_000)], back: 1_000 },
  { name: "a refund that failed", facts: [made(300), refunded(1, 300), refundFailed(2, 300)], back: 0 },
  {
    name: "a failure of a refund that was never made known",
    facts: [made(300), refunded(1, 300), refundFailed(2, 200, "re_2")],
    back: 300
  },
  {
    name: "a failure told twice",
    facts: [made(300), refunded(1, 300), refundFailed(2, 300), refundFailed(3, 300)],
    back: 0
  },
  {
    name: "the second of two failed",
    facts: [made(300), made(500, "re_2"), refunded(1, 300), refunded(2, 800), refundFailed(3, 500, "re_2")],
    back: 300
  },
  {
    name: "the first of two failed before the second was made",
    facts: [made(300), refunded(1, 300), refundFailed(2, 300), refunded(3, 500)],
    back: 500
  },
  {
    name: "failed, and tried again in full",
    facts: [made(1_000), refunded(1, 1_000), refundFailed(2, 1_000), refunded(3, 1_000)],
    back: 1_000
  },
  {
    name: "both of two failed",
    facts: [
      made(300),
      made(500, "re_2"),
      refunded(1, 300),
      refunded(2, 800),
      refundFailed(3, 500, "re_2"),
      refundFailed(4, 300)
    ],
    back: 0
  },
  { name: "a failure of what was never told", facts: [refundFailed(1, 300)], back: 0 },
  { name: "a dispute", facts: [opened(1, 1_000)], back: 1_000, state: "disputed" },
  { name: "a dispute of a part", facts: [opened(1, 400)], back: 400, state: "disputed" },
  { name: "a dispute won", facts: [opened(1, 1_000), won(2, 1_000)], back: 0 },
  { name: "a dispute lost", facts: [opened(1, 1_000), lost(2, 1_000)], back: 1_000, state: "lost" },
  {
    name: "a dispute lost for less than it was about",
    facts: [opened(1, 1_000), lost(2, 400)],
    back: 400,
    state: "lost"
  },
  { name: "a dispute known only by its end", facts: [lost(2, 400)], back: 400, state: "lost" },
  { name: "won, and lost on appeal", facts: [opened(1, 400), won(2, 400), lost(3, 400)], back: 400, state: "lost" },
  { name: "lost, and won on appeal", facts: [opened(1, 400), lost(2, 400), won(3, 400)], back: 0 },
  { name: "won and lost in one second", facts: [won(2, 400), lost(2, 400)], back: 400, state: "lost" },
  {
    name: "one dispute lost, one open",
    facts: [opened(1, 300), lost(2, 300), opened(3, 200, "dp_2")],
    back: 500,
    state: "both"
  },
  { name: "a part refunded, a part disputed", facts: [refunded(1, 300), opened(2, 400)], back: 700, state: "disputed" },
  {
    name: "refunded and disputed in full: never above the payment",
    facts: [refunded(1, 1_000), opened(2, 1_000)],
    back: 1_000,
    state: "disputed"
  },
  {
    name: "refunded in full, and the dispute won: the refund stands",
    facts: [refunded(1, 1_000), opened(2, 1_000), won(3, 1_000)],
    back: 1_000
  },
  { name: "more refunded than paid", facts: [refunded(1, 5_000)], back: 1_000 },
  { name: "what names no dispute", facts: [fact("DisputeOpened", 1, 400, null)], back: 0 },
  { name: "the payment itself", facts: [fact("Paid", 1, 1_000, null)], back: 0 }
]

const At = Schema.BigInt.check(Schema.isBetweenBigInt({ minimum: 0n, maximum: 2n }))
const Amount = Schema.BigInt.check(Schema.isBetweenBigInt({ minimum: 0n, maximum: 1_200n }))
const Fact = Schema.Struct({
  fact: Schema.Literals(["Refunded", "RefundMade", "RefundFailed", "DisputeOpened", "DisputeClosed"]),
  // Small, so that the payment seldom hides a difference.
  amountMinor: Schema.BigInt.check(Schema.isBetweenBigInt({ minimum: 0n, maximum: 400n })),
  atSeconds: At,
  subject: Schema.NullOr(Schema.Literals(["a", "b"])),
  won: Schema.Boolean
})
const Facts = Schema.Array(Fact).check(Schema.isMaxLength(8))
const Seed = Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 1_000_000 }))
const runs = { arbitrary: { runs: 2_000, seed: 20_260_719 } }

describe("what refunds and disputes take back", () => {
  for (const { back, facts, name, state } of table) {
    it(`${name}, in every order and told again`, () => {
      const below = seeded(7)
      const expected = {
        backMinor: BigInt(back),
        isDisputed: state === "disputed" || state === "both",
        isLost: state === "lost" || state === "both"
      }
      assert.deepStrictEqual(clawbackOf(facts, PAID), expected)
      for (let round = 0; round < 50; round++) {
        assert.deepStrictEqual(clawbackOf(shuffled([...facts, ...facts.slice(below(3))], below), PAID), expected)
      }
    })
  }

  it.prop("neither order nor repetition changes it, whatever is told", [Facts, Seed], ([facts, seed]) => {
    const below = seeded(seed)
    const again = facts.filter(() => below(2) === 0)
    assert.deepStrictEqual(clawbackOf(shuffled([...facts, ...again], below), PAID), clawbackOf(facts, PAID))
  }, runs)

  it.prop("it is never above the payment and never below nothing", [Facts, Amount], ([facts, paid]) => {
    const { backMinor } = clawbackOf(facts, paid)
    assert.isTrue(backMinor >= 0n && backMinor <= paid)
  }, runs)

  it.prop("a dispute that is won takes back what is taken without it", [Facts, Amount], ([facts, amount]) => {
    const settled = [...facts, opened(1, Number(amount), "new"), won(2, Number(amount), "new")]
    assert.deepStrictEqual(clawbackOf(settled, PAID), clawbackOf(facts, PAID))
  }, runs)

  it.prop("a refund that fails gives back what it took", [Facts, Amount], ([facts, amount]) => {
    const disputes = facts.filter((told) => told.fact.startsWith("Dispute"))
    const failed = [
      ...disputes,
      made(Number(amount), "new"),
      refunded(1, Number(amount)),
      refundFailed(2, Number(amount), "new")
    ]
    assert.deepStrictEqual(clawbackOf(failed, PAID), clawbackOf(disputes, PAID))
  }, runs)

  it.prop("a debit is rounded down, never above the credit, and the whole credit for the whole payment", [
    Amount,
    Amount
  ], (
    [credit, back]
  ) => {
    const debit = debitOf(credit, back > PAID ? PAID : back, PAID)
    assert.isTrue(debit >= 0n && debit <= credit)
    assert.isTrue(debit * PAID <= credit * back)
    if (back < PAID) assert.isTrue((debit + 1n) * PAID > credit * back)
    assert.strictEqual(debitOf(credit, PAID, PAID), credit)
  }, runs)

  it("a payment of nothing takes nothing back", () => {
    assert.strictEqual(debitOf(1_000n, 0n, 0n), 0n)
  })
})
