/**
 * A sheet of paper, such as a receipt, as plain data in the words of its reader: what a page shows and a PDF prints alike.
 */

export interface SheetParty {
  readonly title: string
  /** Each may be longer than the sheet is wide. */
  readonly lines: ReadonlyArray<string>
}

export interface SheetLine {
  readonly text: string
  /** In small print below it; empty: nothing. */
  readonly note: string
  readonly amount: string
}

export interface Sheet {
  readonly title: string
  /** Side by side. */
  readonly parties: ReadonlyArray<SheetParty>
  readonly facts: ReadonlyArray<readonly [name: string, value: string]>
  readonly columns: readonly [text: string, amount: string]
  readonly lines: ReadonlyArray<SheetLine>
  readonly total: readonly [text: string, amount: string]
  readonly footer: string
}
