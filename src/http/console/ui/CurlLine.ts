/**
 * A line for a POSIX shell that makes a first call.
 */

/** A text as one word of a shell. */
const quoted = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`

/** `authorization` is put between double quotes where it names a variable, and is one word where it is a key. */
export const curlLine = (
  publicUrl: string,
  key: { readonly variable: string } | { readonly text: string },
  model: string
) => {
  const bearer = "variable" in key
    ? `"Authorization: Bearer $${key.variable}"`
    : quoted(`Authorization: Bearer ${key.text}`)
  return [
    `curl ${publicUrl}/v1/chat/completions \\`,
    `  -H ${bearer} \\`,
    `  -H 'Content-Type: application/json' \\`,
    `  -d ${quoted(JSON.stringify({ model, messages: [{ role: "user", content: "Hello" }] }))}`
  ].join("\n")
}
