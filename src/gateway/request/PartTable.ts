/**
 * Content parts of both dialects that have them. A part without a known type is refused: it is unknown what an upstream would
 * make of it.
 *
 * @internal
 */
import {
  client,
  clientWithPictures,
  either,
  type Fields,
  fields,
  forwarded,
  list,
  object,
  refused,
  scalar,
  setting,
  type Shape,
  text,
  together,
  type Variant,
  type Variants,
  variants
} from "./Admission.ts"
import { cacheBreakpoint, cacheControl } from "./CommonFields.ts"

const unseen = "The gateway cannot see or bound it. Send the content inline."

const common: Fields = fields({
  cache_control: setting(cacheControl),
  prompt_cache_breakpoint: setting(cacheBreakpoint),
  extra_content: forwarded(clientWithPictures),
  file_id: refused(unseen),
  file_url: refused(unseen)
})

const part = (own: Fields, note: string, options: { readonly reasoning?: true } = {}): Variant => ({
  treatment: "forwarded",
  fields: together(common, own),
  note,
  ...options
})

const written = (note: string, options: { readonly reasoning?: true } = {}): Variant =>
  part(
    fields({
      text: forwarded(text),
      annotations: forwarded(clientWithPictures),
      citations: forwarded(client),
      logprobs: forwarded(client),
      parsed: forwarded(client)
    }),
    note,
    options
  )

/** An image by its URL, bare or as the `url` of an object. */
const picture: Shape = either(
  { kind: "imageUrl" },
  object(fields({ url: forwarded({ kind: "imageUrl" }), detail: setting(text), file_id: refused(unseen) }))
)

const image: Variant = part(
  fields({ image_url: forwarded(picture), detail: setting(text) }),
  "Counted as an image, by `https:` or `data:image/…;base64,`; another type of data as an inline file."
)

const file: Shape = object(fields({
  file_data: forwarded({ kind: "fileData" }),
  filename: forwarded({ kind: "fileKind" }),
  format: setting({ kind: "fileKind" }),
  file_id: refused(unseen),
  file_url: refused(unseen)
}))

const noSound: Variant = { treatment: "refused", fields: fields({}), note: "Audio and video are not metered." }

export const partTypes: Variants = variants("content part", {
  text: written("Counted as text."),
  input_text: written("Counted as text."),
  output_text: written("Counted as text."),
  summary_text: written("Counted as text."),
  reasoning_text: written("Counted as text.", { reasoning: true }),
  refusal: part(fields({ refusal: forwarded(text) }), "Counted as text."),
  thinking: part(
    fields({
      thinking: forwarded(either(text, list({ kind: "variant", of: () => partTypes }, { unit: "part" }))),
      signature: forwarded(text),
      closed: forwarded(scalar)
    }),
    "Counted as text.",
    { reasoning: true }
  ),
  redacted_thinking: part(fields({ data: forwarded(text) }), "Counted as text.", { reasoning: true }),
  encrypted_content: part(fields({ encrypted_content: forwarded(text) }), "Counted as text.", { reasoning: true }),
  reasoning: part(
    fields({
      reasoning: forwarded(text),
      text: forwarded(text),
      summary: forwarded(list({ kind: "variant", of: () => partTypes }, { unit: "part" })),
      signature: forwarded(text)
    }),
    "Counted as text.",
    { reasoning: true }
  ),
  reference: part(fields({ reference_ids: forwarded(client) }), "Mistral's mark of a source; counted as text."),
  image_url: image,
  input_image: image,
  computer_screenshot: image,
  file: part(fields({ file: forwarded(file) }), "An inline file; it holds the model's whole context once per call."),
  input_file: part(
    fields({
      file_data: forwarded({ kind: "fileData" }),
      filename: forwarded({ kind: "fileKind" }),
      detail: setting(text)
    }),
    "An inline file; it holds the model's whole context once per call."
  ),
  input_audio: noSound,
  audio: noSound,
  audio_url: noSound,
  input_video: noSound,
  video: noSound,
  video_url: noSound
})

export const partShape: Shape = { kind: "variant", of: () => partTypes }

/** Text, or a list of parts. */
export const content: Shape = either(text, list(partShape, { unit: "part" }))
