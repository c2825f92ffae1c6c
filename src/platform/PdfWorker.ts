/**
 * The thread that prints sheets as PDF: laying out a font with all of Chinese takes tens of milliseconds of computing, which calls under
 * way must not wait for. Gets a sheet, answers the bytes of an A4 document that carries the glyphs it uses.
 *
 * @internal
 */
import { readFileSync } from "node:fs"
import { createRequire } from "node:module"
import Pdf from "pdfkit"
import type { Sheet, SheetParty } from "./Sheet.ts"
import { memoryOf, serveOrders } from "./ServeOrders.ts"

const fontPath = "@expo-google-fonts/noto-sans-sc/400Regular/NotoSansSC_400Regular.ttf"

/** Read once: Chinese and Latin in one file. */
const font = readFileSync(createRequire(import.meta.url).resolve(fontPath))

// Points, 72 to an inch.
const MARGIN = 56
const GAP = 16
const AMOUNT_WIDTH = 130
const NAME_WIDTH = 150
const TITLE_SIZE = 20
const TEXT_SIZE = 10
const SMALL_SIZE = 8.5

const BLACK = "#1d273b"
const GREY = "#5c6675"
const LINE = "#d5dae1"

type Document = InstanceType<typeof Pdf>

/** Prints from the top down; what does not fit on a page goes on on the next. */
class Printer {
  private readonly doc: Document
  private readonly left = MARGIN
  private readonly width: number
  private readonly bottom: number
  private y = MARGIN

  constructor(title: string) {
    this.doc = new Pdf({ size: "A4", margin: MARGIN, info: { Title: title, Creator: "Realms" } })
    this.doc.registerFont("text", font).font("text")
    this.width = this.doc.page.width - 2 * MARGIN
    this.bottom = this.doc.page.height - MARGIN
  }

  private heightOf(text: string, size: number, width: number): number {
    return this.doc.fontSize(size).heightOfString(text, { width })
  }

  /** Makes room for something this high, on another page if need be. */
  private room(height: number): void {
    if (this.y + height <= this.bottom) return
    this.doc.addPage()
    this.y = MARGIN
  }

  private at(
    text: string,
    x: number,
    width: number,
    look: { size?: number; color?: string; right?: boolean } = {}
  ): void {
    const { color = BLACK, right = false, size = TEXT_SIZE } = look
    this.doc.fillColor(color).fontSize(size).text(text, x, this.y, { width, align: right ? "right" : "left" })
  }

  title(text: string): void {
    this.at(text, this.left, this.width, { size: TITLE_SIZE })
    this.y += this.heightOf(text, TITLE_SIZE, this.width) + GAP
  }

  rule(): void {
    this.doc.moveTo(this.left, this.y).lineTo(this.left + this.width, this.y).lineWidth(0.7).strokeColor(LINE).stroke()
    this.y += GAP / 2
  }

  parties(parties: ReadonlyArray<SheetParty>): void {
    const width = (this.width - GAP * (parties.length - 1)) / Math.max(1, parties.length)
    const top = this.y
    let end = top
    for (const [index, { lines, title }] of parties.entries()) {
      const x = this.left + index * (width + GAP)
      this.y = top
      this.at(title, x, width, { size: SMALL_SIZE, color: GREY })
      this.y += this.heightOf(title, SMALL_SIZE, width) + 2
      for (const line of lines) {
        this.at(line, x, width)
        this.y += this.heightOf(line, TEXT_SIZE, width)
      }
      end = Math.max(end, this.y)
    }
    this.y = end + GAP
  }

  fact(name: string, value: string): void {
    const width = this.width - NAME_WIDTH
    const height = Math.max(this.heightOf(name, TEXT_SIZE, NAME_WIDTH - GAP), this.heightOf(value, TEXT_SIZE, width))
    this.room(height)
    this.at(name, this.left, NAME_WIDTH - GAP, { color: GREY })
    this.at(value, this.left + NAME_WIDTH, width)
    this.y += height + 3
  }

  row(text: string, amount: string, look: { size?: number; color?: string } = {}): void {
    const width = this.width - AMOUNT_WIDTH - GAP
    const height = Math.max(
      this.heightOf(text, look.size ?? TEXT_SIZE, width),
      this.heightOf(amount, look.size ?? TEXT_SIZE, AMOUNT_WIDTH)
    )
    this.room(height)
    this.at(text, this.left, width, look)
    this.at(amount, this.left + this.width - AMOUNT_WIDTH, AMOUNT_WIDTH, { ...look, right: true })
    this.y += height + 3
  }

  space(): void {
    this.y += GAP
  }

  bytes(): Uint8Array {
    this.doc.end()
    const parts: Array<Uint8Array> = []
    // All of it is there; it is read piece by piece.
    for (let part: unknown = this.doc.read(); part instanceof Uint8Array; part = this.doc.read()) parts.push(part)
    return Buffer.concat(parts)
  }
}

const print = (sheet: Sheet): Uint8Array => {
  const printer = new Printer(sheet.title)
  printer.title(sheet.title)
  printer.parties(sheet.parties)
  printer.rule()
  for (const [name, value] of sheet.facts) printer.fact(name, value)
  printer.space()
  printer.row(...sheet.columns, { size: SMALL_SIZE, color: GREY })
  printer.rule()
  for (const { amount, note, text } of sheet.lines) {
    printer.row(text, amount)
    if (note !== "") printer.row(note, "", { size: SMALL_SIZE, color: GREY })
  }
  printer.rule()
  printer.row(...sheet.total, { size: TEXT_SIZE + 2 })
  printer.space()
  if (sheet.footer !== "") printer.row(sheet.footer, "", { size: SMALL_SIZE, color: GREY })
  return printer.bytes()
}

serveOrders((sheet: Sheet): ArrayBuffer | null => {
  try {
    return memoryOf(print(sheet))
  } catch {
    return null
  }
}, (answer) => answer === null ? [] : [answer])
