/**
 * Which token counts are charged, as a table: reported ones within their bounds, expected ones for what is missing or cannot be
 * true, and what is flagged.
 */
import { assert, describe, it } from "@effect/vitest"
import type { Basis } from "../../../src/gateway/CallEnd.ts"
import { nothingReported, type ReportedUsage } from "../../../src/gateway/meter/Reported.ts"
import { settledUsage, type UsageEvidence } from "../../../src/gateway/meter/SettledUsage.ts"

const evidence = (reported: Partial<ReportedUsage>, more: Partial<UsageEvidence> = {}): UsageEvidence => ({
  bounds: {
    input: { lower: 2, ceiling: 1_000, held: 1_000, heldText: 900, heldRest: 100, textBytes: 200, integers: 0 },
    output: { limitPerChoice: 100, ceiling: 100, reasoningCeiling: 400 },
    overheadTokensExpected: 4,
    toolCalls: 0
  },
  reported: { ...nothingReported, ...reported },
  hasOutput: true,
  outputLower: 1,
  outputAfterUsage: false,
  contextTokens: null,
  ...more
})

const input = (uncached: number, cached = 0, written = 0) => ({ uncached, cached, written })

interface Row {
  readonly title: string
  readonly found: UsageEvidence
  readonly basis?: Basis
  /** Uncached, cached, written, output. */
  readonly charged: readonly [number, number, number, number]
  readonly source: "upstream" | "estimated"
  readonly flags?: ReadonlyArray<string>
  readonly excess?: number
}

const table: ReadonlyArray<Row> = [
  {
    title: "what was reported is charged",
    found: evidence({ input: input(32), output: 9 }),
    charged: [32, 0, 0, 9],
    source: "upstream"
  },
  {
    title: "reasoning beside the completion is output",
    found: evidence({ input: input(32), output: 9, reasoningOutside: 94, reasoning: 94 }),
    charged: [32, 0, 0, 103],
    source: "upstream"
  },
  {
    title: "completion and reasoning have their own ceilings",
    found: evidence({ input: input(32), output: 3_000, reasoningOutside: 1_000 }),
    charged: [32, 0, 0, 500],
    source: "upstream",
    flags: ["output_clamped"]
  },
  {
    title: "an impossible count is clamped to the limit",
    found: evidence({ input: input(32), output: Number.MAX_SAFE_INTEGER }),
    charged: [32, 0, 0, 100],
    source: "upstream",
    flags: ["output_clamped"]
  },
  {
    title: "input above the ceiling is clamped, the dearest part first",
    found: evidence({ input: input(900, 150, 50), output: 9 }),
    charged: [850, 150, 0, 9],
    source: "upstream",
    flags: ["input_clamped"],
    excess: 100
  },
  {
    title: "an input that is too large for exact numbers is clamped all the same",
    found: evidence({ input: input(1e300, 0, 1e308), output: 9 }),
    charged: [1_000, 0, 0, 9],
    source: "upstream",
    flags: ["input_clamped"],
    excess: Number.MAX_SAFE_INTEGER
  },
  {
    title: "missing counts are estimated",
    found: evidence({}),
    charged: [50, 0, 0, 60],
    source: "estimated"
  },
  {
    title: "a missing output alone is estimated",
    found: evidence({ input: input(32) }),
    charged: [32, 0, 0, 60],
    source: "estimated"
  },
  {
    title: "zeros are missing where something was delivered",
    found: evidence({ input: input(0), output: 0 }),
    charged: [50, 0, 0, 60],
    source: "estimated"
  },
  {
    title: "zeros are true where nothing was delivered",
    found: evidence({ input: input(0), output: 0 }, { hasOutput: false, outputLower: 0 }),
    charged: [0, 0, 0, 0],
    source: "upstream"
  },
  {
    title: "a count below the lower bound is missing",
    found: evidence({ input: input(1), output: 3 }, { outputLower: 8 }),
    charged: [50, 0, 0, 60],
    source: "estimated"
  },
  {
    title: "output behind the last usage is added",
    found: evidence({ input: input(32), output: 9 }, { outputAfterUsage: true }),
    charged: [32, 0, 0, 16],
    source: "estimated"
  },
  {
    title: "what the total says beyond its parts is output",
    found: evidence({ input: input(32), output: 9, unexplained: 5 }),
    charged: [32, 0, 0, 14],
    source: "upstream",
    flags: ["total_unexplained"]
  },
  {
    title: "what the total says beyond its parts is the prompt where that is missing",
    found: evidence({ input: input(1), output: 9, unexplained: 30 }),
    charged: [31, 0, 0, 9],
    source: "upstream"
  },
  {
    title: "a total explains nothing where prompt and completion are missing",
    found: evidence({ input: input(1), output: 1, unexplained: 30 }, { outputLower: 8 }),
    charged: [50, 0, 0, 60],
    source: "estimated"
  },
  {
    title: "input above the context is charged and flagged",
    found: evidence({ input: input(600), output: 9 }, { contextTokens: 500 }),
    charged: [600, 0, 0, 9],
    source: "upstream",
    flags: ["above_context"]
  },
  {
    title: "a cut answer is charged what is expected",
    found: evidence({ input: input(32), output: 9 }),
    basis: "expected",
    charged: [50, 0, 0, 60],
    source: "estimated"
  },
  {
    title: "an upstream that ignores its limit is charged at the limit",
    found: evidence({ input: input(32), output: 900 }),
    basis: "limit",
    charged: [32, 0, 0, 100],
    source: "estimated",
    flags: ["limit_ignored"]
  }
]

describe("settledUsage", () => {
  for (const row of table) {
    it(row.title, () => {
      const settled = settledUsage(
        row.basis ?? "reported",
        row.found,
        { input: 50, output: 60, outputAfterUsage: 7 },
        { input: 1_000, output: 500 }
      )
      const { cacheWriteTokens, cachedInputTokens, inputTokens, outputTokens } = settled.usage
      assert.deepStrictEqual([inputTokens, cachedInputTokens, cacheWriteTokens, outputTokens], row.charged)
      assert.strictEqual(settled.source, row.source)
      assert.deepStrictEqual(settled.flags, row.flags ?? [])
      assert.strictEqual(settled.excessTokens, row.excess ?? 0)
    })
  }

  it("charges no estimate beyond what is held", () => {
    const settled = settledUsage(
      "expected",
      evidence({}),
      { input: 5_000, output: 6_000, outputAfterUsage: 0 },
      { input: 300, output: 80 }
    )
    assert.deepStrictEqual([settled.usage.inputTokens, settled.usage.outputTokens], [300, 80])
  })

  it("charges priced tools up to the calls that were held", () => {
    const found = evidence({ input: input(32), output: 9, tools: { webSearch: 9, fileSearch: 2 } })
    const priced = { ...found, bounds: { ...found.bounds, toolCalls: 5 } }
    const use = (from: UsageEvidence) =>
      settledUsage("reported", from, { input: 0, output: 0, outputAfterUsage: 0 }, { input: 0, output: 0 }).usage.tools
    assert.deepStrictEqual(use(priced), { webSearch: 5, fileSearch: 0 })
    assert.isUndefined(use(found))
  })
})
