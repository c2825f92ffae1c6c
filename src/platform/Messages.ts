/**
 * How a text is said in one language: its placeholders and its plurals. The texts themselves lie with those who say them.
 */
import { IntlMessageFormat } from "intl-messageformat"
import type { Language } from "../domain/Language.ts"

/** Placeholders that take numbers alone: plurals and formatted numbers are of these. A text there would be shown as "NaN". */
export const numberNames = ["count", "days"] as const

/** What may be put in a text's placeholders. Whatever shows the text escapes it. */
export type MessageValues = { readonly [Name in typeof numberNames[number]]?: number } & {
  readonly [name: string]: string | number
}

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
 * number is a message of ICU; what it counts has one of the {@link numberNames}.
 */
export const fill = (language: Language, text: string, values: MessageValues): string =>
  /\{\w+, /.test(text)
    ? String(icuOf(language, text).format(values))
    : text.replace(placeholder, (whole, name: string) => String(values[name] ?? whole))

/** Says texts by their keys; those it lacks are the `shared` ones. */
export const sayFrom = (
  language: Language,
  texts: Readonly<Record<string, string>>,
  shared: Readonly<Record<string, string>> = {}
): Say<string> =>
(key, values) => {
  const text = texts[key] ?? shared[key] ?? key
  return values === undefined ? text : fill(language, text, values)
}
