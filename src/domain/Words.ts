/**
 * What is said by a code and the values that its words need, so that it can be worded where it is read, in the reader's language.
 */
import { Record, Schema } from "effect"

/** Puts values in the places of a text, written `{name}`; a place without a value is left empty. */
const fillWords = (text: string, values: Readonly<Record<string, string>>): string =>
  text.replace(/\{(\w+)\}/g, (_, name: string) => values[name] ?? "")

interface Said<Code> {
  readonly code: Code
  readonly values: Readonly<Record<string, string>>
}

/** What can be said by these codes, each with its words for programs and logs; a value's place is written `{name}`. */
export const codedWords = <const Code extends string>(words: Readonly<Record<Code, string>>) => ({
  schema: Schema.Struct({
    code: Schema.Literals(Record.keys(words)),
    values: Schema.Record(Schema.String, Schema.String)
  }),
  say: (code: Code, values: Said<Code>["values"] = {}): Said<Code> => ({ code, values }),
  wordsOf: ({ code, values }: Said<Code>): string => fillWords(words[code], values)
})
