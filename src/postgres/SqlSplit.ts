/**
 * Splits the text of an SQL file into its statements, because the database client sends one at a time. Knows where a
 * semicolon does not end a statement: in strings, quoted names, dollar-quoted bodies, nested comments and the body of an
 * SQL-standard function (`BEGIN ATOMIC ... END`).
 */

const DOLLAR_TAG = /\$(?:[A-Za-z_\u0080-\uffff][A-Za-z0-9_\u0080-\uffff]*)?\$/y
const WORD = /[A-Za-z_\u0080-\uffff][A-Za-z0-9_$\u0080-\uffff]*/y

const matchAt = (pattern: RegExp, text: string, index: number): string | undefined => {
  pattern.lastIndex = index
  return pattern.exec(text)?.[0]
}

/** The index after a quoted token that opens at `start`; a doubled quote stays inside, and so does a `\'` if escaped. */
const afterQuoted = (text: string, start: number, quote: string, escapes: boolean): number => {
  for (let index = start + 1; index < text.length; index++) {
    if (escapes && text[index] === "\\") index++
    else if (text[index] === quote) {
      if (text[index + 1] !== quote) return index + 1
      index++
    }
  }
  return text.length
}

const afterLineComment = (text: string, start: number): number => {
  const end = text.indexOf("\n", start)
  return end === -1 ? text.length : end + 1
}

const afterBlockComment = (text: string, start: number): number => {
  let depth = 0
  for (let index = start; index < text.length; index++) {
    if (text.startsWith("/*", index)) {
      depth++
      index++
    } else if (text.startsWith("*/", index)) {
      depth--
      index++
      if (depth === 0) return index + 1
    }
  }
  return text.length
}

/** One lexical piece: where it ends, and whether the server would see anything of it. */
interface Piece {
  readonly end: number
  readonly kind: "comment" | "space" | "word" | "other" | "semicolon"
}

const pieceAt = (text: string, index: number): Piece => {
  const character = text[index] ?? ""
  if (character === ";") return { end: index + 1, kind: "semicolon" }
  if (/\s/.test(character)) return { end: index + 1, kind: "space" }
  if (text.startsWith("--", index)) return { end: afterLineComment(text, index), kind: "comment" }
  if (text.startsWith("/*", index)) return { end: afterBlockComment(text, index), kind: "comment" }
  if (character === "'") return { end: afterQuoted(text, index, "'", false), kind: "other" }
  if (character === '"') return { end: afterQuoted(text, index, '"', false), kind: "other" }
  const tag = matchAt(DOLLAR_TAG, text, index)
  if (tag !== undefined) {
    const close = text.indexOf(tag, index + tag.length)
    return { end: close === -1 ? text.length : close + tag.length, kind: "other" }
  }
  const word = matchAt(WORD, text, index)
  if (word === undefined) return { end: index + 1, kind: "other" }
  const end = index + word.length
  const isEscapeString = word.toLowerCase() === "e" && text[end] === "'"
  return isEscapeString ? { end: afterQuoted(text, end, "'", true), kind: "other" } : { end, kind: "word" }
}

/** The depth of `BEGIN ATOMIC` and `CASE` blocks after a word; outside an atomic body nothing is counted. */
const depthAfter = (
  depth: number,
  { previous, word }: { readonly word: string; readonly previous: string }
): number => {
  if (depth === 0) return word === "atomic" && previous === "begin" ? 1 : 0
  if (word === "case") return depth + 1
  return word === "end" ? depth - 1 : depth
}

/** The statements of an SQL text, in order, without their semicolons; pieces that are only comments are left out. */
export const splitSql = (text: string): ReadonlyArray<string> => {
  const statements: Array<string> = []
  let start = 0
  let index = 0
  let depth = 0
  let previous = ""
  let hasContent = false
  const finish = (end: number): void => {
    if (hasContent) statements.push(text.slice(start, end).trim())
    hasContent = false
  }
  while (index < text.length) {
    const piece = pieceAt(text, index)
    if (piece.kind === "word") {
      const word = text.slice(index, piece.end).toLowerCase()
      depth = depthAfter(depth, { word, previous })
      previous = word
    }
    if (piece.kind === "semicolon" && depth === 0) {
      finish(index)
      start = piece.end
    } else if (piece.kind === "word" || piece.kind === "other") hasContent = true
    index = piece.end
  }
  finish(text.length)
  return statements
}
