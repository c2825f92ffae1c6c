/** How lines add up, for movements of every kind and for random stretches of time. */
import { assert, describe, it } from "@effect/vitest"
import { Record } from "effect"
import { isLedgerKind, type LedgerKind, ledgerKinds } from "../../src/accounts/LedgerKinds.ts"
import {
  balanceLines,
  type Books,
  booksAfter,
  type CashKind,
  encodeBooks,
  isCashKind,
  joinAll,
  type Movements,
  noBooks,
  noMovements
} from "../../src/finance/StatementLines.ts"
import { seeded } from "../support/Seeded.ts"

const kinds = Object.keys(ledgerKinds).filter(isLedgerKind)

const cashKinds: ReadonlyArray<CashKind> = [
  "payment",
  "payment_correction",
  "manual",
  "refund",
  "refund_returned",
  "dispute",
  "dispute_returned",
  "in_review",
  "dismissed",
  "plan_sold",
  "plan_returned"
]

const entry = (kind: LedgerKind, amountMicros: bigint, owedMicros = 0n): Movements => ({
  ...noMovements,
  ledger: [{ kind, amountMicros, owedMicros }]
})

const sum = (amounts: { readonly [line: string]: bigint }) => Record.values(amounts).reduce((all, one) => all + one, 0n)

const touched = (lines: { readonly [line: string]: bigint }) =>
  Object.entries(lines).filter(([, amount]) => amount !== 0n).map(([line, amount]) => [line, amount])

const anyMovements = (below: ReturnType<typeof seeded>): Movements => ({
  ledger: Array.from({ length: below(6) }, () => ({
    kind: kinds[below(kinds.length)] ?? "topup",
    amountMicros: BigInt(below(2_000)) - 1_000n,
    owedMicros: BigInt(below(100))
  })).map((row) => row.kind === "waiver" ? { kind: row.kind, amountMicros: 0n, owedMicros: -row.owedMicros } : row),
  calls: { chargedMicros: BigInt(below(500)), shortMicros: BigInt(below(50)) },
  cash: Array.from({ length: below(6) }, () => ({
    kind: cashKinds[below(cashKinds.length)] ?? "payment",
    provider: ["epay", "stripe"][below(2)] ?? "epay",
    currency: ["cny", "usd"][below(2)] ?? "cny",
    amountMinor: BigInt(below(2_000)) - 1_000n
  }))
})

const checkSums = ({ balances, cash, debts }: Books) => {
  assert.strictEqual(balances.closing, balances.opening + sum(balances.lines))
  assert.strictEqual(debts.closing, debts.opening + sum(debts.lines))
  for (const { lines, net } of cash) assert.strictEqual(net, sum(lines))
}

describe("lines of statements", () => {
  it.each(kinds)("have entries of the kind %s in exactly one line", (kind) => {
    const moved = kind === "waiver" ? entry(kind, 0n, -7n) : entry(kind, 7n)
    const { balances, debts } = booksAfter(noBooks, moved, new Map())
    const line = ledgerKinds[kind].line
    if (kind === "waiver") {
      assert.deepStrictEqual([touched(balances.lines), touched(debts.lines)], [[], [["waived", -7n]]])
    } else {
      assert.isTrue(Object.hasOwn(balanceLines, line), line)
      assert.deepStrictEqual(touched(balances.lines), [[line, 7n]])
    }
  })

  it.each(cashKinds)("have movements of the kind %s in exactly one line", (kind) => {
    assert.isTrue(isCashKind(kind))
    const { cash, plans } = booksAfter(noBooks, {
      ...noMovements,
      cash: [{ kind, provider: "epay", currency: "cny", amountMinor: 7n }]
    }, new Map())
    const lines = [
      ...cash.flatMap((one) => touched({ ...one.lines, ...one.unallocated })),
      ...plans.flatMap((one) => touched(one.lines))
    ]
    assert.strictEqual(lines.length, 1, JSON.stringify(lines.map(([line]) => line)))
  })

  it("know no other kind", () => {
    assert.isFalse(isLedgerKind("gift"))
    assert.isFalse(isCashKind("gift"))
    assert.isFalse(isLedgerKind("toString"))
    assert.isFalse(isCashKind("toString"))
  })

  it("charge calls to balances, and have what could not be collected as a debt beside them", () => {
    const { balances, debts } = booksAfter(noBooks, {
      ledger: [
        { kind: "topup", amountMicros: 100n, owedMicros: 0n },
        { kind: "refund", amountMicros: -30n, owedMicros: 20n },
        { kind: "recovery", amountMicros: -5n, owedMicros: 0n }
      ],
      calls: { chargedMicros: 65n, shortMicros: 8n },
      cash: []
    }, new Map())
    assert.strictEqual(balances.closing, 0n)
    assert.deepStrictEqual(debts, {
      opening: 0n,
      lines: { calls: 8n, clawbacks: 20n, collected: -5n, waived: 0n },
      closing: 23n
    })
  })

  it("make one of many stretches what they make all at once, whatever happened in them", () => {
    const below = seeded(12)
    for (let run = 0; run < 200; run++) {
      const stretches = Array.from({ length: 1 + below(5) }, () => anyMovements(below))
      let before = noBooks
      const each: Array<Books> = []
      for (const stretch of stretches) {
        const books = booksAfter(before, stretch, new Map([["cny", BigInt(below(100))]]))
        checkSums(books)
        assert.strictEqual(books.balances.opening, before.balances.closing)
        assert.strictEqual(books.debts.opening, before.debts.closing)
        each.push(books)
        before = books
      }
      const atOnce = booksAfter(noBooks, {
        ledger: stretches.flatMap(({ ledger }) => ledger),
        calls: {
          chargedMicros: stretches.reduce((all, { calls }) => all + calls.chargedMicros, 0n),
          shortMicros: stretches.reduce((all, { calls }) => all + calls.shortMicros, 0n)
        },
        cash: stretches.flatMap(({ cash }) => cash)
      }, new Map(before.plans.map(({ currency, unearned }) => [currency, unearned])))
      assert.deepStrictEqual(encodeBooks(joinAll(noBooks, each)), encodeBooks(atOnce))
    }
  })
})
