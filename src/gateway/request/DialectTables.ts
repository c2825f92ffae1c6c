/**
 * The admission table of each dialect, and which of its fields limit the output.
 *
 * @internal
 */
import type { Fields } from "./Admission.ts"
import type { Dialect, OutputLimitField } from "./Call.ts"
import { chatFields } from "./ChatTable.ts"
import { embeddingsFields } from "./EmbeddingsTable.ts"
import { responsesFields } from "./ResponsesTable.ts"

export interface DialectTable {
  readonly fields: Fields
  /** The field that holds the input; a call must have it. */
  readonly input: string
  /** The client may set one of them. */
  readonly limits: ReadonlyArray<OutputLimitField>
}

export const dialectTables: Readonly<Record<Dialect, DialectTable>> = {
  chat: { fields: chatFields, input: "messages", limits: ["max_tokens", "max_completion_tokens"] },
  responses: { fields: responsesFields, input: "input", limits: ["max_output_tokens"] },
  embeddings: { fields: embeddingsFields, input: "input", limits: [] }
}
