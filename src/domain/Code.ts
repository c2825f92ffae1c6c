/**
 * The codes by which files, the API and other rows name plans and groups. A code never changes.
 */
import { Option, Schema } from "effect"
import type { Field } from "./Model.ts"
import { textMatching } from "./Scalars.ts"

export const CODE_CHARACTERS_MAX = 40

const codePattern = /^[a-z0-9-]{1,40}$/

export const isCode = (code: string): boolean => codePattern.test(code)

/** A code in a file. */
export const CodeText = textMatching(codePattern, "1 to 40 of a-z, 0-9 and -")

/** The code of something else, or null for none, which is what it means to leave it out. */
export const codeOrNull = ({ key }: { readonly key: string }): Field<string | null> => ({
  kind: { is: "text", charactersMax: CODE_CHARACTERS_MAX, isOptional: true },
  value: Schema.NullOr(Schema.String.check(Schema.isPattern(codePattern))),
  row: Schema.NullOr(Schema.String),
  json: Schema.NullOr(Schema.String),
  text: CodeText,
  typed: Schema.NullOr(Schema.String),
  otherwise: Option.some(null),
  mayBeEmpty: true,
  key
})
