/**
 * How a text is said in one language: its placeholders, its plurals, and which language a browser asks for.
 */
import { IntlMessageFormat } from "intl-messageformat"

export const languages = ["en", "zh"] as const
export type Language = typeof languages[number]

/** What may be put in a text's placeholder. Whatever shows the text escapes it. */
export type MessageValues = Readonly<Record<string, string | number>>

/** Says a text in one language. */
export type Say<Key extends string> = (key: Key, values?: MessageValues) => string

const placeholder = /\{(\w+)\}/g

/** Messages of ICU, each read once: there are as many as texts. */
const icu = new Map<string, IntlMessageFormat>()

const icuOf = (language: Language, text: string): IntlMessageFormat => {
  const key = `${language} ${text}`
  const known = icu.get(key)
  if (known !== undefined) return known
  const made = new IntlMessageFormat(text, language, undefined, { ignoreTag: true })
  icu.set(key, made)
  return made
}

/**
 * Fills a text's placeholders; one without a value stays as it is, so that its absence is seen. A text with a plural or a formatted
 * number is a message of ICU, and its values are numbers.
 */
export const fill = (language: Language, text: string, values: MessageValues): string =>
  /\{\w+, /.test(text)
    ? String(icuOf(language, text).format(values))
    : text.replace(placeholder, (whole, name: string) => String(values[name] ?? whole))

/** Says texts by their keys. */
export const sayFrom = (language: Language, texts: Readonly<Record<string, string>>): Say<string> => (key, values) => {
  const text = texts[key] ?? key
  return values === undefined ? text : fill(language, text, values)
}

/** Says what is known by a name; anything else by the name itself. */
export const sayKnown = <Key extends string>(
  say: Say<Key>,
  names: ReadonlyMap<string, Key>,
  name: string,
  values?: MessageValues
): string => {
  const key = names.get(name)
  return key === undefined ? name : say(key, values)
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
