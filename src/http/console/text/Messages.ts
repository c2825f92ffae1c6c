/**
 * The console's texts in both languages. Each page keeps its own messages beside its view; a message exists in every
 * language or does not compile, and a test finds those that no page uses any more.
 */

export const languages = ["en", "zh"] as const
export type Language = typeof languages[number]

/** Texts by key, in every language. Placeholders are written `{name}`. */
export interface Messages<Key extends string> {
  readonly en: Readonly<Record<Key, string>>
  readonly zh: Readonly<Record<Key, string>>
}

/** Texts of one page: the Chinese ones have exactly the keys of the English ones. */
export const defineMessages = <const Key extends string>(
  en: Readonly<Record<Key, string>>,
  zh: Readonly<Record<NoInfer<Key>, string>>
): Messages<Key> => ({ en, zh })

/** What may be put in a text's placeholder. Whatever shows the text escapes it. */
export type MessageValues = Readonly<Record<string, string | number>>

/** Says a text in one language. */
export type Say<Key extends string> = (key: Key, values?: MessageValues) => string

const placeholder = /\{(\w+)\}/g

/** Fills a text's placeholders; one without a value stays as it is, so that its absence is seen. */
export const fill = (text: string, values: MessageValues): string =>
  text.replace(placeholder, (whole, name: string) => String(values[name] ?? whole))

/** Says the texts of one page in one language. */
export const sayIn = <Key extends string>(messages: Messages<Key>, language: Language): Say<Key> => (key, values) => {
  const text = messages[language][key]
  return values === undefined ? text : fill(text, values)
}

/** The language a browser asks for first among those there are; English where it asks for none of them. */
export const languageOf = (acceptLanguage: string | undefined): Language => {
  const wanted = (acceptLanguage ?? "").split(",").map((part, index) => {
    const [tag = "", ...parameters] = part.trim().toLowerCase().split(";")
    const quality = Number(parameters.map((text) => /^\s*q=([\d.]+)\s*$/.exec(text)?.[1]).find((q) => q !== undefined))
    return { language: tag.split("-")[0], quality: Number.isNaN(quality) ? 1 : quality, index }
  }).filter(({ quality }) => quality > 0)
  wanted.sort((a, b) => b.quality - a.quality || a.index - b.index)
  for (const { language } of wanted) {
    const found = languages.find((known) => known === language)
    if (found !== undefined) return found
  }
  return "en"
}
