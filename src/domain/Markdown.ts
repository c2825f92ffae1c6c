/**
 * Writes Markdown for the documentation that is printed from tables and schemas.
 */

export const markdownCode = (text: string): string => `\`${text}\``

export const markdownTable = (head: ReadonlyArray<string>, rows: ReadonlyArray<ReadonlyArray<string>>): string =>
  [head, head.map(() => "---"), ...rows].map((cells) => `| ${cells.join(" | ")} |`).join("\n")

/** The text with `content` in its region of that name. What stands outside is kept; a text without the region stays as it is. */
export const withRegion = (text: string, name: string, content: string): string => {
  const open = `<!-- ${name} -->`
  const close = `<!-- /${name} -->`
  const start = text.indexOf(open)
  const end = text.indexOf(close)
  if (start < 0 || end < start) return text
  return `${text.slice(0, start + open.length)}\n\n${content}\n\n${text.slice(end)}`
}
