/**
 * The console's texts, by section: `en.json` and `zh.json` have the same sections and keys, which a test sees to. Besides its own
 * texts, a section says the words that several share. And how a text is said in one language: its placeholders, its plurals, and which
 * language a browser asks for.
 */
import { Record } from "effect"
import { IntlMessageFormat } from "intl-messageformat"
import { billProblemWords } from "../../../finance/BillProblem.ts"
import { reasonWords } from "../../../orders/Reason.ts"
import en from "./en.json" with { type: "json" }
import zh from "./zh.json" with { type: "json" }

export const languages = ["en", "zh"] as const
export type Language = typeof languages[number]

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

/** Says texts by their keys. */
export const sayFrom = (language: Language, texts: Readonly<Record<string, string>>): Say<string> => (key, values) => {
  const text = texts[key] ?? key
  return values === undefined ? text : fill(language, text, values)
}

/** The text of each of these codes, which are keys of the section. */
export const sayEach = <Code extends string>(
  say: Say<Code>,
  codes: ReadonlyArray<Code>
): Readonly<Record<Code, string>> => Object.fromEntries(codes.map((code) => [code, say(code)])) as Record<Code, string>

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

const english = {
  ...en,
  reason: { ...reasonWords, ...en.reason },
  billProblem: { ...billProblemWords, ...en.billProblem }
}

type English = typeof english
export type TextSection = keyof English
/** The key of a text: of the section's own, or of a word that several share. */
export type TextKey<S extends TextSection> = (keyof English[S] | keyof English["words"]) & string
/** Says the texts of one section. */
export type SayOf<S extends TextSection> = Say<TextKey<S>>

/** All texts. */
export const texts: Readonly<
  Record<Language, { readonly [S in TextSection]: { readonly [K in keyof English[S]]: string } }>
> = {
  en: english,
  zh
}

/** Whether the section has a text of its own under this name. A shared word does not count: it may mean something else. */
export const hasText = <S extends TextSection>(section: S, name: string): name is TextKey<S> =>
  Object.hasOwn(texts.en[section], name)

/** What each section says in a language. */
const saidIn = (language: Language) =>
  Record.map(texts[language], (own) => sayFrom(language, { ...texts[language].words, ...own }))

const said = { en: saidIn("en"), zh: saidIn("zh") }

/** Says the texts of a section in one language. */
export const sayIn = <S extends TextSection>(language: Language, section: S): SayOf<S> => said[language][section]

/** The section's text for a name that may be unknown, such as a code of an upstream; an unknown name is shown as it is. */
export const sayNamed = <S extends TextSection>(language: Language, section: S, name: string): string =>
  hasText(section, name) ? sayIn(language, section)(name) : name
