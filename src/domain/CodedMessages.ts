/**
 * Messages that are kept as a code and values. A page words them in its reader's language; the words here are for programs and logs.
 */
import { Record, Schema } from "effect"

interface CodedMessage<Code> {
  readonly code: Code
  readonly values: Readonly<Record<string, string>>
}

/** `texts` has the words of each code. A value's place is written `{name}`, and is left empty without a value. */
export const codedMessages = <const Code extends string>(texts: Readonly<Record<Code, string>>) => ({
  schema: Schema.Struct({
    code: Schema.Literals(Record.keys(texts)),
    values: Schema.Record(Schema.String, Schema.String)
  }),
  message: (code: Code, values: CodedMessage<Code>["values"] = {}): CodedMessage<Code> => ({ code, values }),
  textOf: ({ code, values }: CodedMessage<Code>): string =>
    texts[code].replace(/\{(\w+)\}/g, (_, name: string) => values[name] ?? "")
})
