/**
 * Ids and amounts as they are typed on a command line: exact, or refused.
 */
import { assert, describe, it } from "@effect/vitest"
import { Option } from "effect"
import { parseId, parseUsd } from "../../src/cli/Parameters.ts"
import { UserId } from "../../src/domain/Ids.ts"

const amounts: ReadonlyArray<readonly [text: string, micros: bigint | undefined]> = [
  ["5.00", 5_000_000n],
  ["5", 5_000_000n],
  ["-1.25", -1_250_000n],
  ["+0.000001", 1n],
  ["$5.00", 5_000_000n],
  ["-$5.00", -5_000_000n],
  [" 5 ", 5_000_000n],
  ["0", undefined],
  ["-0.00", undefined],
  ["0.0000001", undefined],
  ["1e3", undefined],
  ["1,000", undefined],
  ["5.", undefined],
  ["$", undefined],
  ["$$5", undefined],
  ["", undefined],
  ["five", undefined],
  ["99999999999999999", undefined]
]

const ids: ReadonlyArray<readonly [text: string, id: bigint | undefined]> = [
  ["1", 1n],
  ["999999999999999999", 999_999_999_999_999_999n],
  ["9999999999999999999", undefined],
  ["-1", undefined],
  ["1.0", undefined],
  ["sk-abc", undefined],
  ["", undefined]
]

describe("Parameters", () => {
  for (const [text, micros] of amounts) {
    it(`takes "${text}" as ${micros === undefined ? "no amount" : `${micros} micros`}`, () => {
      assert.deepStrictEqual(parseUsd(text), Option.fromUndefinedOr(micros))
    })
  }

  for (const [text, id] of ids) {
    it(`takes "${text}" as ${id === undefined ? "no id" : `id ${id}`}`, () => {
      assert.deepStrictEqual(parseId(UserId)(text), Option.fromUndefinedOr(id))
    })
  }
})
