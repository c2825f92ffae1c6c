/**
 * What the comments of the shipped config.yaml say of its keys, so that a meaning is written once. A comment stands behind its key, is
 * continued far to the right, or stands above the key. `# key: default   # meaning` describes a key that may be added: at the left edge
 * one of the section below, else one of the section around it.
 * @internal
 */

export interface KeyComment {
  /** Empty: the key has no comment. */
  readonly meaning: string
  /** What the file sets the key to, as it is written there; empty: nothing. */
  readonly shipped: string
  /** The default that its comment names; empty: none. */
  readonly otherwise: string
}

/** A comment from this column on goes on with the one above it. */
const CONTINUED_COLUMN_MIN = 20

const keyLine = /^(\s*(?:- )?)([a-z0-9_]+):(?:\s+(.*?))??(?:\s+# (.*))?$/
const addedKeyLine = /^(\s*)#\s+([a-z0-9_]+(?:, [a-z0-9_]+)*)(?:: (.+?))?\s{2,}# (.*)$/
const commentLine = /^([\s#]*)# (.*)$/

interface Said {
  readonly keys: ReadonlyArray<string>
  readonly words: Array<string>
  readonly shipped: string
  readonly otherwise: string
}

/** Comments by path, such as `server.port`; a key of a list's items is `channels.name`. */
export const readComments = (text: string): ReadonlyMap<string, KeyComment> => {
  const found: Array<Said> = []
  let around: ReadonlyArray<{ readonly indent: number; readonly key: string }> = []
  let above: Array<string> = []
  let below: Array<Said> = []
  let last: Said | undefined
  const pathOf = (key: string): string => [...around.map((section) => section.key), key].join(".")
  for (const line of text.split("\n")) {
    const [, edge = "", names, otherwise = "", added] = addedKeyLine.exec(line) ?? []
    const [, before = "", comment] = commentLine.exec(line) ?? []
    const [, lead = "", key, shipped = "", behind] = keyLine.exec(line) ?? []
    if (names !== undefined && added !== undefined) {
      last = { keys: names.split(", "), words: [added], shipped: "", otherwise }
      if (edge === "") below.push(last)
      else {
        around = around.filter((section) => section.indent < edge.length)
        found.push({ ...last, keys: last.keys.map(pathOf) })
      }
    } else if (comment !== undefined) {
      if (before.length >= CONTINUED_COLUMN_MIN) last?.words.push(comment)
      else above.push(comment)
    } else if (key === undefined) above = []
    else {
      around = around.filter((section) => section.indent < lead.length)
      last = { keys: [pathOf(key)], words: [...above, ...behind === undefined ? [] : [behind]], shipped, otherwise: "" }
      found.push(last)
      around = [...around, { indent: lead.length, key }]
      for (const said of below) found.push({ ...said, keys: said.keys.map(pathOf) })
      above = []
      below = []
    }
  }
  const comments = new Map<string, KeyComment>()
  for (const { keys, otherwise, shipped, words } of found) {
    for (const key of keys) {
      const other = comments.get(key)
      comments.set(key, {
        meaning: other?.meaning || words.join(" "),
        shipped: other?.shipped || shipped,
        otherwise: other?.otherwise || otherwise
      })
    }
  }
  return comments
}
