/**
 * Counts the tokens of text, for estimates only: o200k_base, whatever the model. The count is whole and takes time in proportion
 * to the text: at most some 400 ms for 256 KiB. On the event loop only small texts are counted; long ones in `TokenCounter`.
 */
import { createRequire } from "node:module"
import type * as O200kBase from "gpt-tokenizer/encoding/o200k_base"

/** Text that is counted where it is needed, without another thread, in UTF-8 bytes. */
export const COUNTED_AT_ONCE_BYTES_MAX = 4 * 1024

/** Text is counted in pieces: a run of one letter would be a single word, and merging is quadratic in a word. */
const PIECE_CHARS_MAX = 256
/** The tokenizer remembers the words that it merged; the words here are not worth remembering for long. */
const REMEMBERED_WORDS_MAX = 4096

const SPACE = 0x20

type Tokenizer = Pick<typeof O200kBase, "countTokens" | "setMergeCacheSize">

/** A name such as `<|endoftext|>` in a text is text. */
const asText = { disallowedSpecial: new Set<string>() }

let loaded: Tokenizer | undefined

/** Loads the tokenizer (about a fifth of a second, 60 MB). Calling it ahead spares the first count the wait. */
export function loadTokenizer(): Tokenizer {
  if (loaded === undefined) {
    const tokenizer: Tokenizer = createRequire(import.meta.url)("gpt-tokenizer/encoding/o200k_base")
    tokenizer.setMergeCacheSize(REMEMBERED_WORDS_MAX)
    loaded = tokenizer
  }
  return loaded
}

/** False: the next count loads the tokenizer first. */
export const isTokenizerLoaded = (): boolean => loaded !== undefined

/** Tokens of `text`. Never fails, whatever the text. */
export function countTokens(text: string): number {
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
  for (let at = end; at > start + PIECE_CHARS_MAX / 2; at--) if (text.charCodeAt(at) === SPACE) return at
  const last = text.charCodeAt(end - 1)
  return last >= 0xd800 && last <= 0xdbff ? end - 1 : end
}
