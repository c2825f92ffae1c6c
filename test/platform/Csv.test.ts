/**
 * Cells of files for spreadsheets: no text begins a formula, numbers stay numbers, and a line is read back as it was.
 */
import { assert, describe, it } from "@effect/vitest"
import { csvLine } from "../../src/platform/Csv.ts"

describe("a line of comma-separated values", () => {
  it.each([
    ["=1+1", "'=1+1"],
    ["+cmd", "'+cmd"],
    ["-cmd", "'-cmd"],
    ["@SUM(A1)", "'@SUM(A1)"],
    ["＝1+1", "'＝1+1"],
    ["＋cmd", "'＋cmd"],
    ["－cmd", "'－cmd"],
    ["＠SUM(A1)", "'＠SUM(A1)"],
    ["\t=1", "'\t=1"],
    ["\r=1", `"'\r=1"`],
    ["\n=1", `"'\n=1"`],
    [`=HYPERLINK("x","y")`, `"'=HYPERLINK(""x"",""y"")"`],
    ["-1+1", "'-1+1"],
    ["-1e5", "'-1e5"]
  ])("makes a text of %j", (value, written) => {
    assert.strictEqual(csvLine([value]), `${written}\r\n`)
  })

  it.each(["", "0", "-0.000123", "12.50", "a=b", "a＝b", "2026-01-01T00:00:00.000Z", "gpt-4o", "{\u007d"])(
    "leaves %j as it is",
    (value) => {
      assert.strictEqual(csvLine([value]), `${value}\r\n`)
    }
  )

  it("quotes what would end a cell or a line", () => {
    assert.strictEqual(csvLine(["a,b", `c"d`, "e\r\nf", "g"]), `"a,b","c""d","e\r\nf",g\r\n`)
  })
})
