/**
 * Sheets as PDF: with the glyphs that they need, over as many pages as they need, and bounded in number.
 */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { Pdfs, SHEETS_WAITING_MAX } from "../../src/platform/Pdfs.ts"
import type { Sheet } from "../../src/platform/Sheet.ts"

const sheet: Sheet = {
  title: "收据 Receipt #1",
  parties: [{ title: "销售方", lines: ["某某科技有限公司", "上海市浦东新区 1 号"] }, {
    title: "Buyer",
    lines: ["a@example.com"]
  }],
  facts: [["Paid", "2026-01-01"], ["支付方式", "支付宝"]],
  columns: ["Item", "Amount"],
  lines: [{ text: "Top-up", note: "", amount: "¥100.00" }, { text: "Refund", note: "2026", amount: "-¥10.00" }],
  total: ["Total", "¥90.00"],
  footer: "Issued by example.com"
}

const textOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString("latin1")

const pagesOf = (bytes: Uint8Array): number => Array.from(textOf(bytes).matchAll(/\/Type \/Page\b(?!s)/g)).length

describe("Pdfs", () => {
  it.live("prints Chinese and Latin with a font of its own", () =>
    Effect.gen(function*() {
      const bytes = yield* (yield* Pdfs).print(sheet)
      const text = textOf(bytes)
      assert.isTrue(text.startsWith("%PDF-1."))
      assert.match(text, /%%EOF\s*$/)
      assert.include(text, "NotoSansSC")
      assert.include(text, "FontFile2")
      assert.strictEqual(pagesOf(bytes), 1)
      assert.isBelow(bytes.length, 100_000)
    }).pipe(Effect.provide(Pdfs.layer)))

  it.live("goes on on another page, and wraps what is wider than a page", () =>
    Effect.gen(function*() {
      const pdfs = yield* Pdfs
      const lines = Array.from({ length: 200 }, (_, at) => ({ text: `Refund ${at}`, note: "today", amount: "-¥0.01" }))
      assert.isAbove(pagesOf(yield* pdfs.print({ ...sheet, lines })), 3)
      const wide = [{ title: "W", lines: ["W".repeat(400), "汉".repeat(300), "😀\u0000\ud800"] }]
      assert.isAbove(pagesOf(yield* pdfs.print({ ...sheet, parties: wide, title: "题".repeat(100) })), 0)
    }).pipe(Effect.provide(Pdfs.layer)))

  it.live("bounds how many wait, and prints again after", () =>
    Effect.gen(function*() {
      const pdfs = yield* Pdfs
      const asked = yield* Effect.forEach(
        Array.from({ length: SHEETS_WAITING_MAX + 5 }),
        () => Effect.result(pdfs.print(sheet)),
        { concurrency: "unbounded" }
      )
      assert.strictEqual(asked.filter(({ _tag }) => _tag === "Failure").length, 5)
      assert.isAbove((yield* pdfs.print(sheet)).length, 1_000)
    }).pipe(Effect.provide(Pdfs.layer)))
})
