/**
 * The console's texts, by section: `en.json` and `zh.json` have the same sections and keys, which a test sees to. Besides its own
 * texts, a section says the words that several share.
 */
import { Record } from "effect"
import type { Language } from "../../../domain/Language.ts"
import { billProblemWords } from "../../../finance/BillProblem.ts"
import { reasonWords } from "../../../orders/Reason.ts"
import { type Say, sayFrom } from "../../../platform/Messages.ts"
import en from "./en.json" with { type: "json" }
import zh from "./zh.json" with { type: "json" }

/** The text of each of these codes, which are keys of the section. */
export const sayEach = <Code extends string>(
  say: Say<Code>,
  codes: ReadonlyArray<Code>
): Readonly<Record<Code, string>> => Object.fromEntries(codes.map((code) => [code, say(code)])) as Record<Code, string>

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
  Record.map(texts[language], (own) => sayFrom(language, own, texts[language].words))

const said = { en: saidIn("en"), zh: saidIn("zh") }

/** Says the texts of a section in one language. */
export const sayIn = <S extends TextSection>(language: Language, section: S): SayOf<S> => said[language][section]

/** The section's text for a name that may be unknown, such as a code of an upstream; an unknown name is shown as it is. */
export const sayNamed = <S extends TextSection>(language: Language, section: S, name: string): string =>
  hasText(section, name) ? sayIn(language, section)(name) : name
