/**
 * Why a provider's file is refused: a code and values. Pages word it in the reader's language; the words here are for the command
 * line, the API and logs.
 */
import type { Schema } from "effect"
import { codedMessages } from "../domain/CodedMessages.ts"

/** Words by code; a value's place is written `{name}`. */
export const billProblemWords = {
  empty: "the file is empty",
  long_line: "a line or record of more than {bytes} bytes",
  encoding: "bytes that are not {encoding}",
  quote_open: "a quote is not closed",
  quote_end: "something other than a comma follows a closing quote",
  quote_begin: "a quote within a field that does not begin with one",
  fields: "a record of {found} columns, which is not as many as the first line has",
  unreadable: "it cannot be read: {text}",
  no_column: 'there is no column "{title}"; there are {titles}',
  two_columns: 'there are two columns "{title}"',
  not_amount: "not an amount in {currency}",
  not_currency: "not a currency",
  not_id: "not an id",
  not_time: "not a time",
  twice: 'the {kind} "{id}" is in the file twice',
  categories: "more than {max} categories"
} as const

export type BillProblemCode = keyof typeof billProblemWords

export const { message: billProblem, schema: BillProblem, textOf: billProblemText } = codedMessages(billProblemWords)
export interface BillProblem extends Schema.Schema.Type<typeof BillProblem> {}
