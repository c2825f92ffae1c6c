/** The lines of a ledger: what calls did between two entries follows from the entries alone, and everything adds up to the balance. */
import { assert, describe, it } from "@effect/vitest"
import { DateTime } from "effect"
import { ledgerLines } from "../../src/accounts/LedgerLines.ts"
import type { LedgerItem } from "../../src/accounts/LedgerList.ts"
import { seeded } from "../support/Seeded.ts"

const at = (day: number): Date => DateTime.toDateUtc(DateTime.makeUnsafe(day * 86_400_000))

const entry = (id: number, more: Partial<LedgerItem>): LedgerItem => ({
  id: BigInt(id),
  seq: BigInt(id),
  kind: "topup",
  amountMicros: 0n,
  owedMicros: 0n,
  refType: "topup_order",
  refId: id.toString(),
  actor: "system",
  note: "",
  usdAfterMicros: 0n,
  owedAfterMicros: 0n,
  createdAt: at(id),
  ...more
})

/** A ledger as the database writes it, newest first, over calls that take and give back anything. */
const history = (seed: number, steps: number) => {
  const below = seeded(seed)
  const entries: Array<LedgerItem> = []
  let [usd, owed, calls] = [0n, 0n, 0n]
  for (let step = 0; step < steps; step++) {
    const amount = BigInt(below(1_000) + 1)
    const id = entries.length + 1
    const post = (more: Partial<LedgerItem>) =>
      entries.unshift(entry(id, { ...more, usdAfterMicros: usd, owedAfterMicros: owed }))
    switch (below(5)) {
      case 0: {
        usd += amount
        post({ amountMicros: amount })
        const part = owed < amount ? owed : amount
        if (part === 0n) break
        usd -= part
        owed -= part
        entries.unshift(
          entry(id + 1, { kind: "recovery", amountMicros: -part, usdAfterMicros: usd, owedAfterMicros: owed })
        )
        break
      }
      case 1: {
        const part = usd < amount ? usd : amount
        usd -= part
        owed += amount - part
        post({ kind: "refund", amountMicros: -part, owedMicros: amount - part })
        break
      }
      case 2: {
        const waived = owed < amount ? owed : amount
        if (waived === 0n) break
        owed -= waived
        post({ kind: "waiver", owedMicros: -waived })
        break
      }
      case 3: {
        // A call that costs more than there is.
        const part = usd < amount ? usd : amount
        usd -= part
        owed += amount - part
        calls -= part
        break
      }
      default: {
        // A hold that comes back, where nothing is owed.
        if (owed > 0n) break
        usd += amount
        calls += amount
      }
    }
  }
  return { entries, now: { usdMicros: usd, owedMicros: owed }, calls }
}

describe("the lines of a ledger", () => {
  it("add up to the balance, the debt and what calls moved, after any history and however it is cut into pages", () => {
    for (let seed = 1; seed <= 60; seed++) {
      const { calls, entries, now } = history(seed, 120)
      const whole = ledgerLines({ entries, older: undefined, now })
      let [usd, owed, byCalls] = [0n, 0n, 0n]
      for (const line of whole.toReversed()) {
        const moved = line._tag === "entry" ? line.entry : line
        usd += moved.amountMicros
        owed += moved.owedMicros
        if (line._tag === "entry" && line.entry.kind === "recovery") owed += line.entry.amountMicros
        if (line._tag === "calls") byCalls += line.amountMicros
        assert.deepStrictEqual([usd, owed], [moved.usdAfterMicros, moved.owedAfterMicros])
      }
      assert.deepStrictEqual([usd, owed, byCalls], [now.usdMicros, now.owedMicros, calls])
      const size = 7
      const pages = Array.from({ length: Math.ceil(entries.length / size) }, (_, page) =>
        ledgerLines({
          entries: entries.slice(page * size, (page + 1) * size),
          older: entries[(page + 1) * size],
          now: page === 0 ? now : undefined
        })).flat()
      if (entries.length > 0) assert.deepStrictEqual(pages, whole)
    }
  })

  it("have the calls since the newest entry on top, and those before the first at the end", () => {
    const first = entry(1, { amountMicros: 100n, usdAfterMicros: 100n })
    const second = entry(2, { amountMicros: 50n, usdAfterMicros: 110n })
    const lines = ledgerLines({ entries: [second, first], older: undefined, now: { usdMicros: 70n, owedMicros: 3n } })
    assert.deepStrictEqual(lines, [
      {
        _tag: "calls",
        belowId: 0n,
        since: at(2),
        until: null,
        amountMicros: -40n,
        owedMicros: 3n,
        usdAfterMicros: 70n,
        owedAfterMicros: 3n
      },
      { _tag: "entry", entry: second },
      {
        _tag: "calls",
        belowId: 2n,
        since: at(1),
        until: at(2),
        amountMicros: -40n,
        owedMicros: 0n,
        usdAfterMicros: 60n,
        owedAfterMicros: 0n
      },
      { _tag: "entry", entry: first }
    ])
  })

  it("say nothing of calls where an entry's balance was not written down", () => {
    const first = entry(1, { usdAfterMicros: null, owedAfterMicros: null })
    const second = entry(2, { usdAfterMicros: 5n })
    const lines = ledgerLines({ entries: [second, first], older: undefined, now: { usdMicros: 5n, owedMicros: 0n } })
    assert.deepStrictEqual(lines.map(({ _tag }) => _tag), ["entry", "entry"])
  })
})
