/**
 * The languages that people are spoken to in, on pages and in notices, and which of them a browser asks for.
 */

import { Schema } from "effect"

export const languages = ["en", "zh"] as const
export const Language = Schema.Literals(languages)
export type Language = typeof languages[number]

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
