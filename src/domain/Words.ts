/** Puts values in the places of a text, written `{name}`; a place without a value is left empty. */
export const fillWords = (text: string, values: Readonly<Record<string, string>>): string =>
  text.replace(/\{(\w+)\}/g, (_, name: string) => values[name] ?? "")
