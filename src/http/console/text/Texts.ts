/**
 * The console's texts, by section: `en.json` and `zh.json` have the same sections and keys, which a test sees to. Besides its own
 * texts, a section says the words that several share.
 */
import { Record } from "effect"
import { reasonWords } from "../../../orders/Reason.ts"

import en from "./en.json" with { type: "json" }
import { type Language, type Say, sayFrom } from "./Messages.ts"
import zh from "./zh.json" with { type: "json" }

const english = { ...en, reason: { ...reasonWords, ...en.reason } }

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

/** What each section says in a language. */
const saidIn = (language: Language) =>
  Record.map(texts[language], (own) => sayFrom(language, { ...texts[language].words, ...own }))

const said = { en: saidIn("en"), zh: saidIn("zh") }

/** Says the texts of a section in one language. */
export const sayIn = <S extends TextSection>(language: Language, section: S): SayOf<S> => said[language][section]
