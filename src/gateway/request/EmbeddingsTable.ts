/**
 * The admission table of `POST /v1/embeddings`: input only, so nothing of it depends on an answer's length.
 *
 * @internal
 */
import {
  dropped,
  either,
  type Fields,
  fields,
  integer,
  list,
  oneOf,
  priced,
  setting,
  text,
  together
} from "./Admission.ts"
import { callerFields, modelField, refusedFields, unseenFields } from "./CommonFields.ts"

/** Largest length of a vector that may be asked for. */
const DIMENSIONS_MAX = 65_536

export const embeddingsFields: Fields = together(
  modelField,
  fields({
    input: priced(
      either(text, { kind: "tokens" }, list(either(text, { kind: "tokens" }), { least: 1, unit: "message" })),
      "Text, a token array, or a list of either.",
      { unit: "message" }
    ),
    dimensions: setting(integer(1, DIMENSIONS_MAX)),
    encoding_format: setting(oneOf("float", "base64")),
    input_type: setting(text),
    truncate: setting(text)
  }),
  callerFields,
  unseenFields,
  fields({ messages: dropped("The input of embeddings is `input`.") }),
  refusedFields
)
