/**
 * Numbers, money and times as a reader of one language in one time zone expects them. Money is formatted from its exact
 * decimal text, never through a floating-point number.
 */
import { UTC, zoneNamed } from "../config/TimeZones.ts"
import { currencyDecimals, minorText } from "../domain/Currency.ts"
import type { Language } from "../domain/Language.ts"
import { floorToCents, formatCny, formatDecimal, formatUsd, MICROS_SCALE } from "../domain/Money.ts"

const localeOf: Readonly<Record<Language, string>> = { en: "en-US", zh: "zh-CN" }

export interface Formats {
  readonly language: Language
  /** IANA name. */
  readonly timeZone: string
  /** USD micros, exactly: with at least two decimals and as many more as the amount has. */
  usd(micros: bigint): string
  /** USD micros to be read at a glance: cut to cents, never above the amount; what is below a cent is exact. */
  usdRounded(micros: bigint): string
  /** USD micros with all six decimals, so that the amounts of a column stand under one another. */
  usdFixed(micros: bigint): string
  /** An amount scaled by 10^scale in USD, with all its decimals. */
  usdExact(amount: bigint, scale: number): string
  /** CNY fen. */
  cny(fen: bigint): string
  /** An amount in the minor unit of a currency, given by its ISO code in any case. */
  minor(amount: bigint, currency: string): string
  count(value: number | bigint): string
  date(at: Date): string
  /** A day without its year, of a moment in UTC. */
  dayAndMonth(at: Date): string
  time(at: Date): string
  /** A number of milliseconds as seconds with two decimals. */
  seconds(milliseconds: number): string
}

type Decimal = Intl.StringNumericLiteral

const isDecimal = (text: string): text is Decimal => /^-?\d+(?:\.\d+)?$/.test(text)

const currencyFormat = (language: Language, currency: string, decimalsMax: number, decimalsMin = 2) => {
  const format = new Intl.NumberFormat(localeOf[language], {
    style: "currency",
    currency,
    currencyDisplay: "narrowSymbol",
    minimumFractionDigits: decimalsMin,
    maximumFractionDigits: decimalsMax
  })
  return (text: string): string => isDecimal(text) ? format.format(text) : text
}

type WriteMoment = (at: Date) => string

/** How days and times are written: in Chinese in figures alone, such as 2026-11-25 01:30:00, as Chinese consoles do. */
const momentsOf = (language: Language, timeZone: string): readonly [date: WriteMoment, time: WriteMoment] => {
  const written = (options: Intl.DateTimeFormatOptions): WriteMoment => {
    const format = new Intl.DateTimeFormat(localeOf[language], { timeZone, ...options })
    return language === "zh" ? (at) => format.format(at).replaceAll("/", "-") : (at) => format.format(at)
  }
  if (language === "en") {
    return [written({ dateStyle: "medium" }), written({ dateStyle: "medium", timeStyle: "medium" })]
  }
  const two = "2-digit"
  const day = { year: "numeric", month: two, day: two } as const
  return [written(day), written({ ...day, hour: two, minute: two, second: two, hourCycle: "h23" })]
}

/** Of a sum of tokens times prices: micros per million tokens. */
const DECIMALS_MAX = 12

const build = (language: Language, timeZone: string): Formats => {
  const locale = localeOf[language]
  const usd = currencyFormat(language, "USD", MICROS_SCALE)
  const fixed = currencyFormat(language, "USD", MICROS_SCALE, MICROS_SCALE)
  const exact = currencyFormat(language, "USD", DECIMALS_MAX)
  const dayAndMonth = new Intl.DateTimeFormat(locale, { timeZone: "UTC", month: "short", day: "numeric" })
  const cny = currencyFormat(language, "CNY", 2)
  const count = new Intl.NumberFormat(locale)
  const [date, time] = momentsOf(language, timeZone)
  const seconds = new Intl.NumberFormat(locale, { minimumFractionDigits: 2, maximumFractionDigits: 2 })
  return {
    language,
    timeZone,
    usd: (amount) => usd(formatUsd(amount)),
    usdRounded: (amount) => usd(formatUsd(floorToCents(amount))),
    usdFixed: (amount) => fixed(formatDecimal(amount, { scale: MICROS_SCALE, decimalsMin: MICROS_SCALE })),
    cny: (fen) => cny(formatCny(fen)),
    minor: (amount, currency) => {
      // The same money is written the same everywhere.
      if (currency.toLowerCase() === "cny") return cny(formatCny(amount))
      const decimals = currencyDecimals(currency)
      const format = new Intl.NumberFormat(locale, {
        style: "currency",
        currency: currency.toUpperCase(),
        minimumFractionDigits: decimals,
        maximumFractionDigits: decimals
      })
      const text = minorText(amount, currency)
      return isDecimal(text) ? format.format(text) : text
    },
    count: (value) => count.format(value),
    dayAndMonth: (at) => dayAndMonth.format(at),
    usdExact: (amount, scale) => exact(formatDecimal(amount, { scale, decimalsMin: 2 })),
    date,
    time,
    seconds: (milliseconds) => `${seconds.format(milliseconds / 1_000)} s`
  }
}

/** Formats kept, at most: making one takes long, and there are few zones. */
const KEPT_MAX = 1_000

const kept = new Map<string, Formats>()

/** The formats of a language and an IANA zone, see {@link timeZoneOf}. */
export const formatsOf = (language: Language, timeZone: string): Formats => {
  const key = `${language} ${timeZone}`
  const known = kept.get(key)
  if (known !== undefined) return known
  const made = build(language, timeZone)
  if (kept.size >= KEPT_MAX) kept.clear()
  kept.set(key, made)
  return made
}

/** A time zone as a browser names it, by the name that is known here; UTC for any other name. */
export const timeZoneOf = (name: string | undefined): string => zoneNamed(name ?? UTC) ?? UTC
