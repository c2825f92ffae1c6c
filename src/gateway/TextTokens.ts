/**
 * Token counts of text, for estimates only: o200k_base, whatever the model. The tokenizer is large and is loaded at the
 * first count; every count is bounded, since the text is a stranger's and byte pair merging is quadratic in a word.
 */
import { Buffer } from "node:buffer"
import { createRequire } from "node:module"
import type * as O200kBase from "gpt-tokenizer/encoding/o200k_base"
import { type Call, TOKENS_PER_IMAGE, TOKENS_PER_MESSAGE } from "./CallRequest.ts"
import { bufferOf } from "./JsonFields.ts"
import { isObject, parseJson } from "./JsonValue.ts"

/** Text beyond this is not tokenised but extrapolated, by bytes. In UTF-16 units. */
export const TOKENISED_CHARS_MAX = 65_536
/** Longer text is represented by so many slices spread over it, lest its beginning speak for the rest. */
const SLICES = 16
/** Text is tokenised in pieces: a run of one letter would be a single word. */
const PIECE_CHARS_MAX = 256
/** The tokenizer remembers the words it merged; the words here are not worth remembering for long. */
const REMEMBERED_WORDS_MAX = 4096

type Tokenizer = Pick<typeof O200kBase, "countTokens" | "setMergeCacheSize">

/** A name such as `<|endoftext|>` in a text is text. */
const asText = { disallowedSpecial: new Set<string>() }

let loaded: Tokenizer | undefined

/** Loads the tokenizer (about a third of a second, 60 MB). Calling it ahead spares the first estimate the wait. */
export function loadTokenizer(): Tokenizer {
  if (loaded === undefined) {
    const tokenizer: Tokenizer = createRequire(import.meta.url)("gpt-tokenizer/encoding/o200k_base")
    tokenizer.setMergeCacheSize(REMEMBERED_WORDS_MAX)
    loaded = tokenizer
  }
  return loaded
}

/** Tokens of `text`; an estimate above `TOKENISED_CHARS_MAX`. Never fails, whatever the text. */
export function countTokens(text: string): number {
  if (text.length <= TOKENISED_CHARS_MAX) return countPieces(text)
  const sliceChars = TOKENISED_CHARS_MAX / SLICES
  const stride = (text.length - sliceChars) / (SLICES - 1)
  let tokens = 0
  let bytes = 0
  for (let index = 0; index < SLICES; index++) {
    const start = Math.floor(index * stride)
    const slice = text.slice(start, start + sliceChars)
    tokens += countPieces(slice)
    bytes += Buffer.byteLength(slice)
  }
  return Math.ceil(tokens * (Buffer.byteLength(text) / bytes))
}

function countPieces(text: string): number {
  if (text === "") return 0
  const tokenizer = loadTokenizer()
  let tokens = 0
  let start = 0
  while (start < text.length) {
    const end = endOfPiece(text, start)
    tokens += tokenizer.countTokens(text.slice(start, end), asText)
    start = end
  }
  return tokens
}

/** Cuts before a space where there is one, as the tokenizer would, and never through a surrogate pair. */
function endOfPiece(text: string, start: number): number {
  const end = start + PIECE_CHARS_MAX
  if (end >= text.length) return text.length
  const space = text.lastIndexOf(" ", end)
  if (space > start + PIECE_CHARS_MAX / 2) return space
  const last = text.charCodeAt(end - 1)
  return last >= 0xd800 && last <= 0xdbff ? end - 1 : end
}

/** Tokens of a call's input, for calls whose upstream did not say: messages, instructions, tools and formats. */
export function estimateInputTokens(call: Call): number {
  const json = parseJson(bufferOf(call.body).toString("utf8"))
  if (!isObject(json)) return 0
  const texts: Array<string> = []
  collectText(json.messages ?? json.input, texts)
  collectText(json.instructions, texts)
  for (const key of ["tools", "functions", "response_format", "text"]) {
    if (json[key] !== undefined && json[key] !== null) texts.push(JSON.stringify(json[key]))
  }
  // Half of what is held for a message: its text carries the role already.
  const overhead = Math.ceil(TOKENS_PER_MESSAGE / 2) * call.messages
  return countTokens(texts.join("\n")) + overhead + TOKENS_PER_IMAGE * call.images
}

const imageUrl = /^(https?:|data:)/i

function collectText(value: unknown, texts: Array<string>): void {
  if (typeof value === "string") texts.push(value)
  else if (Array.isArray(value)) { for (const item of value) collectText(item, texts) }
  else if (isObject(value)) {
    for (const [key, member] of Object.entries(value)) {
      if (key === "type" || key === "id" || key === "call_id") continue
      if ((key === "image_url" || key === "url") && typeof member === "string" && imageUrl.test(member.slice(0, 8))) {
        continue
      }
      collectText(member, texts)
    }
  }
}
